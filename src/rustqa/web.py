"""Turns articles and answers into HTML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from json import dumps
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from rustqa.controls import CONTROL, name_of, without_controls
from rustqa.conversation import LONGEST_CHAIN
from rustqa.days import in_words
from rustqa.library import Library
from rustqa.limits import MAX_QUESTION
from rustqa.manual import operations
from rustqa.settings import data_root
from rustqa.types import EVERYTHING, Answer, Document, Listing, Scope, Turn

MAX_WORDS = 200
_AT_START = 4
# Articles listed beside the conversation.
_BESIDE = 10

_HOST = re.compile(r"[a-z\d](?:[a-z\d._-]*[a-z\d.])?|[\da-f.:]*:[\da-f.:]*", re.IGNORECASE)
# Its name is shown by the style sheet, so that what is copied or looked for is the text alone.
_MARKED = Markup('<span class="control" data-name="{}">{}</span>')

_SURENESS = (
    (0.9, "very sure"),
    (0.7, "fairly sure"),
    (0.5, "more likely than not"),
    (0.3, "not sure"),
)


class Pages:
    """Renders the templates of web/templates; everything put into them is escaped."""

    def __init__(self, feedback: bool = False, adding: bool = False) -> None:
        """Opens the templates; with `feedback` a turn asks whether it is right, with `adding` the
        pages have a form for new articles."""
        self._templates = Environment(
            loader=FileSystemLoader(data_root() / "web" / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            feedback=feedback, adding=adding, max_question=MAX_QUESTION, max_words=MAX_WORDS
        )
        self._templates.filters.update(
            sureness=sureness, record=_record, in_words=in_words, kept=_kept
        )
        self._templates.filters.update(seen=seen, named=without_controls, host=host_of)
        self._templates.tests["web_address"] = is_web_address

    def chat(
        self,
        library: Library,
        document: Document,
        answer: Answer | None = None,
        history: Sequence[Turn] = (),
        scope: Scope = EVERYTHING,
        question: str = "",
        message: str = "",
    ) -> str:
        """The chat page beside `document`, which asks the articles in `scope`; `message` says what
        is wrong with `question`."""
        days = replace(scope, documents=None)
        found = library.pipeline.store.list_documents(scope=days, count=_BESIDE)
        return self._render(
            "chat.html",
            library=library,
            document=document,
            question=question,
            message=message,
            scope=scope,
            suggestions=library.suggestions(document.id)[:_AT_START],
            **_listed(library, found, "", 0, _BESIDE, scope),
            **_shown(library, answer, history, scope, document.id),
        )

    def turn(
        self,
        library: Library,
        answer: Answer,
        history: Sequence[Turn] = (),
        scope: Scope = EVERYTHING,
    ) -> str:
        """The fragment of HTML that shows one question, asked after `history` of the articles in
        `scope`, and its answer."""
        cited = [*answer.citations, *answer.nearest]
        shown = cited[0].document_id if cited else library.first.id
        return self._render(
            "turn.html",
            library=library,
            scope=scope,
            **_shown(library, answer, history, scope, shown),
        )

    def article(self, library: Library, document: Document) -> str:
        """The page of one article."""
        return self._render("article.html", library=library, document=document)

    def articles(
        self,
        library: Library,
        found: Listing,
        words: str,
        start: int,
        count: int,
        scope: Scope,
        draft: Mapping[str, str] | None = None,
        message: str = "",
    ) -> str:
        """The page that lists the articles found by `words`, at most `count` from the
        `start`-th on, and those chosen; `message` says what is wrong with `draft`, which was to be
        added."""
        return self._render(
            "articles.html",
            library=library,
            document=None,
            scope=scope,
            draft=draft or {},
            message=message,
            **_listed(library, found, words, start, count, scope),
        )

    def error(self, status: int, message: str, again: str | None = None) -> str:
        """The page that says what went wrong; it tries again by itself after so many seconds."""
        return self._render("error.html", status=status, message=message, again=again)

    def docs(self, schema: Mapping[str, Any], base_url: str) -> str:
        """The page that explains the API, from its OpenAPI schema."""
        shown = list(operations(schema, base_url))
        return self._render("docs.html", schema=schema, operations=shown)

    def _render(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(values)


def sureness(confidence: float) -> str:
    """A probability in words."""
    return next((words for least, words in _SURENESS if confidence >= least), "unlikely")


def permalink(answer: Answer, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> str:
    """The address that asks the same again and shows the best cited sentence in its place."""
    again = asked_again(answer, history, scope)
    if not answer.citations:
        return again
    best = answer.citations[0]
    return f"{again}&article={quote(best.document_id)}#{best.url.partition('#')[2]}"


def asked_again(answer: Answer, history: Sequence[Turn] = (), scope: Scope = EVERYTHING) -> str:
    """The address that asks the same articles the same again.

    It names the earlier questions of a follow-up, without which it asks something else.
    """
    query = [("q", answer.question)]
    if answer.question_used != answer.question.strip():
        query += [("after", turn.question) for turn in history[-LONGEST_CHAIN:]]
    return f"/?{urlencode(query, quote_via=quote)}{_kept(scope)}"


def listing_address(words: str, start: int, count: int, scope: Scope) -> str:
    """The address of a part of the list of articles."""
    query = urlencode({"q": words, "start": start, "count": count}, quote_via=quote)
    return f"/articles?{query}{_kept(scope)}"


def is_web_address(url: str | None) -> bool:
    """Whether a link to it can only lead to a web page, of a host that can be shown."""
    return host_of(url) is not None


def host_of(url: str | None) -> str | None:
    """The host to which a link leads, in ASCII: letters of another script may look like those of
    a host that is well known. None if it is no web address."""
    # As browsers do, for which a backslash ends the host.
    plain = (url or "").replace("\\", "/")
    if not plain.lower().startswith(("http://", "https://")):
        return None
    try:
        host = (urlsplit(plain).hostname or "").encode("idna").decode()
    except ValueError:
        return None
    return host if _HOST.fullmatch(host) else None


def seen(text: str | None) -> Markup:
    """The text as HTML; what cannot be seen in it is marked, and keeps to itself."""
    if not text:
        return Markup()
    parts: list[Markup] = []
    at = 0
    for match in CONTROL.finditer(text):
        if match[1]:
            parts += (escape(text[at : match.start()]), _MARKED.format(name_of(match[1]), match[1]))
            at = match.end()
    return Markup().join([*parts, escape(text[at:])])


def _kept(scope: Scope) -> str:
    """What an address needs to ask the articles in scope, to be put behind its other parts."""
    query = [("document", name) for name in sorted(scope.documents or ())]
    days = {"since": scope.since, "until": scope.until}
    query += [(name, day.isoformat()) for name, day in days.items() if day]
    return f"&{urlencode(query, quote_via=quote)}" if query else ""


def _listed(
    library: Library, found: Listing, words: str, start: int, count: int, scope: Scope
) -> dict[str, Any]:
    """What listing.html needs; articles that are chosen but not found come before the others."""
    shown = {document.id for document in found.documents}
    chosen = sorted(scope.documents or ())
    after = start + count
    return {
        "found": found,
        "words": words,
        "start": start,
        "chosen": [library.documents[name] for name in chosen if name not in shown],
        "before": listing_address(words, max(start - count, 0), count, scope) if start else "",
        "behind": listing_address(words, after, count, scope) if after < found.total else "",
    }


def _shown(
    library: Library,
    answer: Answer | None,
    history: Sequence[Turn],
    scope: Scope,
    shown: str,
) -> dict[str, Any]:
    """What turn.html needs; `shown` is the id of the article beside it."""
    if answer is None:
        return {"answer": None}
    asked = {answer.question.strip(), answer.question_used, *(turn.question for turn in history)}
    about = [item.document_id for item in (*answer.citations, *answer.nearest)]
    ready: Sequence[str] = answer.suggestions
    if not answer.message:
        first = library.first_of(scope)
        ready = library.suggestions((*about, shown)[0]) or library.suggestions(first.id)
    return {
        "answer": answer,
        "history": [asdict(turn) for turn in history],
        "shown": shown,
        "again": asked_again(answer, history, scope),
        "link": permalink(answer, history, scope),
        "following": [question for question in ready if question not in asked],
    }


def _record(value: Any) -> str:
    """A value as JSON, for the script to read."""
    if isinstance(value, Scope):
        days = {"since": value.since, "until": value.until}
        chosen: dict[str, Any] = {name: str(day) for name, day in days.items() if day}
        if value.documents is not None:
            chosen["documents"] = sorted(value.documents)
        return dumps(chosen, ensure_ascii=False)
    return dumps(asdict(value) if isinstance(value, Answer) else value, ensure_ascii=False)
