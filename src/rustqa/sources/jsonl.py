"""Reads .jsonl files: an article on each line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, BinaryIO

from rustqa.corpus import document_id, make_document
from rustqa.errors import CorpusError
from rustqa.sources.contents import MAX_BYTES, check_text, decode, reason_of, steady
from rustqa.sources.files import Problem, SourceFile, stem
from rustqa.sources.metadata import TEXT_FIELDS, check_field, merge
from rustqa.types import Document

MAX_FILE_BYTES = 2_000_000_000
# So many bad lines of a file are named, the others counted; a file that begins with so many more
# is not of articles.
_MAX_PROBLEMS = 100
_HOPELESS = 1000

# What other programs call these fields; such a field counts where it is a text.
_ALIASES = {
    "text": ("body", "content", "article"),
    "title": ("headline",),
    "url": ("link",),
    "date": ("published", "publish_date", "date_published"),
    "source": ("publisher",),
    "licence": (),
}


def read_jsonl(file: SourceFile, metadata: Mapping[str, Any]) -> Iterator[Document | Problem]:
    """The article of each line, or what is wrong with the line. What the metadata file gives
    counts for the lines that do not say it themselves."""
    name = stem(file.name)
    bad = good = 0
    try:
        with steady(file.path, MAX_FILE_BYTES, "split it") as (opened, size):
            for number, line in enumerate(_lines(opened, size), start=1):
                try:
                    if len(line) > MAX_BYTES:
                        raise CorpusError(f"longer than {MAX_BYTES:,} bytes; split the article")
                    if line.strip():
                        yield _article(line, name, metadata)
                        good += 1
                except CorpusError as error:
                    bad += 1
                    if bad <= _MAX_PROBLEMS:
                        yield Problem(f"{file.name}:{number}", str(error))
                    if bad == _HOPELESS and not good:
                        raise CorpusError(
                            f"none of its first {_HOPELESS:,} lines is an article; correct them"
                        ) from None
    except CorpusError as error:
        yield Problem(file.name, str(error))
        return
    if bad > _MAX_PROBLEMS:
        yield Problem(file.name, f"{bad - _MAX_PROBLEMS:,} more lines like these; correct them")


def _lines(opened: BinaryIO, size: int) -> Iterator[bytes]:
    """The lines in the first `size` bytes, each cut off behind what is too long for one."""
    while opened.tell() < size:
        line = rest = opened.readline(MAX_BYTES + 1)
        while rest and not rest.endswith(b"\n"):
            rest = opened.readline(MAX_BYTES)
        yield line


def _article(line: bytes, name: str, metadata: Mapping[str, Any]) -> Document:
    try:
        record = json.loads(decode(line))
    except RecursionError:
        raise CorpusError("nested too deeply; give an object of texts") from None
    except ValueError as error:
        raise CorpusError(f"not JSON ({reason_of(error)}); write one object on a line") from None
    if not isinstance(record, dict):
        raise CorpusError('not an object; write {"text": "…"}')
    given = record.get("id")
    if not isinstance(given, str | int | float | None) or isinstance(given, bool):
        raise CorpusError("'id' must be text or a number")
    found = {field: _field(record, field) for field in TEXT_FIELDS}
    questions = record.get("questions") or []
    check_field("questions", questions)
    text = _text(record)
    whole = "".join((text, *filter(None, found.values()), *questions))
    check_text(whole)
    try:
        whole.encode()
    except UnicodeEncodeError:
        raise CorpusError("holds half a character (a lone surrogate); write the whole") from None
    fields = merge(metadata, {**found, "questions": questions})
    if given in (None, ""):
        # By its text, so that it keeps its id when lines come and go before it.
        given = f"{name}-{blake2b(text.encode(), digest_size=4).hexdigest()}"
    return make_document(document_id(str(given)), text, None, fields)


def _text(record: Mapping[str, Any]) -> str:
    text = _field(record, "text")
    if text is not None:
        return text
    paragraphs = record.get("paragraphs")
    if paragraphs is None:
        raise CorpusError("holds no 'text' and no 'paragraphs'; give one of them")
    if not isinstance(paragraphs, list) or not all(isinstance(item, str) for item in paragraphs):
        raise CorpusError("'paragraphs' must be a list of texts")
    return "\n\n".join(paragraphs)


def _field(record: Mapping[str, Any], field: str) -> str | None:
    value = record.get(field)
    if value is not None:
        check_field(field, value)
        return str(value)
    texts = (record.get(alias) for alias in _ALIASES[field])
    return next((text for text in texts if isinstance(text, str)), None)
