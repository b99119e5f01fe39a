"""Keeps a server busy: so many connections, each asking one question after another."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import NamedTuple


class Load(NamedTuple):
    """Seconds that each request took, in no order, and seconds from the first to the last."""

    latencies_s: list[float]
    wall_s: float

    @property
    def per_second(self) -> float:
        """Requests done in a second."""
        return len(self.latencies_s) / self.wall_s

    def percentile(self, share: float) -> float:
        """The latency, in seconds, that this share of the requests did not exceed."""
        ordered = sorted(self.latencies_s)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def ask_all(port: int, questions: Sequence[str], clients: int, requests: int) -> Load:
    """Sends `POST /ask` to 127.0.0.1 so many times; raises OSError if one is not answered."""
    return asyncio.run(_ask_all(port, [_request(text) for text in questions], clients, requests))


async def _ask_all(port: int, bodies: Sequence[bytes], clients: int, requests: int) -> Load:
    numbers = count()
    began = time.perf_counter()
    runs = [_client(port, bodies, numbers, requests) for _ in range(clients)]
    latencies = [item for part in await asyncio.gather(*runs) for item in part]
    return Load(latencies, time.perf_counter() - began)


async def _client(
    port: int, bodies: Sequence[bytes], numbers: Iterator[int], requests: int
) -> list[float]:
    """Asks until all requests are sent; the latencies of its own."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    latencies = []
    while (number := next(numbers)) < requests:
        began = time.perf_counter()
        writer.write(bodies[number % len(bodies)])
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise OSError(head.split(b"\r\n")[0].decode())
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        latencies.append(time.perf_counter() - began)
    writer.close()
    return latencies


def _request(question: str) -> bytes:
    body = json.dumps({"question": question}).encode()
    head = (
        "POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
