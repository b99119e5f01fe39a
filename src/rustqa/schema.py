"""What the API takes and gives, beside the answer record: request models, with examples."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

from rustqa.drafts import MAX_SOURCE, MAX_TITLE, MAX_URL, Draft
from rustqa.limits import (
    MAX_DOCUMENTS,
    MAX_HISTORY,
    MAX_QUESTION,
    MAX_TOP_K,
    check_scope,
    read_day,
)
from rustqa.types import Answer, Citation, Document, Scope, Turn

MAX_BATCH = 100
# What the document of the API says of texts; they are checked in limits.py, which says what to
# change. A question holds no control but white space, and more than that.
_TEXT = r"[^\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]"
_SIGN = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
_SAID = f"^{_TEXT}*{_SIGN}{_TEXT}*$"
# On one line, with no white space around it.
_LINE = rf"^{_SIGN}(?:[^\x00-\x1f\x7f-\x9f\u2028\u2029]*{_SIGN})?$"
_YEAR = "(?!0000)[0-9]{4}"
_MONTHS = {"type": "string", "pattern": f"^{_YEAR}(?:-(?:0[1-9]|1[0-2]))?$"}
QUESTION = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_QUESTION,
    "pattern": _SAID,
}
DAY = {"anyOf": [{"type": "string", "format": "date"}, _MONTHS]}
"""A day, a month or a year as JSON schema has it; of a form's field also nothing."""
DAY_OR_NONE = {"anyOf": [*DAY["anyOf"], {"type": "string", "maxLength": 0}]}
_IDS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_DOCUMENTS}

_Question = Annotated[str, WithJsonSchema(QUESTION)]
_Day = Annotated[str, WithJsonSchema(DAY)]
_Ids = Annotated[list[str], WithJsonSchema(_IDS)]
# JSON knows one kind of number: 3.0 is 3.
_TopK = Annotated[
    int,
    BeforeValidator(lambda n: int(n) if isinstance(n, float) and n.is_integer() else n),
    Field(json_schema_extra={"minimum": 1, "maximum": MAX_TOP_K}),
]

# Writes an answer as JSON.
ANSWER = TypeAdapter(Answer)


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown(cls, data: Any) -> Any:
        """Says which fields there are, which pydantic's own message does not."""
        unknown = data.keys() - cls.model_fields.keys() if isinstance(data, dict) else ()
        if unknown:
            fields = ", ".join(cls.model_fields)
            raise ValueError(f"unknown field {min(unknown)!r}; the fields are {fields}")
        return data


class HistoryTurn(_Request):
    """An earlier question of the conversation and the answer it got (null: none)."""

    question: _Question
    answer: str | None = None


class _Asked(_Request):
    question: _Question = Field(description=f"at most {MAX_QUESTION:,} characters")
    history: list[HistoryTurn] = Field(
        [],
        description=f"the conversation so far, oldest first, as objects with a question and its "
        f"answer or null; at most {MAX_HISTORY}",
        json_schema_extra={"maxItems": MAX_HISTORY},
    )

    def turns(self) -> list[Turn]:
        """The history as the pipeline takes it."""
        return [Turn(turn.question, turn.answer) for turn in self.history]


class _Scoped(_Request):
    documents: _Ids | None = Field(
        None, description="ids of the articles to ask; null: all of them"
    )
    since: _Day | None = Field(
        None, description="only articles from this day on, as 2024-07-12, 2024-07 or 2024"
    )
    until: _Day | None = Field(None, description="only articles up to this day, month or year")

    def scope(self) -> Scope:
        """Which articles are asked; raises QuestionError if a date is none."""
        return scope_of(self.documents, self.since, self.until)


class AskRequest(_Scoped, _Asked):
    """A question, and what is known about how it is asked."""

    top_k: _TopK = Field(3, description=f"at most so many claims or passages, 1 to {MAX_TOP_K}")


class FeedbackRequest(_Scoped, _Asked):
    """What a person says of an answer, with what it takes to find that answer again."""

    answer: str | None = Field(description="the answer that was shown; null: silence")
    verdict: Literal["right", "wrong"]


class FeedbackResponse(BaseModel):
    """The line that was kept."""

    id: str


class BatchRequest(_Request):
    """Several questions, each asked as if alone."""

    questions: list[AskRequest] = Field(
        min_length=1, max_length=MAX_BATCH, description=f"1 to {MAX_BATCH} requests as for /ask"
    )


