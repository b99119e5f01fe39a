"""The routes of the articles: a list that is searched and paged, each by itself, and new ones."""

from __future__ import annotations

import json
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from rustqa import schema
from rustqa.errors import RustQAError
from rustqa.limits import check_scope
from rustqa.loaded import Loaded, Named, Rendered, document_of, is_form, told, wants_html
from rustqa.middleware.guard import refuse_foreign
from rustqa.types import EVERYTHING
from rustqa.upkeep import Keeper
from rustqa.web import MAX_WORDS, listing_address

MAX_COUNT = 500
_COUNT = 50

router = APIRouter(responses=schema.UNKNOWN)
adding_router = APIRouter(responses=schema.REFUSED)

_JSON = "application/json"


@router.get("/articles", response_model=list[schema.ArticleSummary])
def articles(
    request: Request,
    library: Loaded,
    pages: Rendered,
    scope: Named,
    q: Annotated[
        str, Query(max_length=MAX_WORDS, description="words of a title or source, all of them")
    ] = "",
    start: Annotated[int, Query(ge=0, le=10**9, description="how many to leave out")] = 0,
    count: Annotated[
        int, Query(ge=1, le=MAX_COUNT, description=f"at most so many, 1 to {MAX_COUNT}")
    ] = _COUNT,
) -> Any:
    """Lists articles, the newest first, then those without a date.

    The header X-Total-Count says how many there are, Link where the next and the previous ones
    are. With the header Accept: text/html the list comes as a page.
    """
    check_scope(scope.documents, scope.since, scope.until, library.documents)
    html = wants_html(request)
    # On the page those named are ticked, and all others can be.
    named = None if html else scope.documents
    found = library.pipeline.listing(q, start, count, named, scope.since, scope.until)
    if html:
        return HTMLResponse(pages.articles(library, found, q, start, count, scope))
    places = {"next": start + count if start + count < found.total else None}
    places["prev"] = max(start - count, 0) if start else None
    links = [
        f'<{listing_address(q, place, count, scope)}>; rel="{name}"'
        for name, place in places.items()
        if place is not None
    ]
    headers = {"X-Total-Count": str(found.total)} | ({"Link": ", ".join(links)} if links else {})
    listed = [schema.ArticleSummary.of(document).model_dump() for document in found.documents]
    return JSONResponse(listed, headers=headers)


@router.get("/articles/{id}", response_model=schema.Article)
def article(
    id: str, request: Request, library: Loaded, pages: Rendered
) -> schema.Article | Response:
    """Gives one article: its text, to which all offsets refer, and where its paragraphs lie.

    With the header Accept: text/html it comes as a page to read.
    """
    document = document_of(library, id)
    if wants_html(request):
        return HTMLResponse(pages.article(library, document))
    return schema.Article.of(document, text=document.text, blocks=list(document.blocks))


async def sent_article(request: Request) -> schema.ArticleRequest:
    """The article in the body, as JSON or as a form sends it; raises RequestValidationError."""
    body = await request.body()
    try:
        if is_form(request):
            pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
            return schema.ArticleRequest.model_validate(dict(pairs))
        if request.headers.get("content-type", "").partition(";")[0].strip() != _JSON:
            raise RequestValidationError([{"type": "no_object", "loc": ("body",), "msg": ""}])
        return schema.ArticleRequest.model_validate(json.loads(body))
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from None
    except (ValueError, RecursionError):
        # Answered as what FastAPI itself cannot read.
        raise HTTPException(400) from None


@adding_router.post(
    "/articles",
    status_code=201,
    response_model=schema.ArticleSummary,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {_JSON: {"schema": schema.ArticleRequest.model_json_schema()}},
        }
    },
)
async def add(request: Request, library: Loaded, pages: Rendered) -> Response:
    """Adds an article to the folder that the server was given for it, and indexes it.

    409 if it is there already, 403 for a browser that shows another site's page. A form is taken,
    too.
    """
    refuse_foreign(request.headers, "articles")
    sent = await sent_article(request)
    keeper: Keeper = request.app.state.keeper
    try:
        added = await run_in_threadpool(keeper.add, sent.draft())
    except RustQAError as error:
        if not is_form(request):
            raise
        found = library.pipeline.listing(count=_COUNT)
        message, draft = told(error), sent.model_dump()
        page = pages.articles(library, found, "", 0, _COUNT, EVERYTHING, draft, message)
        return HTMLResponse(page, error.status)
    address = f"/articles/{quote(added.id)}"
    if is_form(request):
        return RedirectResponse(f"/?article={quote(added.id)}", 303)
    record = schema.ArticleSummary.of(added).model_dump()
    return JSONResponse(record, 201, {"Location": address})
