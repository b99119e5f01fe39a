"""What holds for every response: headers that forbid, and no tracebacks; and which requests come of
another site's page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa.errors import ForeignPageError, Refusal, RustQAError
from rustqa.logs import request_id

log = logging.getLogger(__name__)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Kept by browsers, but asked for again: unchanged files cost a 304.
    "Cache-Control": "no-cache",
}

Problem = Callable[[Request, int, str, Mapping[str, str]], Response]
Refused = Callable[[Refusal], None]


class Guard:
    """ASGI middleware around everything that may fail."""

    def __init__(
        self, app: ASGIApp, problem: Problem, refused: Refused, embedders: Sequence[str] = ()
    ) -> None:
        """`problem(request, status, message, headers)` makes the response to a request that fails,
        `refused(reason)` counts it, and `embedders` are the sites that may show the pages in
        frames of theirs."""
        self._app = app
        self._problem = problem
        self._refused = refused
        self._headers = headers_for(embedders)

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
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers.add_vary_header("Accept")
            await send(message)

        async def refuse(status: int, message: str, headers: Mapping[str, str]) -> None:
            if "expect" in Headers(scope=scope):
                # The client may send its body or not: what comes next cannot be told from it.
                headers = {**headers, "Connection": "close"}
            response = self._problem(Request(scope), status, message, headers)
            await response(scope, receive, send_guarded)

        try:
            await self._app(scope, receive, send_guarded)
        except RustQAError as error:
            if error.refusal:
                self._refused(error.refusal)
            await refuse(error.status, str(error), error.headers)
        except Exception:
            # The address is the client's own words: repr keeps it on one line of the log.
            log.exception("%s %r failed", scope["method"], scope["path"])
            if started:
                raise
            where = f"the log, request {request_id.get()}"
            await refuse(500, f"something went wrong here, not with your question; see {where}", {})


def headers_for(embedders: Sequence[str]) -> Mapping[str, str]:
    """The headers of every response where these sites may embed the pages."""
    if not embedders:
        return HEADERS
    policy = " ".join([_POLICY, *embedders])
    kept = {name: value for name, value in HEADERS.items() if name != "X-Frame-Options"}
    return {**kept, "Content-Security-Policy": policy}


def refuse_foreign(headers: Headers, what: str) -> None:
    """Raises ForeignPageError if a browser sends the request for another site's page.

    Browsers name the site in Sec-Fetch-Site, the older ones in Origin; other programs send
    neither and do only what their owner wants.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
    if foreign:
        raise ForeignPageError(f"{what} are taken from rustqa's own page alone")
