"""An article that somebody adds: checked, and written into a folder as files like any others."""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from itertools import count
from pathlib import Path

from rustqa.corpus import document_id, make_document
from rustqa.durable import NO_ROOM, make_folder, settle, writing
from rustqa.errors import AddingError, ArticleError, CorpusError, InputError, QuestionError
from rustqa.limits import read_day

MAX_TITLE = 300
MAX_SOURCE = 200
MAX_URL = 2000

# A name this long leaves room for a number and a suffix.
_LONGEST_NAME = 80
_WEB = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Draft:
    """What is said of an article that is to be added; "" where nothing is said."""

    title: str
    text: str
    url: str = ""
    date: str = ""
    source: str = ""


def checked(draft: Draft) -> Draft:
    """The draft without white space around its parts, line ends as they are here; raises
    ArticleError if it is no article."""
    parts = {field.name: getattr(draft, field.name) for field in fields(draft)}
    found = Draft(**{name: _stripped(name, value) for name, value in parts.items()})
    if not found.title:
        raise ArticleError("the article has no title; give it one")
    for name, most in (("title", MAX_TITLE), ("source", MAX_SOURCE), ("url", MAX_URL)):
        length = len(getattr(found, name))
        if length > most:
            raise ArticleError(f"the {name} has {length:,} characters; shorten it to {most:,}")
    if found.url and not found.url.lower().startswith(_WEB):
        raise ArticleError("the url is no web address; begin it with https:// or leave it out")
    try:
        read_day(found.date or None, "the date")
        make_document("new", found.text)
    except QuestionError as error:
        raise ArticleError(str(error)) from None
    except CorpusError:
        raise ArticleError("the article has no text that can be asked; give it some") from None
    return found


def _stripped(name: str, value: str) -> str:
    text = "\n".join(value.splitlines()).strip()
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cs"} and not (name == "text" and char in "\n\t"):
            raise ArticleError(
                f"the {name} holds the control character U+{ord(char):04X}; remove it"
            )
    return text


class DraftFolder:
    """A folder into which articles are written, each as a text with its metadata."""

    def __init__(self, path: Path) -> None:
        """Makes the folder if it is not there; raises InputError if it cannot be written."""
        self.path = path
        try:
            make_folder(path)
            tempfile.TemporaryFile(dir=path).close()
        except OSError as error:
            raise InputError(
                f"{path}: articles cannot be added there ({error.strerror}); name another folder"
            ) from None

    def write(self, draft: Draft, is_taken: Callable[[str], bool]) -> Path:
        """Writes a checked draft, under a name made of its title that is neither taken nor in the
        folder; gives the text's file. Raises AddingError if it cannot."""
        try:
            return self._write(draft, is_taken)
        except OSError as error:
            mend = " to make room" if error.errno in NO_ROOM else ""
            raise AddingError(
                f"the article could not be written ({error.strerror}); "
                f"tell who runs this server{mend}"
            ) from error

    def remove(self, file: Path) -> None:
        """Takes back what `write` wrote."""
        for path in (file, file.with_suffix(".toml")):
            path.unlink(missing_ok=True)

    def _write(self, draft: Draft, is_taken: Callable[[str], bool]) -> Path:
        stem = document_id(draft.title)[:_LONGEST_NAME].rstrip("-")
        for number in count(1):
            name = stem if number == 1 else f"{stem}-{number}"
            if is_taken(name) or name in {file.stem.casefold() for file in self.path.iterdir()}:
                continue
            metadata = self.path / f"{name}.toml"
            try:
                # Whoever makes this file first has the name.
                metadata.open("x").close()
            except FileExistsError:
                continue
            try:
                self._put(metadata, _toml(draft))
                return self._put(self.path / f"{name}.txt", f"{draft.text}\n")
            except OSError:
                self.remove(metadata.with_suffix(".txt"))
                raise
        raise AssertionError("numbers do not end")

    def _put(self, file: Path, text: str) -> Path:
        """Writes a file whole or not at all; a name that begins with a dot is no article's."""
        handle, scratch = tempfile.mkstemp(prefix=".", dir=self.path)
        try:
            os.close(handle)
            with writing(Path(scratch)) as made:
                made.write(text.encode())
            os.chmod(scratch, 0o644)
            settle(Path(scratch))
            os.replace(scratch, file)
        except OSError:
            Path(scratch).unlink(missing_ok=True)
            raise
        settle(self.path)
        return file


def article_id(path: Path, sources: Sequence[Path]) -> str:
    """The id of the article in a file, by its path without the suffix and the folders indexed."""
    path = path.resolve()
    roots = [source.resolve() for source in sources]
    root = next((root for root in roots if path.is_relative_to(root)), path.parent)
    return document_id(path.relative_to(root).as_posix())


def _toml(draft: Draft) -> str:
    # A JSON string is a TOML string, as there are no control characters in it.
    said = {"title": draft.title, "url": draft.url, "date": draft.date, "source": draft.source}
    lines = (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in said.items())
    return "\n".join(line for line, value in zip(lines, said.values(), strict=True) if value) + "\n"
