"""To whom a server answers, how much it does at once, and how long anybody waits."""

from __future__ import annotations

from dataclasses import dataclass

from rustqa.access import Keys
from rustqa.runtime import processors

QUEUE = 64


@dataclass(frozen=True, slots=True)
class Policy:
    """What a server does for whom.

    Everybody may ask if `keys` is None. `hosts` are the names that the server has besides
    addresses, None if it answers to any. Pages of the origins in `cors` may read its answers, those
    in `embed` may show its pages in frames. A client may send `rate` requests a minute (None: any
    number). `queue` requests wait while others are at work, for `patience` seconds at most, batches
    for `batch_patience`; a body must be here in `body_seconds`, and an answer in `work_seconds`.
    Questions are logged with `log_questions` alone.
    """

    keys: Keys | None = None
    hosts: frozenset[str] | None = frozenset()
    cors: tuple[str, ...] = ()
    embed: tuple[str, ...] = ()
    rate: int | None = None
    queue: int = QUEUE
    patience: float = 30
    batch_patience: float = 120
    body_seconds: float = 20
    work_seconds: float = 60
    log_questions: bool = False

    @property
    def at_once(self) -> int:
        """So many requests are at work at once: while one waits for a network, another reads."""
        return 2 * processors()
