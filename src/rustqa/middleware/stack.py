"""Puts everything that a request passes around an application, in order."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import BaseRoute

from rustqa.metrics import Metrics
from rustqa.middleware.admission import Admission
from rustqa.middleware.bodies import BodyLimit
from rustqa.middleware.guard import Guard, Problem
from rustqa.middleware.hosts import HostCheck
from rustqa.middleware.keys import KeyCheck
from rustqa.middleware.observed import Observed
from rustqa.middleware.rates import RateLimit
from rustqa.policy import Policy


def surround(
    app: Starlette, routes: Iterable[BaseRoute], policy: Policy, metrics: Metrics, problem: Problem
) -> None:
    """Adds it all; the `routes` are told apart in what is counted, and `problem` makes the
    responses to requests that are refused."""
    # The last one added is the outermost.
    app.add_middleware(Admission, policy=policy, count=metrics.queue)
    app.add_middleware(BodyLimit, seconds=policy.body_seconds)
    app.add_middleware(RateLimit, per_minute=policy.rate)
    app.add_middleware(KeyCheck, keys=policy.keys)
    if policy.hosts is not None:
        app.add_middleware(HostCheck, names=policy.hosts)
    app.add_middleware(Guard, problem=problem, refused=metrics.refused, embedders=policy.embed)
    if policy.cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=policy.cors,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization"],
            expose_headers=["X-Total-Count", "Link", "Retry-After", "X-Request-ID"],
        )
    app.add_middleware(Observed, metrics=metrics, routes=[*routes])
