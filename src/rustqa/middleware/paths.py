"""Which requests are more than looking whether the server runs, and which are work."""

from __future__ import annotations

from starlette.types import Scope

_STATIC = "/static/"
_PROBES = frozenset({"/healthz", "/readyz"})
_LIGHT = (*_PROBES, "/metrics", _STATIC)


def is_open(scope: Scope) -> bool:
    """Whether everybody may ask it: how the server is, and the files of its pages, which are those
    of every server and stand on the pages of refusals, too."""
    path: str = scope["path"]
    return path in _PROBES or path.startswith(_STATIC)


def is_light(scope: Scope) -> bool:
    """Whether it takes next to no work."""
    path: str = scope["path"]
    return path.startswith(_LIGHT)
