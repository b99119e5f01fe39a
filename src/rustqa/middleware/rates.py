"""Lets each client ask only so often."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from rustqa.errors import RateError
from rustqa.middleware.buckets import Buckets
from rustqa.middleware.paths import is_light


class RateLimit:
    """ASGI middleware that raises RateError for a client that asks too often.

    A route that does the work of several requests takes theirs by `spend`.
    """

    def __init__(self, app: ASGIApp, per_minute: int | None) -> None:
        """Without a number there is no limit."""
        self._app = app
        self._per_minute = per_minute
        self._buckets = Buckets(per_minute) if per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what its client may ask."""
        if scope["type"] == "http" and self._buckets and not is_light(scope):
            client = scope["state"]["client"]
            if wait := self._buckets.wait(client):
                raise RateError(
                    f"more than {self._per_minute} requests a minute; try again in {wait} s",
                    {"Retry-After": str(wait)},
                )
            self._buckets.take(client)
            scope["state"]["buckets"] = self._buckets
        await self._app(scope, receive, send)


def spend(scope: Scope, requests: int) -> None:
    """Counts so many further requests for the client of this one."""
    state = scope.get("state", {})
    if buckets := state.get("buckets"):
        buckets.take(state["client"], requests)
