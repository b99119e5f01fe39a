"""HTTP connections as the server holds them: of clients that dawdle none stays open."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# So many connections are open at once. Further ones take the place of that which is idle longest,
# or are told to come again.
CONNECTIONS = 512
# Seconds that an idle connection stays open: longer than proxies keep theirs, so that none sends a
# request into one that is just being closed.
KEEP_ALIVE = 75
# Seconds in which the head of a request must be here, and in which a client must take some of what
# is sent to it.
_HEAD_SECONDS = 15.0
_TAKING_SECONDS = 30.0
# Seconds in which a client that finds no room can read that: to close at once would take it away.
_LINGERING_SECONDS = 1.0
# Bytes of further requests that are read while one is answered.
_AHEAD = 65_536

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 1\r\n"
    b'Connection: close\r\nContent-Length: 59\r\n\r\n{"error":"too many connections are open; '
    b'try again in 1 s"}'
)


class BoundedProtocol(H11Protocol):
    """uvicorn's protocol, with limits on how many connections there are and how long each waits for
    its client."""

    head_seconds = _HEAD_SECONDS
    taking_seconds = _TAKING_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._head: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._full = False
        self._idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        # Of an answer that fits in here nobody would wait to be taken.
        transport.set_write_buffer_limits(0)
        super().connection_made(transport)
        self._idle_since = self.loop.time()
        if len(self.connections) > CONNECTIONS and not self._make_room():
            self._full = True
            transport.write(_FULL)
            # Not so many as to use up the descriptors.
            seconds = _LINGERING_SECONDS if len(self.connections) < CONNECTIONS + 128 else 0
            self.loop.call_later(seconds, transport.close)
            with suppress(OSError):
                transport.write_eof()
        else:
            self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Waits for nothing any more."""
        super().connection_lost(exc)
        for timer in (self._head, self._taking):
            if timer:
                timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Takes what has come."""
        if self._full:
            return
        super().data_received(data)
        self._wait_for_head()
        # uvicorn stops reading once a client asks ahead, and would not see it leave.
        if self.conn.their_state is h11.DONE and len(self.conn.trailing_data[0]) < _AHEAD:
            self.flow.resume_reading()

    def send_400_response(self, msg: str) -> None:
        """Says so, unless an answer has begun."""
        try:
            super().send_400_response(msg)
        except h11.LocalProtocolError:
            self.transport.close()

    def _unsupported_upgrade_warning(self) -> None:
        """No word of it in the log: whoever asks for it is answered all the same."""

    def on_response_complete(self) -> None:
        """Begins to wait for the rest of a body that is not read, or of the next head if it has
        begun."""
        self._idle_since = self.loop.time()
        super().on_response_complete()
        if self.conn.their_state is not h11.IDLE or self.conn.trailing_data[0]:
            self._wait_for_head()

    def pause_writing(self) -> None:
        """Begins to wait until the client takes some of what is sent."""
        super().pause_writing()
        self._wait_for_taking()

    def resume_writing(self) -> None:
        """The client took nearly all of it."""
        super().resume_writing()
        if self._taking:
            self._taking.cancel()

    def _make_room(self) -> bool:
        """Whether another connection could be closed, as nothing is asked on it."""
        idle = [
            other
            for other in self.connections
            if isinstance(other, BoundedProtocol) and other is not self and other.is_idle()
        ]
        if idle:
            min(idle, key=lambda other: other._idle_since).transport.abort()
        return bool(idle)

    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        answering = self.cycle is not None and not self.cycle.response_complete
        return not (answering or self._full or self.transport.is_closing())

    def _wait_for_head(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            if self._head:
                self._head.cancel()
            self._head = None
        elif self._head is None and not self.transport.is_closing():
            # What is still to be sent is sent.
            self._head = self.loop.call_later(self.head_seconds, self.transport.close)

    def _wait_for_taking(self) -> None:
        left = self.transport.get_write_buffer_size()

        def look() -> None:
            if self.transport.get_write_buffer_size() < left:
                self._wait_for_taking()
            else:
                self.transport.abort()

        self._taking = self.loop.call_later(self.taking_seconds, look)
