"""Answers only to names that are the server's own.

Another site can have its own name point at this machine, and its page then counts as the server's
own in a browser here (DNS rebinding). It cannot do so with an address, with "localhost", or with a
name without a dot.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rustqa.access import is_address
from rustqa.errors import HostError
from rustqa.middleware.paths import is_open


class HostCheck:
    """ASGI middleware that raises HostError for requests to another name."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        """`names` are those that are answered to besides, in small letters."""
        self._app = app
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what is meant for this server."""
        if scope["type"] == "http" and not is_open(scope):
            host = Headers(scope=scope).get("host")
            if host and not self._is_own(name_of(host)):
                raise HostError(
                    f"this server does not answer to the name {name_of(host)!r}; if it is its own, "
                    "start it with --allow-host and that name"
                )
        await self._app(scope, receive, send)

    def _is_own(self, name: str) -> bool:
        return "." not in name.removesuffix(".localhost") or is_address(name) or name in self._names


def name_of(host: str) -> str:
    """The name or address in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or host).removesuffix(".")
    except ValueError:
        return host
