"""Lets so many requests work at once and so many wait; the others are told when to come again.

A client that leaves gives its place to the next, and what takes too long is given up.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Event
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa import wanted
from rustqa.errors import AbandonedError
from rustqa.middleware.lanes import Lane
from rustqa.middleware.paths import is_light
from rustqa.policy import Policy

log = logging.getLogger(__name__)

_ADDING_QUEUE = 4


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
        try:
            if await lane.enter(gone):
                await _Work(self._app, lane, scope, body, gone, send).run()
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


class _Work:
    """One request at its place, which it leaves when its answer is there or its work has ended."""

    def __init__(
        self, app: ASGIApp, lane: Lane, scope: Scope, body: Message,
        gone: asyncio.Future[None], send: Send,
    ) -> None:  # fmt: skip
        self._lane = lane
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
            self._lane.leave(time.monotonic() - self._began)

    def _end(self, task: asyncio.Future[None]) -> None:
        self._leave()
        if self._given_up.is_set() and not task.cancelled() and (error := task.exception()):
            log.error("work that was given up failed", exc_info=error)
