"""Lets so many requests work at once and so many wait; the others are told when to come again.

A client that leaves gives its place to the next, and what takes too long is given up.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa import wanted
from rustqa.errors import AbandonedError, BusyError
from rustqa.middleware.paths import is_light
from rustqa.policy import Policy

log = logging.getLogger(__name__)

_ADDING_QUEUE = 4
# So many bytes of a batch take about as long as one question.
_BYTES = 100


class Admission:
    """ASGI middleware that raises BusyError when too many wait, AbandonedError when work takes too
    long."""

    def __init__(self, app: ASGIApp, policy: Policy, count: Callable[[int, int], None]) -> None:
        """`count(at_work, waiting)` is told whenever that changes."""
        self._app = app
        self._asking = Lane(policy.at_once, policy.queue, policy.patience, policy.work_seconds)
        # Apart from single questions, which people wait for. One uses all processors.
        self._batches = Lane(1, policy.queue, policy.batch_patience, policy.work_seconds)
        # One at a time, and none is given up half-way.
        self._adding = Lane(1, _ADDING_QUEUE, None, None)
        lanes = (self._asking, self._batches, self._adding)

        def tell() -> None:
            count(sum(lane.at_work for lane in lanes), sum(lane.waiting for lane in lanes))

        for lane in lanes:
            lane.tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request when it is its turn."""
        if scope["type"] != "http" or is_light(scope):
            await self._app(scope, receive, send)
            return
        lane = self._lane(scope)
        body = await receive()
        gone = asyncio.ensure_future(_until_gone(receive))
        size = 1 + len(body.get("body", b"")) // _BYTES if lane is self._batches else 1
        try:
            if await lane.enter(gone, size):
                await _Work(self._app, lane, size, scope, body, gone, send).run()
        finally:
            gone.cancel()

    def _lane(self, scope: Scope) -> Lane:
        if scope["method"] != "POST":
            return self._asking
        lanes = {"/ask/batch": self._batches, "/articles": self._adding}
        return lanes.get(scope["path"], self._asking)


async def _until_gone(receive: Receive) -> None:
    """Returns when the client has left, or has its answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


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
        self._waiting[turn] = time.monotonic() + self._usual * size, size
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


class _Work:
    """One request at its place, which it leaves when its answer is there or its work has ended."""

    def __init__(
        self, app: ASGIApp, lane: Lane, size: int, scope: Scope, body: Message,
        gone: asyncio.Future[None], send: Send,
    ) -> None:  # fmt: skip
        self._lane = lane
        self._size = size
        self._messages = iter([body])
        self._gone = gone
        self._send = send
        self._given_up = Event()
        self._began = time.monotonic()
        self._left = False
        self._answered = asyncio.Event()
        with wanted.until(self._given_up):
            self._task = asyncio.ensure_future(app(scope, self._receive, self._pass))
        self._task.add_done_callback(self._end)

    async def run(self) -> None:
        """Returns when it is answered, or when the client has left; raises AbandonedError if it
        takes longer than it may."""
        seconds = self._lane.seconds
        answered = asyncio.ensure_future(self._answered.wait())
        waits: set[asyncio.Future[Any]] = {self._task, self._gone, answered}
        if seconds is None:
            waits.remove(self._gone)
        try:
            await asyncio.wait(waits, timeout=seconds, return_when="FIRST_COMPLETED")
            if self._task.done() or self._answered.is_set():
                await self._task
                return
            self._given_up.set()
            if not self._gone.done():
                raise AbandonedError(
                    f"this took longer than {seconds:g} seconds; ask for less at once"
                )
        except asyncio.CancelledError:
            self._given_up.set()
            self._task.cancel()
            raise
        finally:
            answered.cancel()

    async def _receive(self) -> Message:
        if message := next(self._messages, None):
            return message
        await asyncio.shield(self._gone)
        return {"type": "http.disconnect"}

    async def _pass(self, message: Message) -> None:
        if self._given_up.is_set():
            return
        if message["type"] == "http.response.start":
            # Nobody else waits while it is sent.
            self._answered.set()
            self._leave()
        await self._send(message)

    def _leave(self) -> None:
        if not self._left:
            self._left = True
            self._lane.leave(time.monotonic() - self._began, self._size)

    def _end(self, task: asyncio.Future[None]) -> None:
        self._leave()
        if self._given_up.is_set() and not task.cancelled() and (error := task.exception()):
            log.error("work that was given up failed", exc_info=error)
