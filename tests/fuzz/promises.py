"""What is promised of every input, as assertions that the targets share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from rustqa.citations import broken_quotations
from rustqa.corpus import document_id
from rustqa.passages import split_document
from rustqa.sources.contents import MAX_CHARACTERS
from rustqa.sources.files import Problem
from rustqa.types import Document, Passage

# What a page or a terminal shows in one line holds none of these.
_LINE_BREAK = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LONGEST_LINE = 600
LONGEST_PASSAGE = 20_000


def check_line(text: str) -> None:
    """A message is one line that says something and can be shown."""
    assert text.strip(), "an empty message"
    assert not _LINE_BREAK.search(text), repr(text)
    assert len(text) <= _LONGEST_LINE, f"{len(text):,} characters: {text[:80]!r}"


def check_found(found: Iterable[Document | Problem]) -> list[Document]:
    """What a reader yields: articles that are whole, and problems in a line. Gives the articles."""
    documents = []
    for item in found:
        if isinstance(item, Problem):
            check_line(item.name)
            check_line(item.reason)
        else:
            check_document(item)
            documents.append(item)
    return documents


def check_document(document: Document) -> None:
    """Its text is bounded, its blocks hold all of it, and its sentences tile its paragraphs."""
    text = document.text
    assert len(text) <= MAX_CHARACTERS
    for value in (text, document.title, document.url, document.source, document.date):
        (value or "").encode()
    assert document.title.strip(), "no title"
    assert document.id == document_id(document.id), document.id
    ends = [0]
    for block in document.blocks:
        assert ends[-1] <= block.start < block.end <= len(text)
        assert not text[ends[-1] : block.start].strip(), "text outside the blocks"
        ends.append(block.end)
    assert not text[ends[-1] :].strip(), "text behind the blocks"
    numbers = [block.paragraph for block in document.blocks if block.paragraph is not None]
    assert numbers == list(range(1, len(numbers) + 1))
    _check_passages(document, split_document(document))


def _check_passages(document: Document, passages: list[Passage]) -> None:
    paragraphs = {block.paragraph: block for block in document.blocks}
    at = dict.fromkeys(paragraphs, -1)
    held = dict.fromkeys(paragraphs, 0)
    for passage in passages:
        block = paragraphs[passage.paragraph]
        assert passage.end - passage.start <= LONGEST_PASSAGE, "a passage without end"
        for start, end in passage.sentences:
            assert block.start <= start < end <= block.end
            assert start >= at[passage.paragraph], "sentences overlap"
            sentence = document.text[start:end]
            assert sentence == sentence.strip(), "white space around a sentence"
            at[passage.paragraph] = end
            held[passage.paragraph] += sum(not char.isspace() for char in sentence)
    for number, block in paragraphs.items():
        if number is not None:
            own = document.text[block.start : block.end]
            assert held[number] == sum(not char.isspace() for char in own), "text in no sentence"


def check_record(record: Mapping[str, Any], documents: Mapping[str, Document]) -> None:
    """Each quotation of an answer stands in its article."""
    assert list(broken_quotations(record, documents)) == []
    if record["status"] == "answered":
        assert record["answer"]
        assert record["citations"]
