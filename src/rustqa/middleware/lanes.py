"""So many work at once, so many wait for their turn, and the others are told when to come again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from time import monotonic

from rustqa.errors import BusyError


class Lane:
    """Places at work, and a queue before them.

    Whose work would have been done first, had all begun when they came, is the first to get a
    place: the short do not wait for the long, unless those came long before.
    """

    def __init__(
        self, places: int, queue: int, patience: float | None, seconds: float | None
    ) -> None:
        """Nobody is at work yet. A place is waited for and taken for so many seconds at most; None:
        as long as it takes, and once it is taken, even if the client leaves."""
        self._places = places
        self._queue = queue
        self._patience = patience
        self.seconds = seconds
        self.at_work = 0
        # When each would have been done, and its size.
        self._waiting: dict[asyncio.Future[None], tuple[float, int]] = {}
        self.tell: Callable[[], None] = lambda: None
        # Seconds that a place is taken for work of size one, on the average of lately.
        self._usual = 0.1

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    async def enter(self, gone: asyncio.Future[None], size: int = 1) -> bool:
        """Whether there is a place now, for work of that size; False if the client left first.

        Raises BusyError if too many wait already, or none becomes free in time.
        """
        if self.at_work < self._places:
            self.at_work += 1
            self.tell()
            return True
        if self.waiting >= self._queue:
            raise self._busy(size)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[turn] = monotonic() + self._usual * size, size
        self.tell()
        try:
            await asyncio.wait({turn, gone}, timeout=self._patience, return_when="FIRST_COMPLETED")
        except asyncio.CancelledError:
            self._give_back(turn)
            raise
        if turn.done() and not gone.done():
            return True
        self._give_back(turn)
        if gone.done():
            return False
        raise self._busy(size)

    def leave(self, taken: float | None = None, size: int = 1) -> None:
        """Gives a place, which was taken for so many seconds by work of that size, to the next."""
        if taken is not None:
            self._usual += (taken / size - self._usual) / 20
        if self._waiting:
            first = min(self._waiting, key=self._waiting.__getitem__)
            del self._waiting[first]
            first.set_result(None)
        else:
            self.at_work -= 1
        self.tell()

    def _give_back(self, turn: asyncio.Future[None]) -> None:
        """Takes a turn that nobody wants any more out of the queue."""
        if turn.done():
            self.leave()
        else:
            del self._waiting[turn]
            self.tell()

    def _busy(self, size: int) -> BusyError:
        before = sum(other for _, other in self._waiting.values())
        seconds = math.ceil(self._usual * (before + size) / self._places)
        return BusyError(
            f"too much is asked at once; try again in {seconds} s", {"Retry-After": str(seconds)}
        )
