"""The HTTP API and the routes of the pages."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from http import HTTPStatus
from threading import Thread
from typing import Annotated

from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException

from rustqa import __version__, schema
from rustqa.errors import NotReadyError, QuestionError, RustQAError, UnknownDocumentError
from rustqa.examples import ANSWERS, BATCHES, QUESTIONS, SEARCHES
from rustqa.feedback import FeedbackFile, labelled_line
from rustqa.pipeline import Pipeline
from rustqa.runtime import side_by_side
from rustqa.security import Guard, is_foreign
from rustqa.settings import data_root
from rustqa.types import Answer, Document, Turn
from rustqa.web import Library, Pages

log = logging.getLogger(__name__)

router = APIRouter()
feedback_router = APIRouter()


class Loading:
    """Opens the pipeline in a thread of its own, so that the server can listen meanwhile."""

    def __init__(self, open_pipeline: Callable[[], Pipeline]) -> None:
        """Starts at once."""
        self._opened: Future[Library] = Future()
        self._open_pipeline = open_pipeline
        Thread(target=self._run, name="loading", daemon=True).start()

    def library(self) -> Library:
        """The articles; raises NotReadyError before they are loaded, HTTPException if they
        cannot be."""
        if not self._opened.done():
            raise NotReadyError("the articles are still being loaded; try again in a moment")
        error = self._opened.exception()
        if error is not None:
            known = isinstance(error, RustQAError)
            raise HTTPException(503, str(error) if known else "loading failed; see the log")
        return self._opened.result()

    def _run(self) -> None:
        try:
            library = Library(self._open_pipeline())
        except RustQAError as error:
            log.error("loading failed: %s", error)
            self._opened.set_exception(error)
        # A panic in a compiled library is no Exception, and must not leave the page waiting.
        except BaseException as error:
            log.exception("loading failed")
            self._opened.set_exception(error)
        else:
            self._opened.set_result(library)
            self._find_suggestions(library)

    def _find_suggestions(self, library: Library) -> None:
        """They are asked for soon, and take longer than an answer."""
        try:
            library.suggestions(library.first.id)
        except RustQAError as error:
            log.error("no questions can be suggested: %s", error)


async def _library(request: Request) -> Library:
    loading: Loading = request.app.state.loading
    return loading.library()


async def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


Loaded = Annotated[Library, Depends(_library)]
Rendered = Annotated[Pages, Depends(_pages)]


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
    answer = _ask(library, body)
    if _wants_html(request):
        return HTMLResponse(pages.turn(library, answer, body.turns()))
    # Written here, as FastAPI would first take it apart and check it again.
    return Response(schema.ANSWER.dump_json(answer), media_type="application/json")


@router.post("/ask/batch")
def ask_batch(
    body: Annotated[schema.BatchRequest, Body(openapi_examples=BATCHES)], library: Loaded
) -> schema.BatchResponse:
    """Answers up to 100 questions, in their order; if one cannot be asked, none is."""

    def answer(numbered: tuple[int, schema.AskRequest]) -> Answer:
        place, item = numbered
        try:
            return _ask(library, item)
        except RustQAError as error:
            raise type(error)(f"{error} (in questions[{place}])") from error

    return schema.BatchResponse(answers=list(side_by_side(answer, enumerate(body.questions))))


@router.post("/search")
def search(
    body: Annotated[schema.SearchRequest, Body(openapi_examples=SEARCHES)], library: Loaded
) -> schema.SearchResponse:
    """Finds passages without judging whether they answer: the best sentence of each, as a
    citation."""
    results = library.pipeline.search(body.query, body.top_k, body.documents)
    return schema.SearchResponse(results=list(results))


@router.get("/articles")
def articles(library: Loaded) -> list[schema.ArticleSummary]:
    """Lists the articles."""
    return [schema.ArticleSummary.of(document) for document in library.documents.values()]


@router.get("/articles/{id}", response_model=schema.Article)
def article(
    id: str, request: Request, library: Loaded, pages: Rendered
) -> schema.Article | Response:
    """Gives one article: its text, to which all offsets refer, and where its paragraphs lie.

    With the header Accept: text/html it comes as a page to read.
    """
    document = _document(library, id)
    if _wants_html(request):
        return HTMLResponse(pages.article(library, document))
    return schema.Article.of(document, text=document.text, blocks=list(document.blocks))


@router.get("/healthz")
async def healthz() -> schema.Health:
    """Says that the server runs, whether or not it can answer yet."""
    return schema.Health(status="running")


@router.get("/readyz", dependencies=[Depends(_library)])
async def readyz() -> schema.Health:
    """Says that the server can answer; 503 while it cannot."""
    return schema.Health(status="ready")


@router.get("/", include_in_schema=False)
def chat(
    library: Loaded,
    pages: Rendered,
    after: Annotated[list[str], Query(default_factory=list)],
    q: str | None = None,
    article: str | None = None,
) -> HTMLResponse:
    """The chat page, with the answer to `q` asked after other questions, beside `article` or the
    article that answers."""
    document = library.first if article is None else _document(library, article)
    if q is None:
        return HTMLResponse(pages.chat(library, document))
    history = [Turn(earlier) for earlier in after]
    try:
        answer = library.pipeline.ask(q, history)
    except QuestionError as error:
        page = pages.chat(library, document, question=q, message=str(error))
        return HTMLResponse(page, error.status)
    if article is None and answer.citations:
        document = library.documents[answer.citations[0].document_id]
    return HTMLResponse(pages.chat(library, document, answer, history))


@router.get("/docs", include_in_schema=False)
def docs(request: Request, pages: Rendered) -> HTMLResponse:
    """The page that explains the API."""
    return HTMLResponse(pages.docs(request.app.openapi(), str(request.base_url).rstrip("/")))


@feedback_router.post("/feedback")
def feedback(
    body: Annotated[schema.FeedbackRequest, Body()], request: Request, library: Loaded
) -> schema.FeedbackResponse:
    """Keeps whether an answer is right, with its question, in a file of the server.

    The question is asked again, so that what is kept stands in the articles; 409 if its answer is
    another than the one that was shown, 403 for a browser that shows another site's page.
    """
    if is_foreign(request.headers):
        raise HTTPException(403, "feedback is taken from rustqa's own page alone")
    history = body.turns()
    answer = library.pipeline.ask(body.question, history)
    if answer.answer != body.answer:
        raise HTTPException(409, "the answer is another one by now; ask again")
    if answer.message is not None:
        raise HTTPException(422, "what rustqa itself says is no answer; say it of another")
    line = labelled_line(answer, history, body.verdict, library.documents)
    file: FeedbackFile = request.app.state.feedback
    file.keep(line)
    return schema.FeedbackResponse(id=line["id"])


def create_app(
    open_pipeline: Callable[[], Pipeline], feedback_file: FeedbackFile | None = None
) -> FastAPI:
    """The application; it listens at once and answers when `open_pipeline` has returned.

    Without a file for it no feedback is taken.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loading = Loading(open_pipeline)
        yield

    app = FastAPI(
        title="rustqa",
        version=__version__,
        description="Answers questions about articles with words cut verbatim from them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={
            422: {"model": schema.Problem, "description": "The request cannot be used as it is"},
            503: {"model": schema.Problem, "description": "Not ready yet, or unable to load"},
        },
    )
    app.state.pages = Pages(feedback=feedback_file is not None)
    app.include_router(router)
    if feedback_file is not None:
        app.state.feedback = feedback_file
        app.include_router(feedback_router)
    app.mount("/static", StaticFiles(directory=data_root() / "web" / "static"))
    app.add_middleware(Guard, problem=_problem)
    app.exception_handler(RustQAError)(_on_known_error)
    app.exception_handler(StarletteHTTPException)(_on_http_error)
    app.exception_handler(RequestValidationError)(_on_bad_request)
    return app


