"""Lets in who has an API key, and says who asks."""

from __future__ import annotations

import base64
from ipaddress import IPv6Address, ip_network

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rustqa.access import Keys, is_address
from rustqa.errors import KeyRequiredError, RateError
from rustqa.middleware.buckets import Buckets
from rustqa.middleware.paths import is_open

# Wrong keys a minute from one address, after which it is told to wait.
_WRONG = 30
# An address, though a proxy may give anything as one.
_LONGEST = 64


class KeyCheck:
    """ASGI middleware that raises KeyRequiredError unless a key is given where one is needed.

    What follows finds in `scope["state"]["client"]` who asks: by the key, else by the address.
    """

    def __init__(self, app: ASGIApp, keys: Keys | None) -> None:
        """Without keys everybody is let in."""
        self._app = app
        self._keys = keys
        self._wrong = Buckets(_WRONG)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes on what may come in."""
        if scope["type"] == "http" and not is_open(scope):
            client = address_of(scope)
            if self._keys is not None:
                client = self._holder(self._keys, scope, client)
            scope.setdefault("state", {})["client"] = client
        await self._app(scope, receive, send)

    def _holder(self, keys: Keys, scope: Scope, address: str) -> str:
        headers = Headers(scope=scope)
        given = key_in(headers)
        if given is None:
            how = "send it in the header Authorization: Bearer KEY, or in a browser as the password"
            raise _needed(f"this server asks for an API key; {how}", headers)
        # A right key is let in whatever others at the same address, as behind a proxy, try.
        if holder := keys.holder(given):
            return holder
        if wait := self._wrong.wait(address):
            raise RateError(
                f"too many wrong keys; try again in {wait} s", {"Retry-After": str(wait)}
            )
        self._wrong.take(address)
        raise _needed("this API key is not one of the server's; send another", headers)


def key_in(headers: Headers) -> str | None:
    """The key that a program sends as `Bearer`, or a browser as the password of `Basic`."""
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:
            return ""
    return None


def address_of(scope: Scope) -> str:
    """The address that a request comes from; of IPv6 the network, as one client has all of it."""
    address = str((scope.get("client") or ("",))[0])[:_LONGEST].partition("%")[0]
    if not is_address(address) or ":" not in address:
        return address
    mapped = IPv6Address(address).ipv4_mapped
    return str(mapped or ip_network((address, 64), strict=False))


def _needed(message: str, headers: Headers) -> KeyRequiredError:
    # Browsers ask for the key themselves if told "Basic".
    scheme = "Basic" if "text/html" in headers.get("accept", "") else "Bearer"
    return KeyRequiredError(message, {"WWW-Authenticate": f'{scheme} realm="rustqa"'})
