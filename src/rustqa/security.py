"""What holds for every request: headers that forbid, a limit on bodies, and no tracebacks;
and which requests come of another site's page."""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Vary": "Accept",
    # Kept by browsers, but asked for again: unchanged files cost a 304.
    "Cache-Control": "no-cache",
}

Problem = Callable[[Request, int, str], Response]


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, problem: Problem) -> None:
        """`problem(request, status, message)` makes the response to a request that is refused."""
        self._app = app
        self._problem = problem

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # Servers send no body to HEAD; the routes need not know of it.
            scope = {**scope, "method": "GET"}
        started = False

        async def send_guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        async def refuse(status: int, message: str) -> None:
            response = self._problem(Request(scope), status, message)
            await response(scope, receive, send_guarded)

        try:
            body = await _read_body(scope, receive)
            if body is None:
                await refuse(413, f"the body is larger than {MAX_BODY:,} bytes; send less at once")
                return
            await self._app(scope, _replay(body, receive), send_guarded)
        except Exception:
            # The address is the client's own words: repr keeps it on one line of the log.
            log.exception("%s %r failed", scope["method"], scope["path"])
            if started:
                raise
            await refuse(500, "something went wrong here, not with your question; see the log")


def is_foreign(headers: Headers) -> bool:
    """Whether a browser sends the request for another site's page.

    Browsers name the site in Sec-Fetch-Site, the older ones in Origin; other programs send
    neither and do only what their owner wants.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != headers.get("host")


async def _read_body(scope: Scope, receive: Receive) -> bytes | None:
    """The body, or None as soon as it is known to be too large."""
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and int(announced) > MAX_BODY:
        return None
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        more = message.get("more_body", False)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands out the body that was read, then whatever comes after it."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> Message:
        return next(messages, None) or await receive()

    return replayed
