"""Turns articles and answers into HTML; highlights are cut here, in code points."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import pairwise
from json import dumps
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from rustqa import __version__
from rustqa.conversation import LONGEST_CHAIN
from rustqa.limits import MAX_QUESTION
from rustqa.pipeline import Pipeline
from rustqa.settings import data_root
from rustqa.types import Answer, Attribution, Block, Citation, Document, Span, Turn

_SUGGESTIONS = 12
_AT_START = 4
# Articles whose sentences and suggestions are kept in mind.
_ARTICLES_KEPT = 256

_SURENESS = (
    (0.9, "very sure"),
    (0.7, "fairly sure"),
    (0.5, "more likely than not"),
    (0.3, "not sure"),
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence to be shown, or the gap between two (`id` None).

    `runs` are its stretches of text, each with the kind of its mark: "" for none, "words" for an
    answer's exact words, "whole" for an answer that is all of its citation, "cue" for words that
    say whose words those are. `role` is "cited" for the best citation's sentences, "also" for
    those of the others.
    """

    id: str | None
    role: str
    runs: Sequence[tuple[str, str]]


class Library:
    """The articles of a pipeline, ready to be shown."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Looks at no article yet but the first."""
        self.pipeline = pipeline
        self.documents = pipeline.store.documents
        self.first = pipeline.first()
        self._sentences = lru_cache(_ARTICLES_KEPT)(self._find_sentences)
        self._suggestions = lru_cache(_ARTICLES_KEPT)(self._find_suggestions)

    def suggestions(self, document_id: str) -> list[str]:
        """Questions the article answers, found once."""
        return self._suggestions(document_id)

    def blocks(
        self, document: Document, citations: Sequence[Citation] = (), equal: bool = False
    ) -> Iterator[tuple[Block, list[Piece]]]:
        """Each block of the article with its pieces, the citations highlighted; all like the
        best one if they are `equal`."""
        here = [item for item in citations if item.document_id == document.id]
        sentences = iter(self._sentences(document.id))
        sentence = next(sentences, None)
        for block in document.blocks:
            inside = []
            while sentence is not None and sentence.end <= block.end:
                inside.append(sentence)
                sentence = next(sentences, None)
            span = Span(block.start, block.end)
            yield block, list(_pieces(document.text, span, inside, here, equal))

    def quotation(self, citation: Citation, attribution: Attribution | None = None) -> list[Piece]:
        """The cited text in pieces, the answer's words marked, and those that attribute them."""
        span = Span(citation.start_char, citation.end_char)
        inside = [
            sentence
            for sentence in self._sentences(citation.document_id)
            if span.start <= sentence.start and sentence.end <= span.end
        ]
        text = self.documents[citation.document_id].text
        cue = None
        if attribution is not None:
            cue = Span(attribution.cue_start_char, attribution.cue_end_char)
        return list(_pieces(text, span, inside, [citation], cue=cue))

    def _find_sentences(self, document_id: str) -> list[Span]:
        passages = self.pipeline.store.passages_of(document_id)
        return [sentence for passage in passages for sentence in passage.sentences]

    def _find_suggestions(self, document_id: str) -> list[str]:
        return self.pipeline.suggestions(document_id, _SUGGESTIONS)


