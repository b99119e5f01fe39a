"""Reads the body of a request whole, unless it is too large or comes too slowly."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa.errors import BodyTooLargeError, BodyTooSlowError

MAX_BODY = 1024 * 1024
# More of them are not worth reading as a number.
_DIGITS = 18


class BodyLimit:
    """ASGI middleware that hands on bodies in one message.

    It raises BodyTooLargeError or BodyTooSlowError, after which the connection is of no use.
    """

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        """The body must be here in so many seconds."""
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Reads, then passes on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await _read(scope, receive)
        except TimeoutError:
            raise BodyTooSlowError(
                f"the body did not come within {self._seconds:g} seconds; send it at once",
                {"Connection": "close"},
            ) from None
        except ClientDisconnect:
            return
        await self._app(scope, _replay(body, receive), send)


async def _read(scope: Scope, receive: Receive) -> bytes:
    announced = Headers(scope=scope).get("content-length", "")
    if announced.isdecimal() and (len(announced) > _DIGITS or int(announced) > MAX_BODY):
        raise _too_large()
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise _too_large()
        more = message.get("more_body", False)
    return bytes(body)


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"the body is larger than {MAX_BODY:,} bytes; send less at once")


def _replay(body: bytes, receive: Receive) -> Receive:
    """Hands out the body that was read, then whatever comes after it."""
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replayed() -> Message:
        return next(messages, None) or await receive()

    return replayed
