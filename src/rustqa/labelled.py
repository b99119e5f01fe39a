"""Reads labelled questions: sets on the indexed articles, sets with their own, and SQuAD's."""

from __future__ import annotations

import gzip
import json
import logging
import re
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rustqa.corpus import make_document
from rustqa.errors import CorpusError, InputError
from rustqa.types import Document, Turn

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Support:
    """A stretch of a document that a right citation must overlap, and its paragraph's number
    (None in page furniture)."""

    document_id: str
    start: int
    end: int
    paragraph: int | None


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """A question with its right answers; none means that the article does not say.

    `document_id` is the article it is about, None if it is about those indexed; `id` is None
    where the file gives it none.
    """

    question: str
    kind: str
    history: tuple[Turn, ...]
    answers: tuple[str, ...]
    support: tuple[Support, ...]
    document_id: str | None = None
    id: str | None = None

    def supports(self, document_id: str, start: int, end: int) -> bool:
        """Whether this stretch of the document holds an answer or a part of one."""
        return any(
            support.document_id == document_id and support.start < end and start < support.end
            for support in self.support
        )

    def is_answered_in(self, document_id: str, paragraph: int) -> bool:
        """Whether an answer starts in this paragraph."""
        return any(
            support.document_id == document_id and support.paragraph == paragraph
            for support in self.support
        )


@dataclass(frozen=True, slots=True)
class LabelledSet:
    """Questions asked of one body of articles; no documents means those already indexed."""

    documents: tuple[Document, ...]
    questions: tuple[LabelledQuestion, ...]


def read_labelled(
    file: Path, indexed: Mapping[str, Document], by_paragraph: bool = False
) -> list[LabelledSet]:
    """The sets in a file, gzipped or not: lines of questions on the indexed articles, lines of
    articles with `qas`, or SQuAD, as one object or as a line for each question, as one set.

    With `by_paragraph`, each paragraph of SQuAD is an article of its own. Questions on the
    indexed articles whose answers are null are left out. Raises InputError if the file is none of
    these.
    """
    text = _text(file)
    try:
        sets = _sets(text, indexed, by_paragraph)
    # Each of these can come of a value that is missing or of another type than it should be.
    except (
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        CorpusError,
    ) as error:
        raise InputError(
            f"{file}: not in a known format ({error!r}); docs/evaluation.md describes them"
        ) from None
    if not any(labelled.questions for labelled in sets):
        raise InputError(f"{file}: holds no questions; name another file")
    return sets


def merged(sets: Sequence[LabelledSet]) -> LabelledSet:
    """All sets of a file as one: every question is asked of all articles."""
    return LabelledSet(
        tuple(document for labelled in sets for document in labelled.documents),
        tuple(question for labelled in sets for question in labelled.questions),
    )


def read_ids(file: Path) -> set[str]:
    """The ids in a file with one a line; raises InputError if it cannot be read."""
    return {line.strip() for line in _text(file).split("\n")} - {""}


def with_ids(sets: Sequence[LabelledSet], ids: Collection[str]) -> list[LabelledSet]:
    """The questions with these ids, among the articles they stood among."""
    kept = (
        replace(labelled, questions=tuple(one for one in labelled.questions if one.id in ids))
        for labelled in sets
    )
    return [labelled for labelled in kept if labelled.questions]


def _text(file: Path) -> str:
    try:
        with (gzip.open if file.suffix == ".gz" else open)(file, "rt", encoding="utf-8") as stream:
            return stream.read()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{file}: cannot be read as UTF-8 text ({error}); name another") from None


def _sets(text: str, indexed: Mapping[str, Document], by_paragraph: bool) -> list[LabelledSet]:
    if (squad := _squad_object(text)) is not None:
        return [_squad(_parted(squad) if by_paragraph else squad)]
    rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    if rows and "qas" in rows[0]:
        return [_article(row, number) for number, row in enumerate(rows, 1)]
    if rows and "context" in rows[0]:
        return [_squad(_gathered(rows))]
    # What somebody found wrong waits for a person to say what is right.
    known = [row for row in rows if row["answers"] is not None]
    if len(known) < len(rows):
        log.warning(
            "%d of %d questions have no label yet; left out", len(rows) - len(known), len(rows)
        )
    return [LabelledSet((), tuple(_on_indexed(row, indexed) for row in known))]


