"""Reads articles from files into Documents, telling paragraphs from page furniture."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from rustqa.errors import CorpusError
from rustqa.furniture import is_bare_headline, is_furniture
from rustqa.types import Block, Document, Span

SUFFIXES = (".txt", ".md")
MAX_BYTES = 10_000_000

_TEXT_FIELDS = ("title", "url", "source", "date", "licence")


def article_files(path: Path) -> list[Path]:
    """The article files under a folder (or the one file named), in the order of their names.

    Raises CorpusError if there are none or the path cannot be read.
    """
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            raise CorpusError(f"{path}: not an article; give a {' or '.join(SUFFIXES)} file")
        return [path]
    if not path.is_dir():
        raise CorpusError(f"{path}: no such file or folder; name a folder of articles")
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        raise CorpusError(f"{path}: no articles there; put {' or '.join(SUFFIXES)} files into it")
    return found


def read_corpus(path: Path) -> list[Document]:
    """All articles under a folder, or the one in a file. Raises CorpusError, naming the file."""
    root = path if path.is_dir() else path.parent
    documents: dict[str, Document] = {}
    for file in article_files(path):
        document = read_document(file, root)
        if document.id in documents:
            raise CorpusError(f"{file}: another article has the id {document.id!r}; rename one")
        documents[document.id] = document
    return list(documents.values())


def read_document(file: Path, root: Path) -> Document:
    """One article; its id is its path below `root`, its metadata stands in a .toml beside it."""
    data = _read_bytes(file)
    try:
        # A byte order mark is a signature, not text: offsets start behind it.
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"{file}: not UTF-8 at byte {error.start}; save it as UTF-8 and index again"
        ) from None
    relative = file.relative_to(root).with_suffix("").as_posix()
    metadata = _metadata(file.with_suffix(".toml"))
    try:
        return make_document(document_id(relative), text, data, metadata)
    except CorpusError as error:
        raise CorpusError(f"{file}: {error}") from None


def make_document(
    id: str, text: str, data: bytes | None = None, metadata: dict[str, Any] | None = None
) -> Document:
    """A Document from its text; `data` are the bytes the text was decoded from."""
    data = text.encode() if data is None else data
    blocks = tuple(find_blocks(text))
    if not any(block.paragraph for block in blocks):
        raise CorpusError(f"article {id!r} holds no text; remove it or write it anew")
    fields = dict(metadata or {})
    fields["title"] = fields.get("title") or _title(text, blocks) or id
    fields["questions"] = tuple(fields.get("questions", ()))
    digest = hashlib.sha256(data).hexdigest()
    return Document(id=id, text=text, blocks=blocks, sha256=digest, bytes=len(data), **fields)


def document_id(name: str) -> str:
    """A name fit for a URL: letters, digits and hyphens of the given name."""
    return re.sub(r"[\W_]+", "-", name.casefold()).strip("-") or "article"


def find_blocks(text: str) -> Iterator[Block]:
    """The text's blocks in order; together they hold every character but white space."""
    spans = list(_block_spans(text))
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


def _block_spans(text: str) -> Iterator[Span]:
    lines = list(_lines(text))
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


def _lines(text: str) -> Iterable[Span]:
    """Each line without the white space around it; a blank line is an empty span."""
    start = 0
    for line in text.splitlines(keepends=True):
        inner = start + len(line) - len(line.lstrip())
        yield Span(inner, max(inner, start + len(line.rstrip())))
        start += len(line)


def _title(text: str, blocks: tuple[Block, ...]) -> str | None:
    first = blocks[0]
    if first.paragraph is None:
        return text[first.start : first.end].lstrip("# ").strip() or None
    return None


def _read_bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CorpusError(f"{file}: larger than {MAX_BYTES:,} bytes; split it into articles")
        return file.read_bytes()
    except OSError as error:
        raise CorpusError(f"{file}: {error.strerror}; make it readable and index again") from None


def _metadata(file: Path) -> dict[str, Any]:
    """The fields of a metadata file: strings, and `questions`, a list of strings."""
    if not file.is_file():
        return {}
    try:
        fields = tomllib.loads(_read_bytes(file).decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file}: not valid TOML ({error}); correct it") from None
    if isinstance(fields.get("date"), date):
        fields["date"] = fields["date"].isoformat()
    for name, value in fields.items():
        if name in _TEXT_FIELDS:
            good, wanted = isinstance(value, str), "text in quotation marks"
        elif name == "questions":
            texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
            good, wanted = texts, "a list of texts"
        else:
            good, wanted = False, f"one of {', '.join((*_TEXT_FIELDS, 'questions'))}"
        if not good:
            raise CorpusError(f"{file}: {name!r} must be {wanted}")
    return fields
