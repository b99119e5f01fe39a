"""How often clients may do something: a token bucket for each that did it lately."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

# The oldest is forgotten when there are more: by then its bucket is most likely full.
_CLIENTS = 10_000


class Buckets:
    """Token buckets, each full at first with what may be taken in a minute, and filling evenly."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._per_minute = per_minute
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """Whole seconds until the client may take one; 0 if it may at once."""
        missing = 1 - self._level(client, self._clock())
        return math.ceil(missing * 60 / self._per_minute) if missing > 0 else 0

    def take(self, client: str, tokens: int = 1) -> None:
        """Takes so many, though the client may owe them."""
        now = self._clock()
        self._levels[client] = self._level(client, now) - tokens, now
        self._levels.move_to_end(client)
        if len(self._levels) > _CLIENTS:
            self._levels.popitem(last=False)

    def owes(self, client: str) -> bool:
        """Whether it has taken more than it may."""
        return self._level(client, self._clock()) < 0

    def _level(self, client: str, now: float) -> float:
        level, then = self._levels.get(client, (self._per_minute, now))
        return min(self._per_minute, level + (now - then) * self._per_minute / 60)
