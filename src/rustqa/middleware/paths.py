"""Which requests are more than looking whether the server runs, and which are work."""

from __future__ import annotations

from starlette.types import Scope

_PROBES = frozenset({"/healthz", "/readyz"})
_LIGHT = (*_PROBES, "/metrics", "/static/")


def is_probe(scope: Scope) -> bool:
    """Whether it only asks whether the server is well, which everybody may."""
    return scope["path"] in _PROBES


def is_light(scope: Scope) -> bool:
    """Whether it takes next to no work."""
    path: str = scope["path"]
    return path.startswith(_LIGHT)
