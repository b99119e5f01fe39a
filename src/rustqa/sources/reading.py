"""Reads a file of any kind into its articles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from rustqa.errors import CorpusError
from rustqa.sources.dates import is_no_day
from rustqa.sources.files import KINDS, Problem, SourceFile, find_files
from rustqa.sources.html import read_html
from rustqa.sources.jsonl import read_jsonl
from rustqa.sources.metadata import read_metadata
from rustqa.sources.pdf import read_pdf
from rustqa.sources.text import read_text
from rustqa.types import Document

_Reader = Callable[[SourceFile, Mapping[str, Any]], Document]
# Each of these files holds one article; a .jsonl file holds many.
_READERS: dict[str, _Reader] = {
    ".txt": read_text,
    ".md": read_text,
    ".html": read_html,
    ".htm": read_html,
    ".pdf": read_pdf,
}


def read_file(file: SourceFile) -> Iterator[Document | Problem]:
    """The articles in a file, one after the other, and what could not be read of it. One with a
    date that no calendar has is left undated, and that is a problem, too."""
    for found in _read_file(file):
        if isinstance(found, Document) and found.date and is_no_day(found.date):
            yield Problem(
                file.name,
                f"the date {found.date!r} of {found.id!r} is no day and is left out; correct it",
            )
            found = replace(found, date=None)
        yield found


def _read_file(file: SourceFile) -> Iterator[Document | Problem]:
    try:
        metadata = read_metadata(file.metadata)
    except CorpusError as error:
        yield Problem(str(PurePosixPath(file.name).with_suffix(".toml")), str(error))
        return
    suffix = file.path.suffix.lower()
    if suffix == ".jsonl":
        yield from read_jsonl(file, metadata)
        return
    try:
        yield _READERS[suffix](file, metadata)
    except CorpusError as error:
        yield Problem(file.name, str(error))


def read_corpus(path: Path) -> list[Document]:
    """All articles in a folder or a file. Raises CorpusError, naming the file, for the first
    that cannot be read and where two have the same id."""
    root = path if path.is_dir() else path.parent
    files, problems = find_files(path)
    documents: dict[str, Document] = {}
    for file in files:
        for found in () if problems else read_file(file):
            if isinstance(found, Problem):
                problems.append(found)
                break
            if found.id in documents:
                reason = f"another article has the id {found.id!r}; rename one"
                problems.append(Problem(file.name, reason))
                break
            documents[found.id] = found
    if problems:
        raise CorpusError(f"{root / problems[0].name}: {problems[0].reason}")
    if not documents:
        raise CorpusError(f"{path}: no articles there; put {KINDS} files into it")
    return list(documents.values())