def _squad_object(text: str) -> dict[str, Any] | None:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return whole if isinstance(whole, dict) and "data" in whole else None


def _on_indexed(row: dict[str, Any], indexed: Mapping[str, Document]) -> LabelledQuestion:
    support = []
    for piece in row["support"]:
        for document in indexed.values():
            start = document.text.find(piece)
            if start >= 0:
                support.append(_support(document, start, piece))
                break
        else:
            raise ValueError(f"its support {piece[:40]!r} stands in no indexed article")
    return LabelledQuestion(
        row["question"],
        str(row["kind"]),
        tuple(Turn(turn["question"], turn.get("answer")) for turn in row.get("history") or ()),
        tuple(row["answers"]),
        tuple(support),
        id=_id(row),
    )


def _article(row: dict[str, Any], number: int) -> LabelledSet:
    text, starts = _joined(row["paragraphs"])
    document = make_document(f"article-{number}", text, metadata={"title": row["title"]})
    questions = []
    for qa in row["qas"]:
        support = []
        for answer in qa["answers"]:
            paragraph, wanted = row["paragraphs"][answer["p"]], answer["text"]
            places = [match.start() for match in re.finditer(re.escape(wanted), paragraph)]
            start = starts[answer["p"]] + places[min(answer.get("nth", 0), len(places) - 1)]
            support.append(_support(document, start, wanted))
        questions.append(
            LabelledQuestion(
                qa["q"],
                str(qa["kind"]),
                tuple(Turn(question) for question in qa.get("history") or ()),
                tuple(answer["text"] for answer in qa["answers"]),
                tuple(support),
                document.id,
                _id(qa),
            )
        )
    return LabelledSet((document,), tuple(questions))


def _gathered(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """SQuAD's object from a line for each question, each paragraph an article of its own."""
    by_context: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        answers = [{"text": a["text"], "answer_start": a["start"]} for a in row["answers"]]
        by_context.setdefault(row["context"], []).append({**row, "answers": answers})
    return {"data": [{"paragraphs": [{"context": c, "qas": qas}]} for c, qas in by_context.items()]}


def _parted(data: dict[str, Any]) -> dict[str, Any]:
    """SQuAD's object with each paragraph an article of its own."""
    return {
        "data": [
            {**article, "paragraphs": [paragraph]}
            for article in data["data"]
            for paragraph in article["paragraphs"]
        ]
    }


def _squad(data: dict[str, Any]) -> LabelledSet:
    documents: list[Document] = []
    questions: list[LabelledQuestion] = []
    for number, article in enumerate(data["data"], 1):
        contexts = [paragraph["context"] for paragraph in article["paragraphs"]]
        text, starts = _joined(contexts)
        name = f"article-{number}"
        title = article.get("title") or name
        document = make_document(name, text, metadata={"title": title})
        documents.append(document)
        for start, paragraph in zip(starts, article["paragraphs"], strict=True):
            questions.extend(_squad_questions(document, start, paragraph))
    return LabelledSet(tuple(documents), tuple(questions))


def _squad_questions(
    document: Document, origin: int, paragraph: dict[str, Any]
) -> Iterator[LabelledQuestion]:
    for qa in paragraph["qas"]:
        spans = [(origin + a["answer_start"], a["text"]) for a in qa["answers"]]
        yield LabelledQuestion(
            qa["question"],
            "factoid" if spans else "unanswerable",
            (),
            tuple(text for _, text in spans),
            tuple(_support(document, start, text) for start, text in spans),
            document.id,
            _id(qa),
        )


def _id(row: Mapping[str, Any]) -> str | None:
    return None if row.get("id") is None else str(row["id"])


def _support(document: Document, start: int, text: str) -> Support:
    block = next((b for b in document.blocks if b.start <= start < b.end), None)
    if block is None:
        raise ValueError(f"its answer {text[:40]!r} lies outside the article")
    return Support(document.id, start, start + len(text), block.paragraph)


def _joined(paragraphs: list[str]) -> tuple[str, list[int]]:
    """The paragraphs as one text, and where each starts."""
    starts, length = [], 0
    for paragraph in paragraphs:
        starts.append(length)
        length += len(paragraph) + 2
    return "\n\n".join(paragraphs), starts
