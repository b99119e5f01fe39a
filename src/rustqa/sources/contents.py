"""Opens files so that nothing they are or do stops the reading of the others."""

from __future__ import annotations

import logging
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rustqa.errors import CorpusError

MAX_BYTES = 10_000_000
MAX_CHARACTERS = 10_000_000
TOO_MUCH_TEXT = f"holds more than {MAX_CHARACTERS:,} characters of text; split it into articles"

_LONGEST_REASON = 120
# How files begin that hold others packed; whatever their names end in, they are not unpacked.
_PACKED = {
    b"PK\x03\x04": "a ZIP archive, or a document of Word or another office program",
    b"\xd0\xcf\x11\xe0": "a document of an office program",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
}
_LONGEST_START = max(map(len, _PACKED))


def read_bytes(
    path: Path, limit: int | None = None, advice: str = "split it into articles"
) -> bytes:
    """All of a file of at most `limit` bytes (MAX_BYTES); raises CorpusError without its name."""
    limit = MAX_BYTES if limit is None else limit
    with steady(path, limit, advice) as (file, _):
        return file.read(limit + 1)


@contextmanager
def steady(path: Path, limit: int, advice: str) -> Iterator[tuple[BinaryIO, int]]:
    """A file opened to be read, and its size; raises CorpusError where it cannot be read, is too
    large, or changes meanwhile."""
    try:
        _check(os.stat(path), limit, advice)
        with open(path, "rb", opener=_open) as file:
            before = os.fstat(file.fileno())
            _check(before, limit, advice)
            _check_start(file)
            yield file, before.st_size
            after = os.fstat(file.fileno())
    except FileNotFoundError:
        raise CorpusError("gone since the folder was listed; index again") from None
    except OSError as error:
        raise CorpusError(f"{error.strerror}; make it readable and index again") from None
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise CorpusError("changed while it was read; index again")


def _check(state: os.stat_result, limit: int, advice: str) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise CorpusError("a pipe or a device, not a file; remove it")
    if state.st_size > limit:
        raise CorpusError(f"larger than {limit:,} bytes; {advice}")


def _check_start(file: BinaryIO) -> None:
    start = file.read(_LONGEST_START)
    file.seek(0)
    for packed, what in _PACKED.items():
        if start.startswith(packed):
            raise CorpusError(f"{what}, not an article; save the text in it as .txt")


def _open(path: str, flags: int) -> int:
    # Should a pipe have taken the file's place since, this does not wait for a writer.
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def decode(data: bytes) -> str:
    """UTF-8 as text. A byte order mark is a signature, not text: offsets start behind it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            f"not UTF-8 at byte {error.start}; save it as UTF-8 and index again"
        ) from None
    check_text(text)
    return text


def check_text(text: str) -> None:
    """Raises CorpusError for what no text holds, but other files and other encodings do."""
    if "\0" in text:
        raise CorpusError(
            f"holds a NUL at character {text.index(chr(0)):,}; save it as UTF-8 text without any "
            "and index again"
        )


@contextmanager
def contained(library: tuple[str, ...], what: str, mend: str) -> Iterator[None]:
    """Runs a library on what a stranger wrote: it logs and warns in vain, and whatever it raises
    becomes a CorpusError that says `what` happened and how to `mend` it."""
    loggers = [logging.getLogger(name) for name in library]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CorpusError:
        raise
    except Exception as error:
        reason = reason_of(error).rstrip(".")
        raise CorpusError(f"{what} ({reason}); {mend}") from None
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def reason_of(error: Exception) -> str:
    """What a library says went wrong, in a short line that can be shown."""
    shown = "".join(char if char.isprintable() else " " for char in str(error))
    reason = " ".join(shown.split()) or type(error).__name__
    return reason if len(reason) <= _LONGEST_REASON else f"{reason[:_LONGEST_REASON]}…"
