"""So many work at once, so many wait for their turn, and the others are told when to come again."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable

from rustqa.errors import BusyError


class Lane:
    """Places at work, and a queue before them."""

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
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.tell: Callable[[], None] = lambda: None
        # How long a place is taken, on the average of lately.
        self._usual = 0.1

    @property
    def waiting(self) -> int:
        """How many wait for a place."""
        return len(self._waiting)

    async def enter(self, gone: asyncio.Future[None]) -> bool:
        """Whether there is a place now; False if the client left first.

        Raises BusyError if too many wait already, or none becomes free in time.
        """
        if self.at_work < self._places:
            self.at_work += 1
            self.tell()
            return True
        if self.waiting >= self._queue:
            raise self._busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
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
        raise self._busy()

    def leave(self, taken: float | None = None) -> None:
        """Gives a place, which was taken for so many seconds, to the next."""
        if taken is not None:
            self._usual += (taken - self._usual) / 20
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.at_work -= 1
        self.tell()

    def _give_back(self, turn: asyncio.Future[None]) -> None:
        """Takes a turn that nobody wants any more out of the queue."""
        if turn.done():
            self.leave()
        else:
            self._waiting.remove(turn)
            self.tell()

    def _busy(self) -> BusyError:
        seconds = math.ceil(self._usual * (self.waiting + 1) / self._places)
        return BusyError(
            f"too much is asked at once; try again in {seconds} s", {"Retry-After": str(seconds)}
        )
