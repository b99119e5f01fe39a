"""What is asked in the comparison with peers, where the answers are looked for, and what is right.

A stretch of an article is known by "article:start:end", so that a paragraph or a sentence that a
peer finds and a citation of rustqa are judged by the same rule.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean

from rustqa.labelled import LabelledQuestion, LabelledSet, merged, read_ids, read_labelled, with_ids
from rustqa.passages import split_sentences
from rustqa.types import Block, Document, Span


def read_questions(file: Path, ids: Path) -> LabelledSet:
    """The questions of a SQuAD file whose ids are listed, among all of its articles."""
    return merged(with_ids(read_labelled(file, indexed={}), read_ids(ids)))


def paragraphs(documents: Iterable[Document]) -> Iterator[tuple[Document, Block]]:
    """All paragraphs, without page furniture."""
    for document in documents:
        for block in document.blocks:
            if block.paragraph is not None:
                yield document, block


def sentences(documents: Iterable[Document]) -> Iterator[tuple[Document, Span]]:
    """All sentences of the paragraphs, as rustqa splits them."""
    for document, block in paragraphs(documents):
        for span in split_sentences(document.text, block):
            yield document, span


def write_passages(file: Path, stretches: Iterable[tuple[Document, Block | Span]]) -> int:
    """Writes each stretch as a line with its id and text; returns how many there are."""
    lines = [
        json.dumps(
            {"id": f"{document.id}:{at.start}:{at.end}", "text": document.text[at.start : at.end]}
        )
        for document, at in stretches
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(lines)


def write_articles(folder: Path, documents: Iterable[Document]) -> None:
    """Writes each article as a text file that rustqa reads back as the same document."""
    folder.mkdir()
    for document in documents:
        (folder / f"{document.id}.txt").write_bytes(document.text.encode())


def sentence_hits(labelled: LabelledSet, found: Sequence[str]) -> float:
    """The share of questions for which the stretch found holds an answer or a part of one."""
    pairs = zip(labelled.questions, found, strict=True)
    return fmean(question.supports(*_parts(stretch)) for question, stretch in pairs)


def paragraph_hits(labelled: LabelledSet, found: Sequence[str]) -> float:
    """The share of questions for which the stretch found starts in a paragraph with an answer."""
    places = [(document.id, block) for document, block in paragraphs(labelled.documents)]

    def right(question: LabelledQuestion, stretch: str) -> bool:
        name, start, _ = _parts(stretch)
        return any(
            document == name
            and block.start <= start < block.end
            and block.paragraph is not None
            and question.is_answered_in(name, block.paragraph)
            for document, block in places
        )

    return fmean(map(right, labelled.questions, found))


def _parts(stretch: str) -> tuple[str, int, int]:
    name, start, end = stretch.rsplit(":", 2)
    return name, int(start), int(end)
