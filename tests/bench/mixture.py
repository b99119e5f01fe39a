"""Requests as a server on the open net gets them, drawn by a seed: valid, invalid, huge and rude
ones, each with the status that is right for it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

_MIB = 2**20
_LONGEST, _TURNS, _MOST = 1000, 20, 100
_HEADERS = "Host: 127.0.0.1\r\n"
_ASKED_OF = "rust-case-dismissed"


class Request(NamedTuple):
    """What is sent, and what is right: a status, or None if the client leaves before any comes.

    `part` is valid, invalid, huge or rude.
    """

    kind: str
    part: str
    data: bytes
    status: int | None


class _Kind(NamedTuple):
    part: str
    share: int
    make: Callable[[], bytes]
    status: int | None


class Mixture:
    """Draws requests: of a hundred 70 are valid, 15 invalid, 10 huge, and from 5 the client leaves.

    The same seed gives the same requests.
    """

    def __init__(self, questions: Sequence[str], seed: int, article: str = _ASKED_OF) -> None:
        """The questions are asked as they are and in variants; `article` is the id of one."""
        self._questions = questions
        self._article = article
        self._chance = random.Random(seed)
        self._kinds: Mapping[str, _Kind] = {
            "ask": _Kind("valid", 30, self._ask, 200),
            "follow-up": _Kind("valid", 10, self._follow_up, 200),
            "search": _Kind("valid", 10, self._search, 200),
            "page with an answer": _Kind("valid", 8, self._page, 200),
            "list of articles": _Kind("valid", 5, lambda: get("/articles"), 200),
            "article": _Kind("valid", 5, lambda: get(f"/articles/{self._article}"), 200),
            "batch of 5": _Kind("valid", 2, lambda: self._batch(5), 200),
            "no JSON": _Kind("invalid", 3, lambda: post("/ask", b'{"question": '), 422),
            "unknown field": _Kind("invalid", 2, lambda: self._ask(colour="red"), 422),
            "empty question": _Kind("invalid", 2, lambda: _asking(" \n"), 422),
            "too long a question": _Kind("invalid", 2, lambda: _asking("why " * 300), 422),
            "no such article": _Kind("invalid", 2, self._unknown, 404),
            "wrong method": _Kind("invalid", 2, lambda: get("/ask"), 405),
            "no date": _Kind("invalid", 2, lambda: self._ask(since="tomorrow"), 422),
            "body of 2 MiB": _Kind("huge", 4, lambda: self._padded(2 * _MIB), 413),
            "body of 1 MiB": _Kind("huge", 3, lambda: self._padded(_MIB), 200),
            "longest history": _Kind("huge", 2, self._longest, 200),
            "batch of 100": _Kind("huge", 1, lambda: self._batch(_MOST), 200),
            "leaves once it has asked": _Kind("rude", 3, self._ask, None),
            "leaves within its body": _Kind("rude", 2, lambda: self._ask()[:-20], None),
        }
        self._names = list(self._kinds)
        self._shares = [kind.share for kind in self._kinds.values()]

    def draw(self) -> Request:
        """The next request."""
        name = self._chance.choices(self._names, self._shares)[0]
        kind = self._kinds[name]
        return Request(name, kind.part, kind.make(), kind.status)

    def question(self) -> str:
        """One of the questions, or one a little otherwise written."""
        text = self._chance.choice(self._questions)
        place = self._chance.randrange(1, len(text) - 2)
        return self._chance.choice(
            (
                text,
                text.lower(),
                text.rstrip("?"),
                f"Please tell me: {text}",
                # Two letters in the wrong order, as people type.
                text[:place] + text[place + 1] + text[place] + text[place + 2 :],
            )
        )

    def _ask(self, **more: Any) -> bytes:
        return _asking(self.question(), **more)

    def _follow_up(self) -> bytes:
        asked = {"question": self.question(), "answer": None}
        return _asking("And when was that?", history=[asked])

    def _search(self) -> bytes:
        return post("/search", {"query": self.question(), "top_k": self._chance.randint(1, 20)})

    def _page(self) -> bytes:
        return get(f"/?q={quote(self.question())}", "Accept: text/html\r\n")

    def _batch(self, count: int) -> bytes:
        questions = [{"question": self.question()} for _ in range(count)]
        return post("/ask/batch", {"questions": questions})

    def _unknown(self) -> bytes:
        name = f"none-{self._chance.randrange(1000)}"
        return self._chance.choice((get(f"/articles/{name}"), self._ask(documents=[name])))

    def _padded(self, size: int) -> bytes:
        """A question in a body of so many bytes."""
        return post("/ask", json.dumps({"question": self.question()}).encode().ljust(size))

    def _longest(self) -> bytes:
        """As many turns as there may be, each as long as it may be."""
        text = f"{self.question()} ".ljust(_LONGEST, "x")
        return _asking(self.question(), history=[{"question": text, "answer": text}] * _TURNS)


def post(path: str, body: bytes | Mapping[str, Any]) -> bytes:
    """A request that sends JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\n{_HEADERS}Content-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def get(path: str, headers: str = "") -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\n{_HEADERS}{headers}\r\n".encode()


def _asking(question: str, **more: Any) -> bytes:
    return post("/ask", {"question": question, **more})
