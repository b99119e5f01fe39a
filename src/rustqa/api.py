"""The application: the pages, how the server is, and how every error is answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import chain
from threading import Event
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, FastAPI, Query, Request, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import Match, Mount

from rustqa import __version__, articles_api, asking_api, schema
from rustqa.errors import QuestionError, RustQAError
from rustqa.feedback import FeedbackFile
from rustqa.following import Follower, IndexOnDisk
from rustqa.limits import check_scope
from rustqa.loaded import (
    Loaded,
    Named,
    Rendered,
    document_of,
    is_form,
    library_of,
    record,
    told,
    wants_html,
)
from rustqa.metrics import Metrics
from rustqa.middleware.stack import surround
from rustqa.pipeline import Pipeline
from rustqa.policy import Policy
from rustqa.settings import data_root
from rustqa.shelf import Shelf
from rustqa.types import Turn
from rustqa.upkeep import Keeper, Upkeep
from rustqa.web import Pages

router = APIRouter()

_FAULTS = {
    413: "The body is too large",
    421: "The name is not the server's",
    422: "The request cannot be used as it is",
    429: "The client sends too many requests",
    503: "Not ready yet, unable to load, or too much is asked at once",
}


@router.get("/healthz")
async def healthz() -> schema.Health:
    """Says that the server runs, whether or not it can answer yet."""
    return schema.Health(status="running")


@router.get("/readyz", dependencies=[Depends(library_of)])
async def readyz() -> schema.Health:
    """Says that the server can answer; 503 while it cannot."""
    return schema.Health(status="ready")


@router.get("/", include_in_schema=False)
def chat(
    request: Request,
    library: Loaded,
    pages: Rendered,
    scope: Named,
    after: Annotated[list[str], Query(default_factory=list)],
    q: str | None = None,
    article: str | None = None,
) -> HTMLResponse:
    """The chat page, with the answer to `q` asked after other questions of the articles in scope,
    beside `article` or the article that answers."""
    check_scope(scope.documents, scope.since, scope.until, library.documents)
    document = library.first_of(scope) if article is None else document_of(library, article)
    if q is None:
        return HTMLResponse(pages.chat(library, document, scope=scope))
    history = [Turn(earlier) for earlier in after]
    try:
        answer = library.pipeline.ask(q, history, 3, scope.documents, scope.since, scope.until)
    except QuestionError as error:
        page = pages.chat(library, document, scope=scope, question=q, message=str(error))
        return HTMLResponse(page, error.status)
    record(request, answer)
    if article is None and answer.citations:
        document = library.documents[answer.citations[0].document_id]
    return HTMLResponse(pages.chat(library, document, answer, history, scope))


@router.get("/docs", include_in_schema=False)
def docs(request: Request, pages: Rendered) -> HTMLResponse:
    """The page that explains the API."""
    return HTMLResponse(pages.docs(request.app.openapi(), str(request.base_url).rstrip("/")))


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """What the server has done, for Prometheus."""
    counted: Metrics = request.app.state.metrics
    shelf: Shelf = request.app.state.shelf
    if library := shelf.held():
        counted.serving(library.pipeline.store)
    return Response(counted.text(), media_type=counted.content_type)


def create_app(
    open_pipeline: Callable[[], Pipeline],
    feedback_file: FeedbackFile | None = None,
    upkeep: Upkeep | None = None,
    policy: Policy | None = None,
    index: IndexOnDisk | None = None,
    wake: Event | None = None,
    loaded_first: bool = False,
) -> FastAPI:
    """The application; it listens at once and answers when `open_pipeline` has returned, or listens
    only then if it is to be `loaded_first`.

    Without a file for it no feedback is taken; without upkeep the articles stay as they are, unless
    an `index` is followed, which is looked at each second and once `wake` is set.
    """
    policy = policy or Policy()
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Static files and the like never wait for questions to be answered.
        to_thread.current_default_thread_limiter().total_tokens += policy.at_once
        # Before it is opened for the first time, so that no change is missed.
        seen = index.stamp() if index else None
        app.state.shelf = shelf = Shelf(open_pipeline)
        app.state.keeper = keeper = Keeper(upkeep, shelf) if upkeep else None
        follower = (
            Follower(index, shelf, metrics.reloaded, wake or Event(), seen) if index else None
        )
        if loaded_first:
            await to_thread.run_sync(shelf.settled.wait)
        yield
        if keeper:
            keeper.close()
        if follower:
            follower.close()

    app = FastAPI(
        title="rustqa",
        version=__version__,
        description="Answers questions about articles with words cut verbatim from them.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={
            status: {"model": schema.Problem, "description": meaning}
            for status, meaning in _FAULTS.items()
        },
    )
    adding = upkeep is not None and upkeep.add_to is not None
    app.state.metrics, app.state.policy = metrics, policy
    app.state.pages = Pages(feedback=feedback_file is not None, adding=adding)
    routers = [asking_api.router, articles_api.router, router]
    if feedback_file is not None:
        app.state.feedback = feedback_file
        routers.append(asking_api.feedback_router)
    if adding:
        routers.append(articles_api.adding_router)
    # What looks after the server needs no key.
    key = [Security(HTTPBearer(auto_error=False))] if policy.keys else []
    for part in routers:
        app.include_router(part, dependencies=[] if part is router else key)
    app.mount("/static", StaticFiles(directory=data_root() / "web" / "static"))
    routes = chain(app.routes, *(part.routes for part in routers))
    surround(app, routes, policy, metrics, _problem)
    app.exception_handler(RustQAError)(_on_known_error)
    app.exception_handler(StarletteHTTPException)(_on_http_error)
    app.exception_handler(RequestValidationError)(_on_bad_request)
    return app


def _problem(
    request: Request, status: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """The response that says what went wrong: a page for a browser that opens one, else JSON."""
    if wants_html(request) and (request.method == "GET" or is_form(request)):
        pages: Pages = request.app.state.pages
        again = request.method == "GET" and status in (429, 503)
        page = pages.error(status, message, (headers or {}).get("Retry-After") if again else None)
        return HTMLResponse(page, status, headers)
    return JSONResponse({"error": message}, status, headers)


def _on_known_error(request: Request, error: RustQAError) -> Response:
    return _problem(request, error.status, told(error), error.headers)


def _on_http_error(request: Request, error: StarletteHTTPException) -> Response:
    message, headers = error.detail, error.headers
    if error.status_code == 400:
        return _problem(
            request, 422, "the body cannot be read as JSON; send one UTF-8 object, as /docs shows"
        )
    if message == HTTPStatus(error.status_code).phrase:
        # Starlette's own: it names the status but not what to do.
        fault = "there is nothing" if error.status_code == 404 else "the method is not possible"
        message = f"{fault} at {request.scope['path']!r}; see /docs"
    if error.status_code == 405:
        headers = {"Allow": ", ".join(_allowed(request))}
    return _problem(request, error.status_code, message, headers)


def _allowed(request: Request) -> Iterator[str]:
    """The methods that are possible at an address; Starlette names those of one route only."""
    # Below a mount the scope is that of what is mounted.
    root = request.scope.get("app_root_path", request.scope["root_path"])
    for method in ("GET", "HEAD", "POST"):
        # HEAD is served as GET.
        asked = "GET" if method == "HEAD" else method
        scope = {**request.scope, "root_path": root, "method": asked}
        routes = (route for route in request.app.routes if route.matches(scope)[0] is Match.FULL)
        if any(method != "POST" or not isinstance(route, Mount) for route in routes):
            yield method


def _on_bad_request(request: Request, error: RequestValidationError) -> Response:
    return _problem(request, 422, schema.explain(error.errors()))
