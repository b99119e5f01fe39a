"""Splits a Document's paragraphs into Passages of whole sentences with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentencex import segment

from rustqa.types import Block, Document, Passage, Span

# The encoder reads 256 tokens; English news runs to about 1.3 tokens a word.
MAX_WORDS = 180
# The major version that is installed: asking for it at every start would take longer than to split.
_SENTENCEX = 1


# sentencex panics on some white space outside ASCII; of its pieces only the lengths are used.
_OTHER_SPACE = re.compile(r"[^\S \n]")


def splitter_name() -> str:
    """The splitter and its settings, as recorded in the index."""
    return f"sentencex {_SENTENCEX}, at most {MAX_WORDS} words a passage"


def split_document(document: Document) -> list[Passage]:
    """The document's passages in order; page furniture is left out."""
    return [
        Passage(document.id, block.paragraph, group[0].start, group[-1].end, tuple(group))
        for block in document.blocks
        if block.paragraph is not None
        for group in _group(document.text, split_sentences(document.text, block))
    ]


def split_sentences(text: str, block: Block) -> list[Span]:
    """The block's sentences, without the white space between them."""
    spans = []
    start = block.start
    for piece in segment("en", _OTHER_SPACE.sub(" ", text[block.start : block.end])):
        inner = start + len(piece) - len(piece.lstrip())
        end = start + len(piece.rstrip())
        if inner < end:
            spans.append(Span(inner, end))
        start += len(piece)
    return spans


def _group(text: str, sentences: list[Span]) -> Iterator[list[Span]]:
    """Runs of sentences of at most MAX_WORDS words; a longer sentence stands alone."""
    group: list[Span] = []
    words = 0
    for span in sentences:
        count = len(text[span.start : span.end].split())
        if group and words + count > MAX_WORDS:
            yield group
            group, words = [], 0
        group.append(span)
        words += count
    if group:
        yield group
