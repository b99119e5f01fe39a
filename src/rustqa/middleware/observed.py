"""Sees every request from without: gives it an id, measures it, counts it and logs it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa.logs import QUESTIONS, request_id
from rustqa.metrics import OTHER, Metrics, method_of
from rustqa.types import Answer

log = logging.getLogger(__name__)

HEADER = "X-Request-ID"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# As nginx has it: the client left before it got anything.
LEFT = 499


class Observed:
    """ASGI middleware, the outermost; neither logs nor counts anything of an address but the
    template of its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics, routes: Iterable[BaseRoute]) -> None:
        """`routes` are those whose paths are told apart; all other paths count as one."""
        self._app = app
        self._metrics = metrics
        self._routes = [route for route in routes if isinstance(route, Route | Mount)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        # Before the router notes in the scope what it has found.
        route = self._template(scope)
        given = Headers(scope=scope).get(HEADER, "")
        number = given if _ID.fullmatch(given) else uuid4().hex
        status = 0

        async def receive_seen() -> Message:
            nonlocal status
            message = await receive()
            if message["type"] == "http.disconnect":
                status = status or LEFT
            return message

        async def send_seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = status or message["status"]
                MutableHeaders(scope=message)[HEADER] = number
            await send(message)

        token = request_id.set(number)
        try:
            await self._app(scope, receive_seen, send_seen)
        finally:
            # Without a response the server sends one that says so, or nobody is there any more.
            self._tell(scope, route, status or 500, perf_counter() - began)
            request_id.reset(token)

    def _tell(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        self._metrics.requested(route, scope["method"], status, seconds)
        seen = {
            "method": method_of(scope["method"]),
            "route": route,
            "status": status,
            "ms": round(1000 * seconds, 2),
            "client": (scope.get("client") or (None,))[0],
        }
        log.info("request", extra=seen)

    def _template(self, scope: Scope) -> str:
        """The path as it is written in the code: "/articles/{id}"."""
        # Not what the router noted in the scope: a request that is refused never comes to it.
        for route in self._routes:
            if route.matches(scope)[0] is not Match.NONE:
                return route.path
        return OTHER


def record(metrics: Metrics, answer: Answer, log_questions: bool) -> None:
    """Counts an answer that is given, and with `log_questions` logs what was asked."""
    metrics.answered(answer)
    if log_questions:
        fields = ("question", "question_used", "status", "confidence")
        QUESTIONS.info("asked", extra={name: getattr(answer, name) for name in fields})
