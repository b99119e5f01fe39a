"""Targets of the corpus: each takes the bytes of a file as a stranger may have written it."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from fuzz.promises import check_document, check_found, check_line
from rustqa.corpus import document_id, make_document
from rustqa.days import in_words
from rustqa.errors import RustQAError
from rustqa.limits import read_day
from rustqa.sources.dates import iso_date
from rustqa.sources.files import find_files
from rustqa.sources.reading import read_corpus, read_file
from rustqa.types import Document


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="rustqa-fuzz-"))


def _read(**files: bytes) -> list[Document]:
    """All articles in a folder of these files, by suffix; each file is called a."""
    for old in _folder().iterdir():
        old.unlink()
    for suffix, data in files.items():
        name = ".rustqaignore" if suffix == "ignore" else f"a.{suffix}"
        (_folder() / name).write_bytes(data)
    found, problems = find_files(_folder())
    documents = check_found([*problems, *(item for file in found for item in read_file(file))])
    try:
        assert {document.id for document in read_corpus(_folder())} <= {d.id for d in documents}
    except RustQAError as error:
        check_line(str(error))
    return documents


def text(data: bytes) -> None:
    """A .txt file."""
    _read(txt=data)


def markdown(data: bytes) -> None:
    """A .md file, with or without front matter."""
    _read(md=data)


def html(data: bytes) -> None:
    """A saved page."""
    _read(html=data)


def pdf(data: bytes) -> None:
    """A PDF."""
    _read(pdf=data)


def jsonl(data: bytes) -> None:
    """A file with an article on each line."""
    _read(jsonl=data)


def metadata(data: bytes) -> None:
    """The .toml file beside an article."""
    for document in _read(toml=data, txt=b"It rained on Monday."):
        in_words(document.date)
        assert document.day is None or document.day.year


def ignoring(data: bytes) -> None:
    """The rules that leave files out."""
    _read(ignore=data, txt=b"It rained on Monday.")


def naming(data: bytes) -> None:
    """A name, of which an id is made, and a day."""
    name = data.decode(errors="replace")
    made = document_id(name)
    assert made == document_id(made)
    assert 0 < len(made) <= 200
    assert not set(made) & set("/\\.%\x00 ")
    in_words(name)
    day = iso_date(name)
    assert day is None or in_words(day) != day
    try:
        read_day(name, "the date")
    except RustQAError as error:
        check_line(str(error))


def made(data: bytes) -> None:
    """Any text as an article, its front matter of any length."""
    content = data.decode(errors="replace")
    try:
        check_document(make_document("any", content, body=len(content) // 3))
    except RustQAError as error:
        check_line(str(error))