def _ask(library: Library, body: schema.AskRequest) -> Answer:
    return library.pipeline.ask(body.question, body.turns(), body.top_k, body.documents)


def _document(library: Library, id: str) -> Document:
    if id not in library.documents:
        raise UnknownDocumentError(f"no article has the id {id!r}; see GET /articles")
    return library.documents[id]


def _wants_html(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _problem(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that says what went wrong: a page for a browser that opens one, else JSON."""
    if request.method == "GET" and _wants_html(request):
        pages: Pages = request.app.state.pages
        page = pages.error(status, message, loading="Retry-After" in (headers or {}))
        return HTMLResponse(page, status, headers)
    return JSONResponse({"error": message}, status, headers)


def _on_known_error(request: Request, error: RustQAError) -> Response:
    if error.status == 500:
        log.error("%s: %s", type(error).__name__, error)
    headers = {"Retry-After": "2"} if isinstance(error, NotReadyError) else None
    return _problem(request, error.status, str(error), headers)


def _on_http_error(request: Request, error: StarletteHTTPException) -> Response:
    message = error.detail
    if error.status_code == 400:
        return _problem(
            request, 422, "the body cannot be read as JSON; send one UTF-8 object, as /docs shows"
        )
    if message == HTTPStatus(error.status_code).phrase:
        # Starlette's own: it names the status but not what to do.
        fault = "there is nothing" if error.status_code == 404 else "the method is not possible"
        message = f"{fault} at {request.url.path!r}; see /docs"
    return _problem(request, error.status_code, message, error.headers)


def _on_bad_request(request: Request, error: RequestValidationError) -> Response:
    return _problem(request, 422, schema.explain(error.errors()))
