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
        self._buckets = Buckets(per_minute) if per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what its client may ask."""
        if scope["type"] == "http" and self._buckets and not is_light(scope):
            client = scope["state"]["client"]
            if wait := self._buckets.wait(client):
                raise _too_many(wait)
            self._buckets.take(client)
            scope["state"]["buckets"] = self._buckets
        await self._app(scope, receive, send)


def spend(scope: Scope, requests: int) -> None:
    """Counts so many further requests for the client of this one; raises RateError if it owes
    some already, as one that sends many batches at once."""
    state = scope.get("state", {})
    if buckets := state.get("buckets"):
        if buckets.owes(state["client"]):
            raise _too_many(buckets.wait(state["client"]))
        buckets.take(state["client"], requests)


def _too_many(seconds: int) -> RateError:
    return RateError(
        f"more requests than one client may send; try again in {seconds} s",
        {"Retry-After": str(seconds)},
    )
