"""Splits a Document's paragraphs into Passages of whole sentences with exact offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentencex import segment

from rustqa.types import Block, Document, Passage, Span

# The encoder reads 256 tokens; English news runs to about 1.3 tokens a word.
MAX_WORDS = 180
# No sentence is as long, but a text without full stops or spaces may be: it is cut, so that no
# passage outgrows what the networks can bear, and no piece what sentencex splits at once.
MAX_CHARACTERS = 10_000
# The major version that is installed: asking for it at every start would take longer than to split.
_SENTENCEX = 1


# sentencex panics on some white space outside ASCII; of its pieces only the lengths are used.
_OTHER_SPACE = re.compile(r"[^\S \n]")
# Where a long paragraph may be cut, seen from behind.
_SENTENCE_END = re.compile(r"\s[\"'”’»)\]]*[.!?…]")
_SPACE = re.compile(r"\s")


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
    for part in _parts(text[block.start : block.end]):
        for piece in segment("en", _OTHER_SPACE.sub(" ", part)):
            inner = start + len(piece) - len(piece.lstrip())
            end = start + len(piece.rstrip())
            if inner < end:
                spans.append(Span(inner, end))
            start += len(piece)
    return spans


def _parts(paragraph: str) -> Iterator[str]:
    """The paragraph in parts of at most MAX_CHARACTERS, cut behind a sentence if one ends in the
    second half of a part, else behind white space, else anywhere."""
    while len(paragraph) > MAX_CHARACTERS:
        half = MAX_CHARACTERS // 2
        cut = MAX_CHARACTERS
        for end in (_SENTENCE_END, _SPACE):
            if found := end.search(paragraph[half:MAX_CHARACTERS][::-1]):
                cut = MAX_CHARACTERS - found.start()
                break
        yield paragraph[:cut]
        paragraph = paragraph[cut:]
    yield paragraph


def _group(text: str, sentences: list[Span]) -> Iterator[list[Span]]:
    """Runs of sentences of at most MAX_WORDS words and MAX_CHARACTERS; a sentence of more words
    stands alone."""
    group: list[Span] = []
    words = 0
    for span in sentences:
        count = len(text[span.start : span.end].split())
        longer = group and span.end - group[0].start > MAX_CHARACTERS
        if group and (words + count > MAX_WORDS or longer):
            yield group
            group, words = [], 0
        group.append(span)
        words += count
    if group:
        yield group
