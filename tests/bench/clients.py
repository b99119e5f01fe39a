"""Clients of a server over bare sockets: each sends one request after another, and looks at what
comes back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from bench.mixture import Request

# Longer than any answer may take.
_PATIENCE_S = 180
_HEAD = 2**16


class Reply(NamedTuple):
    """What a server answered; the names of headers are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes


class Outcome(NamedTuple):
    """How a request fared: its status (0: none came), seconds from the first byte sent to the last
    received, what was wrong with it, if anything, and after how many seconds to come again."""

    kind: str
    part: str
    status: int
    seconds: float
    fault: str | None = None
    retry_after: float | None = None


class Client:
    """One connection to a port of 127.0.0.1, opened anew whenever it is closed."""

    def __init__(self, port: int) -> None:
        """Connects with the first request."""
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.sending = False

    async def send(self, request: Request) -> Outcome:
        """Sends a request and judges the answer, or leaves without one."""
        began = time.perf_counter()
        self.sending = True
        try:
            async with asyncio.timeout(_PATIENCE_S):
                if request.status is None:
                    await self._leave(request.data)
                    return _outcome(request, 0, began)
                reply = await self._ask(request.data)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            fault = f"no answer: {str(error) or type(error).__name__}"
            return _outcome(request, 0, began, fault)
        finally:
            self.sending = False
        after = reply.headers.get("retry-after")
        waits = float(after) if after else None
        return _outcome(request, reply.status, began, fault_of(request, reply), waits)

    def close(self) -> None:
        """Leaves at once, whatever is under way."""
        if self._streams:
            self._streams[1].transport.abort()
            self._streams = None

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams and self._streams[0].at_eof():
            # The server closed it while nothing was asked.
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=_HEAD)
        return self._streams

    async def _leave(self, data: bytes) -> None:
        writer = (await self._open())[1]
        writer.write(data)
        await writer.drain()
        self.close()

    async def _ask(self, data: bytes) -> Reply:
        reader, writer = await self._open()
        writer.write(data)
        # A refusal may come while the body is still being sent.
        sent = asyncio.ensure_future(writer.drain())
        try:
            reply = await _read(reader)
        finally:
            sent.cancel()
            await asyncio.gather(sent, return_exceptions=True)
        if reply.headers.get("connection") == "close":
            self.close()
        return reply


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    pairs = (line.partition(":")[::2] for line in lines)
    headers = {name.lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Reply(int(first.split()[1]), headers, body)


def fault_of(request: Request, reply: Reply) -> str | None:
    """What is wrong with a reply to a request, if anything."""
    try:
        data = json.loads(reply.body) if "json" in reply.headers.get("content-type", "") else None
    except ValueError:
        return "broken JSON"
    if reply.status != request.status:
        said = data.get("error") if isinstance(data, dict) else ""
        return f"{reply.status} instead of {request.status}: {said}"
    if reply.status == 200:
        return None if reply.body else "an empty body"
    message = data.get("error") if isinstance(data, dict) else None
    if not isinstance(message, str) or "\n" in message or "Traceback" in message:
        return f"no error in one line: {reply.body[:200]!r}"
    return None


async def work(
    client: Client,
    draw: Callable[[], Request],
    until: float,
    note: Callable[[Outcome], Awaitable[None]],
) -> None:
    """Has a client send what is drawn until the clock of `time.monotonic` shows `until`."""
    while time.monotonic() < until:
        await note(await client.send(draw()))


def _outcome(
    request: Request, status: int, began: float, fault: str | None = None,
    retry_after: float | None = None,
) -> Outcome:  # fmt: skip
    seconds = time.perf_counter() - began
    return Outcome(request.kind, request.part, status, seconds, fault, retry_after)
