"""Makes Documents of texts, telling paragraphs from page furniture."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from rustqa.errors import CorpusError
from rustqa.furniture import is_bare_headline, is_furniture
from rustqa.types import Block, Document, Span

# A long novel has a quarter of it.
MAX_BLOCKS = 50_000

_LONGEST_ID = 200


def make_document(
    id: str,
    text: str,
    data: bytes | None = None,
    metadata: Mapping[str, Any] | None = None,
    body: int = 0,
) -> Document:
    """A Document from its text; `data` are the bytes the text was taken from, and what stands
    before `body` is page furniture. Raises CorpusError if it holds no text, or too many blocks."""
    data = text.encode() if data is None else data
    blocks = tuple(find_blocks(text, body))
    if not any(block.paragraph for block in blocks):
        raise CorpusError(f"article {id!r} holds no text; remove it or write it anew")
    fields = dict(metadata or {})
    fields["title"] = fields.get("title") or _title(text, blocks, body) or id
    fields["questions"] = tuple(fields.get("questions", ()))
    digest = hashlib.sha256(data).hexdigest()
    return Document(id=id, text=text, blocks=blocks, sha256=digest, bytes=len(data), **fields)


def document_id(name: str) -> str:
    """A name fit for a URL: letters, digits and hyphens of the given name, at most 200 of them."""
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    made = re.sub(r"[\W_]+", "-", folded).strip("-") or "article"
    if len(made) <= _LONGEST_ID:
        return made
    digest = hashlib.sha256(made.encode()).hexdigest()[:12]
    return f"{made[: _LONGEST_ID - len(digest) - 1].rstrip('-')}-{digest}"


def find_blocks(text: str, body: int = 0) -> Iterator[Block]:
    """The text's blocks in order; together they hold every character but white space. What stands
    before `body` is one block of page furniture. Raises CorpusError for more than MAX_BLOCKS."""
    if head := text[:body].strip():
        start = text.index(head)
        yield Block(start, start + len(head), None)
    spans = list(islice(_block_spans(text, body), MAX_BLOCKS + 1))
    if len(spans) > MAX_BLOCKS:
        raise CorpusError(f"more than {MAX_BLOCKS:,} paragraphs; split it into articles")
    certain = [is_furniture(text[start:end]) for start, end in spans]
    bare = [is_bare_headline(text[start:end]) for start, end in spans]
    # Where no block ends like a sentence, the text is written without full stops throughout.
    if all(is_bare or sure for is_bare, sure in zip(bare, certain, strict=True)):
        bare = [False] * len(spans)
    paragraph = 0
    for span, sure, is_bare in zip(spans, certain, bare, strict=True):
        if sure or is_bare:
            yield Block(*span, None)
        else:
            paragraph += 1
            yield Block(*span, paragraph)


def _block_spans(text: str, body: int) -> Iterator[Span]:
    lines = list(_lines(text, body))
    filled = [place for place, (start, end) in enumerate(lines) if start < end]
    # Blank lines before and behind the text part nothing.
    blank_lines = bool(filled) and filled[-1] - filled[0] >= len(filled)
    group: list[Span] = []
    for start, end in lines:
        if start < end:
            group.append(Span(start, end))
        # Without a blank line anywhere, each line is a paragraph of its own.
        if group and (start == end or not blank_lines):
            yield Span(group[0].start, group[-1].end)
            group = []
    if group:
        yield Span(group[0].start, group[-1].end)


def _lines(text: str, start: int) -> Iterable[Span]:
    """Each line from `start` on without the white space around it; a blank line is an empty
    span."""
    for line in text[start:].splitlines(keepends=True):
        inner = start + len(line) - len(line.lstrip())
        yield Span(inner, max(inner, start + len(line.rstrip())))
        start += len(line)


def _title(text: str, blocks: tuple[Block, ...], body: int) -> str | None:
    first = next(block for block in blocks if block.start >= body)
    if first.paragraph is None:
        return text[first.start : first.end].lstrip("# ").strip() or None
    return None