class SearchRequest(_Scoped):
    """Words to find passages by."""

    query: _Question = Field(description=f"at most {MAX_QUESTION:,} characters")
    top_k: _TopK = Field(10, description=f"at most so many passages, 1 to {MAX_TOP_K}")


class BatchResponse(BaseModel):
    """The answers, in the order of the questions."""

    answers: list[Answer]


class SearchResponse(BaseModel):
    """The passages found, the best first."""

    results: list[Citation]


class Problem(BaseModel):
    """What was wrong and what to do about it, in one line."""

    error: str


UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "No article has this id"}
}
"""What every route answers to which articles can be named."""
REFUSED: dict[int | str, dict[str, Any]] = {
    403: {"model": Problem, "description": "Sent for the page of another site"},
    409: {"model": Problem, "description": "Not as it was, or there already"},
    507: {"model": Problem, "description": "It cannot be kept"},
}
"""What every route answers that keeps something."""


class ArticleRequest(_Request):
    """An article to add."""

    title: str = Field(
        description=f"at most {MAX_TITLE} characters",
        json_schema_extra={"maxLength": MAX_TITLE, "pattern": _LINE},
    )
    text: str = Field(
        description="its text, with blank lines between paragraphs",
        json_schema_extra={"pattern": _SAID},
    )
    url: str = Field(
        "",
        description="the address where it stands",
        json_schema_extra={"maxLength": MAX_URL, "pattern": r"^(?:https?://[\x21-\x7e]*)?$"},
    )
    date: Annotated[str, WithJsonSchema(DAY_OR_NONE)] = Field(
        "", description="its day, as 2024-07-12, 2024-07 or 2024"
    )
    source: str = Field(
        "",
        description="who published it",
        json_schema_extra={"maxLength": MAX_SOURCE, "pattern": rf"^(?:{_LINE[1:-1]})?$"},
    )

    def draft(self) -> Draft:
        """The article as it is to be added."""
        return Draft(self.title, self.text, self.url, self.date, self.source)


class Health(BaseModel):
    """How the server is."""

    status: Literal["running", "ready"]


class ArticleSummary(BaseModel):
    """An article's metadata."""

    id: str
    title: str
    url: str | None
    date: str | None
    source: str | None
    licence: str | None
    sha256: str = Field(description="hex SHA-256 of the article's file")
    paragraphs: int = Field(description="how many there are, page furniture not counted")

    @classmethod
    def of(cls, document: Document, **more: Any) -> Self:
        """The summary of a document."""
        return cls(
            id=document.id,
            title=document.title,
            url=document.url,
            date=document.date,
            source=document.source,
            licence=document.licence,
            sha256=document.sha256,
            paragraphs=sum(block.paragraph is not None for block in document.blocks),
            **more,
        )


class BlockRecord(BaseModel):
    """Where a paragraph, or page furniture (`paragraph` null), lies in the text."""

    model_config = ConfigDict(from_attributes=True)

    start: int
    end: int
    paragraph: int | None


class Article(ArticleSummary):
    """An article whole: what every `start_char` and `end_char` counts in."""

    text: str
    blocks: list[BlockRecord]


def scope_of(documents: Collection[str] | None, since: str | None, until: str | None) -> Scope:
    """The articles chosen so; raises QuestionError if a date is none or none is named."""
    first, last = read_day(since, "since"), read_day(until, "until", last=True)
    if documents is not None:
        # As a list of ids is checked, which a set could not be.
        check_scope(documents, first, last, documents)
    return Scope(None if documents is None else frozenset(documents), first, last)


def explain(errors: Sequence[Any]) -> str:
    """The first of pydantic's errors as one line that says what to change."""
    # An unknown field is most often a known one misspelt, which is then missing too.
    error = next((item for item in errors if item["type"] == "value_error"), errors[0])
    place = [item for item in error["loc"] if item not in ("body", "query")]
    if error["type"] == "json_invalid":
        return f"the body is not JSON: {error['ctx']['error']} at character {place[0]}"
    name = "".join(f"[{item}]" if isinstance(item, int) else f".{item}" for item in place)
    name = name.removeprefix(".")
    if error["type"] == "value_error":
        return f"{error['ctx']['error']}" + (f" (in {name})" if name else "")
    if not name:
        return (
            "the body is not a JSON object; send one, "
            "with the header Content-Type: application/json"
        )
    if error["type"] == "missing":
        return f"the field {name!r} is missing; add it"
    message = error["msg"].removeprefix("Input ").removeprefix("List ")
    return f"the field {name!r} {message}"
