"""What the routes are given: the articles once they are loaded, the pages, and what is wanted."""

from __future__ import annotations

import logging
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema

from rustqa.errors import RustQAError, UnknownDocumentError
from rustqa.library import Library
from rustqa.middleware import observed
from rustqa.schema import DAY_OR_NONE, scope_of
from rustqa.shelf import Shelf
from rustqa.types import Answer, Document, Scope
from rustqa.web import Pages

log = logging.getLogger(__name__)


async def library_of(request: Request) -> Library:
    """The articles; raises NotReadyError or LoadingError if there are none to ask."""
    shelf: Shelf = request.app.state.shelf
    return shelf.library()


async def pages_of(request: Request) -> Pages:
    """What renders the pages."""
    pages: Pages = request.app.state.pages
    return pages


# An empty field of a form is one, too.
_Day = Annotated[str, WithJsonSchema(DAY_OR_NONE)]


async def scope_named(
    document: Annotated[
        list[str], Query(default_factory=list, description="an article chosen; may be given again")
    ],
    since: Annotated[
        _Day | None, Query(description="only from this day on, as 2024-07-12, 2024-07 or 2024")
    ] = None,
    until: Annotated[_Day | None, Query(description="only up to this day, month or year")] = None,
) -> Scope:
    """The articles that the address names; an empty field of a form sets no limit."""
    return scope_of(list(dict.fromkeys(document)) or None, since or None, until or None)


Loaded = Annotated[Library, Depends(library_of)]
Rendered = Annotated[Pages, Depends(pages_of)]
Named = Annotated[Scope, Depends(scope_named)]


def document_of(library: Library, id: str) -> Document:
    """The article with this id; raises UnknownDocumentError if there is none."""
    if id not in library.documents:
        raise UnknownDocumentError(f"no article has the id {id!r}; see their list")
    return library.documents[id]


def is_form(request: Request) -> bool:
    """Whether a form of a page sent the request."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return kind == "application/x-www-form-urlencoded"


def wants_html(request: Request) -> bool:
    """Whether the client takes HTML, as browsers do."""
    return "text/html" in request.headers.get("accept", "")


def told(error: RustQAError) -> str:
    """What a visitor reads of an error; what is not for them is logged."""
    if error.status == 500 or error.instead:
        log.error("%s: %s", type(error).__name__, error)
    return error.instead or str(error)


def record(request: Request, answer: Answer) -> None:
    """Counts an answer, and logs its question where that is wanted."""
    state = request.app.state
    observed.record(state.metrics, answer, state.policy.log_questions)
