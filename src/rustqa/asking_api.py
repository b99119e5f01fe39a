"""The routes that ask: one question or many, a search, and whether an answer is right."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import HTMLResponse, Response

from rustqa import schema
from rustqa.errors import RustQAError
from rustqa.examples import ANSWERS, BATCHES, QUESTIONS, SEARCHES
from rustqa.feedback import FeedbackFile, labelled_line
from rustqa.library import Library
from rustqa.loaded import Loaded, Rendered, record, wants_html
from rustqa.middleware.guard import refuse_foreign
from rustqa.middleware.rates import spend
from rustqa.runtime import side_by_side
from rustqa.types import Answer, Scope

router = APIRouter(responses=schema.UNKNOWN)
feedback_router = APIRouter(responses={**schema.UNKNOWN, **schema.REFUSED})


@router.post(
    "/ask",
    response_model=Answer,
    responses={200: {"content": {"application/json": {"examples": ANSWERS}}}},
)
def ask(
    body: Annotated[schema.AskRequest, Body(openapi_examples=QUESTIONS)],
    request: Request,
    library: Loaded,
    pages: Rendered,
) -> Response:
    """Answers a question with words cut verbatim from the articles, each with its citation.

    With the header Accept: text/html the answer comes as the piece of HTML the chat page shows.
    """
    scope = body.scope()
    answer = _ask(request, library, body, scope)
    if wants_html(request):
        return HTMLResponse(pages.turn(library, answer, body.turns(), scope))
    # Written here, as FastAPI would first take it apart and check it again.
    return Response(schema.ANSWER.dump_json(answer), media_type="application/json")


@router.post("/ask/batch")
def ask_batch(
    body: Annotated[schema.BatchRequest, Body(openapi_examples=BATCHES)],
    request: Request,
    library: Loaded,
) -> schema.BatchResponse:
    """Answers up to 100 questions, in their order; if one cannot be asked, none is."""
    spend(request.scope, len(body.questions) - 1)

    def answer(numbered: tuple[int, schema.AskRequest]) -> Answer:
        place, item = numbered
        try:
            return _ask(request, library, item, item.scope())
        except RustQAError as error:
            raise type(error)(f"{error} (in questions[{place}])") from error

    return schema.BatchResponse(answers=list(side_by_side(answer, enumerate(body.questions))))


@router.post("/search")
def search(
    body: Annotated[schema.SearchRequest, Body(openapi_examples=SEARCHES)], library: Loaded
) -> schema.SearchResponse:
    """Finds passages without judging whether they answer: the best sentence of each, as a
    citation."""
    scope = body.scope()
    results = library.pipeline.search(
        body.query, body.top_k, scope.documents, scope.since, scope.until
    )
    return schema.SearchResponse(results=list(results))


@feedback_router.post("/feedback")
def feedback(
    body: Annotated[schema.FeedbackRequest, Body()], request: Request, library: Loaded
) -> schema.FeedbackResponse:
    """Keeps whether an answer is right, with its question, in a file of the server.

    The question is asked again of the same articles, so that what is kept stands in them; 409 if
    its answer is another than the one that was shown, or rustqa's own, 403 for a browser that
    shows another site's page.
    """
    refuse_foreign(request.headers, "verdicts")
    history, scope = body.turns(), body.scope()
    answer = library.pipeline.ask(
        body.question, history, 3, scope.documents, scope.since, scope.until
    )
    if answer.answer != body.answer:
        raise HTTPException(409, "the answer is another one by now; ask again")
    if answer.message is not None:
        raise HTTPException(409, "what rustqa itself says is no answer; say it of another")
    line = labelled_line(answer, history, body.verdict, library.documents)
    file: FeedbackFile = request.app.state.feedback
    file.keep(line)
    return schema.FeedbackResponse(id=line["id"])


def _ask(request: Request, library: Library, body: schema.AskRequest, scope: Scope) -> Answer:
    answer = library.pipeline.ask(
        body.question, body.turns(), body.top_k, scope.documents, scope.since, scope.until
    )
    record(request, answer)
    return answer
