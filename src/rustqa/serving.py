"""Where and how it is served, and what of that goes together."""

from __future__ import annotations

from dataclasses import dataclass, field

from rustqa import logs
from rustqa.errors import InputError
from rustqa.policy import Policy
from rustqa.settings import Settings


@dataclass(frozen=True, slots=True)
class Serving:
    """Where and how it is served.

    `watch` brings the index up to date when its articles change. Several `workers` are processes
    that share the address and the files of the index.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    open_page: bool = False
    watch: bool = False
    workers: int = 1
    log: logs.Format = "text"
    policy: Policy = field(default_factory=Policy)


def check_workers(settings: Settings, serving: Serving) -> None:
    """Raises InputError for what several workers would do against each other."""
    if serving.workers == 1:
        return
    if serving.watch or settings.add_to:
        option = "--watch" if serving.watch else "--add-to"
        raise InputError(
            f"{option} needs a single worker; bring the index up to date with rustqa index, which "
            "all workers follow"
        )
    if settings.feedback:
        raise InputError("--feedback needs a single worker, which alone writes its file")
