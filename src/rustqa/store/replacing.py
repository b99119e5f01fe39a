"""Keeps what people say of answers, as lines of labelled questions in a file of this machine."""

from __future__ import annotations

import errno
import json
import os
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Literal
from uuid import uuid4

from rustqa.durable import NO_ROOM, settle
from rustqa.errors import FeedbackError, InputError
from rustqa.types import Answer, Citation, Document, Turn

MAX_BYTES = 64 * 1024 * 1024

Verdict = Literal["right", "wrong"]


class FeedbackFile:
    """A file of labelled questions that only grows, a line at a time."""

    def __init__(self, path: Path, limit: int = MAX_BYTES) -> None:
        """Makes the file, readable by its owner alone, if it is not there; it never grows beyond
        `limit` bytes. Raises InputError if it cannot be written."""
        self._path = path
        self._limit = limit
        self._lock = Lock()
        try:
            make = not path.exists()
            os.close(self._open())
            if make:
                settle(path.absolute().parent)
        except OSError as error:
            raise InputError(
                f"{path}: feedback cannot be kept there ({error.strerror}); name another file"
            ) from None

    def keep(self, line: Mapping[str, Any]) -> None:
        """Appends the line whole or not at all; raises FeedbackError if it cannot."""
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode()
        try:
            with self._lock:
                self._append(data)
        except OSError as error:
            mend = " to make room" if error.errno in NO_ROOM else ""
            raise FeedbackError(
                f"the feedback could not be written ({error.strerror}); "
                f"tell who runs this server{mend}"
            ) from error

    def _append(self, data: bytes) -> None:
        file = self._open()
        try:
            size = os.fstat(file).st_size
            # Half a line, as a process that was killed leaves it, spoils no other.
            data = data if _is_whole(file, size) else b"\n" + data
            if size + len(data) > self._limit:
                raise FeedbackError(
                    f"the file for feedback has reached its {self._limit:,} bytes; "
                    "tell who runs this server to move it away"
                )
            try:
                if os.write(file, data) < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file)
            except OSError:
                os.ftruncate(file, size)
                raise
        finally:
            os.close(file)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        return os.open(self._path, flags, 0o600)


def _is_whole(file: int, size: int) -> bool:
    """Whether a file's last line has its end."""
    if not size:
        return True
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) == b"\n"


def labelled_line(
    answer: Answer,
    history: Sequence[Turn],
    verdict: Verdict,
    documents: Mapping[str, Document],
) -> dict[str, Any]:
    """The question as a line of a labelled file, as `rustqa eval` reads it.

    If the answer is right, its words and sentences are the labels; a right silence has none. If
    it is wrong, or no piece of the articles names its sentence alone, `answers` and `support` are
    None, for a person to fill in, and `shown` holds what was shown.
    """
    claims = answer.claims if answer.contested else answer.claims[:1]
    by_id = {citation.id: citation for citation in answer.citations}
    cited = [by_id[claim.citation] for claim in claims]
    words = [claim.text for claim in claims]
    pieces = [unique_piece(citation, documents) for citation in cited]
    known = verdict == "right" and None not in pieces
    line: dict[str, Any] = {
        "id": f"feedback-{uuid4().hex[:12]}",
        "kind": "feedback",
        "question": answer.question,
        "answers": words if known else None,
        "support": pieces if known else None,
        "history": [{"question": turn.question, "answer": turn.answer} for turn in history],
        "verdict": verdict,
    }
    if not known:
        sentences = [citation.cited_text for citation in cited]
        line["shown"] = {"answers": words, "sentences": sentences}
    return line


def unique_piece(citation: Citation, documents: Mapping[str, Document]) -> str | None:
    """The cited text, with as much of what follows as tells it from the same words elsewhere.

    None if nothing does: where the article ends, or stands twice among the documents.
    """
    text = documents[citation.document_id].text
    start = citation.start_char
    place = (citation.document_id, start)

    def is_unique(end: int) -> bool:
        return _first_place(text[start:end], documents) == place

    ends = range(citation.end_char, len(text) + 1)
    found = bisect_left(ends, True, key=is_unique)
    return text[start : ends[found]] if found < len(ends) else None


def _first_place(piece: str, documents: Mapping[str, Document]) -> tuple[str, int]:
    """Where it is found by who reads labelled files: in the first article that holds it."""
    return next(
        (name, document.text.find(piece))
        for name, document in documents.items()
        if piece in document.text
    )