class Pages:
    """Renders the templates of web/templates; everything put into them is escaped."""

    def __init__(self, feedback: bool = False) -> None:
        """Opens the templates; with `feedback` a turn asks whether it is right."""
        self._templates = Environment(
            loader=FileSystemLoader(data_root() / "web" / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["feedback"] = feedback
        self._templates.filters["sureness"] = sureness
        self._templates.filters["record"] = _record
        self._templates.tests["web_address"] = is_web_address

    def chat(
        self,
        library: Library,
        document: Document,
        answer: Answer | None = None,
        history: Sequence[Turn] = (),
        question: str = "",
        message: str = "",
    ) -> str:
        """The chat page beside `document`; `message` says what is wrong with `question`."""
        return self._render(
            "chat.html",
            library=library,
            document=document,
            question=question,
            message=message,
            max_question=MAX_QUESTION,
            edition=f"{__version__} {library.pipeline.store.id}",
            suggestions=library.suggestions(document.id)[:_AT_START],
            **_shown(library, answer, history, document.id),
        )

    def turn(self, library: Library, answer: Answer, history: Sequence[Turn] = ()) -> str:
        """The fragment of HTML that shows one question, asked after `history`, and its answer."""
        cited = [*answer.citations, *answer.nearest]
        shown = cited[0].document_id if cited else library.first.id
        return self._render("turn.html", library=library, **_shown(library, answer, history, shown))

    def article(self, library: Library, document: Document) -> str:
        """The page of one article."""
        return self._render("article.html", library=library, document=document)

    def error(self, status: int, message: str, loading: bool = False) -> str:
        """The page that says what went wrong; while loading it tries again by itself."""
        return self._render("error.html", status=status, message=message, loading=loading)

    def docs(self, schema: Mapping[str, Any], base_url: str) -> str:
        """The page that explains the API, from its OpenAPI schema."""
        operations = list(_operations(schema, base_url))
        return self._render("docs.html", schema=schema, operations=operations)

    def _render(self, template: str, **values: Any) -> str:
        return self._templates.get_template(template).render(values)


def sureness(confidence: float) -> str:
    """A probability in words."""
    return next((words for least, words in _SURENESS if confidence >= least), "unlikely")


def permalink(answer: Answer, history: Sequence[Turn] = ()) -> str:
    """The address that asks the same again and shows the best cited sentence in its place."""
    again = asked_again(answer, history)
    if not answer.citations:
        return again
    best = answer.citations[0]
    return f"{again}&article={quote(best.document_id)}#{best.url.partition('#')[2]}"


def asked_again(answer: Answer, history: Sequence[Turn] = ()) -> str:
    """The address that asks the same again.

    It names the earlier questions of a follow-up, without which it asks something else.
    """
    query = [("q", answer.question)]
    if answer.question_used != answer.question.strip():
        query += [("after", turn.question) for turn in history[-LONGEST_CHAIN:]]
    return f"/?{urlencode(query, quote_via=quote)}"


def is_web_address(url: str | None) -> bool:
    """Whether a link to it can only lead to a web page."""
    return url is not None and url.lower().startswith(("http://", "https://"))


def _shown(
    library: Library, answer: Answer | None, history: Sequence[Turn], shown: str
) -> dict[str, Any]:
    """What turn.html needs; `shown` is the id of the article beside it."""
    if answer is None:
        return {"answer": None}
    asked = {answer.question.strip(), answer.question_used, *(turn.question for turn in history)}
    about = [item.document_id for item in (*answer.citations, *answer.nearest)]
    ready: Sequence[str] = answer.suggestions
    if not answer.message:
        ready = library.suggestions((*about, shown)[0]) or library.suggestions(library.first.id)
    return {
        "answer": answer,
        "history": [asdict(turn) for turn in history],
        "shown": shown,
        "again": asked_again(answer, history),
        "link": permalink(answer, history),
        "following": [question for question in ready if question not in asked],
    }


def _record(value: Any) -> str:
    """A value as JSON, for the script to read."""
    return dumps(asdict(value) if isinstance(value, Answer) else value, ensure_ascii=False)


def _pieces(
    text: str,
    span: Span,
    sentences: Sequence[Span],
    citations: Sequence[Citation],
    equal: bool = False,
    cue: Span | None = None,
) -> Iterator[Piece]:
    """The span's text without loss: its sentences and the gaps between them."""
    at = span.start
    for start, end in sentences:
        if at < start:
            yield Piece(None, "", [(text[at:start], "")])
        over = [item.start_char < end and start < item.end_char for item in citations]
        role = "" if not any(over) else "cited" if over[0] or equal else "also"
        yield Piece(f"s-{start}-{end}", role, _runs(text, Span(start, end), citations, cue))
        at = end
    if at < span.end:
        yield Piece(None, "", [(text[at : span.end], "")])


def _runs(
    text: str, span: Span, citations: Sequence[Citation], cue: Span | None
) -> list[tuple[str, str]]:
    wholes = {(item.start_char, item.end_char) for item in citations}
    marks = [(item.answer_start_char, item.answer_end_char) for item in citations]
    kinds = [(mark, "whole" if mark in wholes else "words") for mark in marks]
    if cue:
        kinds.append((cue, "cue"))
    cuts = {min(max(cut, span.start), span.end) for mark, _ in kinds for cut in mark} | {*span}
    runs = []
    for start, end in pairwise(sorted(cuts)):
        over = [kind for mark, kind in kinds if mark[0] <= start and end <= mark[1]]
        runs.append((text[start:end], (*over, "")[0]))
    return runs


def _operations(schema: Mapping[str, Any], base_url: str) -> Iterator[dict[str, Any]]:
    """What the docs page shows of each route."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            model = schema["components"]["schemas"].get(_type(body.get("schema", {})), {})
            requests = [item["value"] for item in body.get("examples", {}).values()]
            data = ["--json", dumps(requests[0], ensure_ascii=False)] if requests else []
            answers = operation["responses"]["200"]["content"]["application/json"]
            yield {
                "method": method.upper(),
                "path": path,
                "description": operation["description"],
                "fields": [
                    {
                        "name": name,
                        "type": _type(field),
                        "description": field.get("description", ""),
                        "default": dumps(field.get("default")),
                        "required": name in model["required"],
                    }
                    for name, field in model.get("properties", {}).items()
                ],
                "curl": shlex.join(["curl", base_url + path, *data]),
                "examples": [
                    (item["summary"], dumps(item["value"], indent=2, ensure_ascii=False))
                    for item in answers.get("examples", {}).values()
                ],
            }


def _type(field: Mapping[str, Any]) -> str:
    """A JSON schema's type in words."""
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(map(_type, field["anyOf"]))
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    return str(field.get("type", "any"))
