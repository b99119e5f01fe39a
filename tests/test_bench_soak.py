"""The soak: what is sent, how answers are judged, and what is made of what was seen."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.clients import Client, Outcome, Reply, fault_of
from bench.mixture import Mixture, Request, get, post
from bench.servers import Held, held_by, processes_of
from bench.soak import Sample, by_kind, growth

QUESTIONS = ["Who loaded the gun?", "Where did the trial take place?"]
JSON = {"content-type": "application/json"}


def _body(request: Request) -> bytes:
    return request.data.partition(b"\r\n\r\n")[2]


def test_the_same_seed_draws_the_same_requests() -> None:
    """So that a run can be repeated, and another seed is another run."""
    one, same, other = (Mixture(QUESTIONS, seed) for seed in (1, 1, 2))
    drawn = [one.draw() for _ in range(50)]
    assert drawn == [same.draw() for _ in range(50)]
    assert drawn != [other.draw() for _ in range(50)]


def test_the_parts_have_their_shares() -> None:
    """Of a hundred about 70 are valid, 15 invalid, 10 huge and 5 rude, and every kind comes."""
    mixture = Mixture(QUESTIONS, 1)
    drawn = [mixture.draw() for _ in range(2000)]
    parts = Counter(request.part for request in drawn)
    for part, share in {"valid": 70, "invalid": 15, "huge": 10, "rude": 5}.items():
        assert parts[part] / 20 == pytest.approx(share, rel=0.3)
    assert len({request.kind for request in drawn}) == 20


def test_bodies_are_as_long_as_they_say() -> None:
    """Except where the client leaves within its body; the largest that is allowed is 1 MiB."""
    mixture = Mixture(QUESTIONS, 1)
    sizes: dict[str, int] = {}
    for request in (mixture.draw() for _ in range(500)):
        head = request.data.partition(b"\r\n\r\n")[0].lower()
        announced = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
        missing = announced - len(_body(request))
        assert missing == (20 if request.kind == "leaves within its body" else 0)
        sizes[request.kind] = max(announced, sizes.get(request.kind, 0))
    assert (sizes["body of 1 MiB"], sizes["body of 2 MiB"]) == (2**20, 2**21)


@pytest.mark.parametrize(
    ("reply", "fault"),
    [
        (Reply(200, JSON, b'{"answer": null}'), None),
        (Reply(200, {}, b"<html>"), None),
        (Reply(200, JSON, b'{"answer": '), "broken JSON"),
        (Reply(200, {}, b""), "an empty body"),
        (Reply(503, JSON, b'{"error": "busy"}'), "503 instead of 200: busy"),
    ],
)
def test_an_answer_is_compared_with_what_is_right(reply: Reply, fault: str | None) -> None:
    """Its status, and that it is whole."""
    assert fault_of(Request("ask", "valid", b"", 200), reply) == fault


@pytest.mark.parametrize(
    ("body", "right"),
    [(b'{"error": "say it otherwise"}', True), (b'{"error": "a\\nb"}', False), (b"{}", False)],
)
def test_a_refusal_says_why_in_one_line(body: bytes, right: bool) -> None:
    """The right status alone is not enough."""
    assert (fault_of(Request("no date", "invalid", b"", 422), Reply(422, JSON, body)) is None) == (
        right
    )


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], object]


def _with_server(serve: Serve, *requests: Request, pause: float = 0) -> list[Outcome]:
    """What comes of requests that one client sends to a server that does this."""

    async def run() -> list[Outcome]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)  # type: ignore[arg-type]
        client = Client(server.sockets[0].getsockname()[1])
        outcomes = []
        for request in requests:
            outcomes.append(await client.send(request))
            await asyncio.sleep(pause)
        client.close()
        server.close()
        return outcomes

    return asyncio.run(run())


def _response(status: int, data: object, headers: str = "") -> bytes:
    body = json.dumps(data).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers once, then closes."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(_response(503, {"error": "busy"}, "Retry-After: 3\r\n"))
    await writer.drain()
    writer.close()


async def _hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


def test_a_connection_that_was_closed_is_opened_anew() -> None:
    """A server may close what lies idle; that is no fault. When to come again is noted."""
    ask = Request("ask", "valid", get("/"), 200)
    outcomes = _with_server(_busy, ask, ask, pause=0.05)
    assert [(item.status, item.retry_after) for item in outcomes] == [(503, 3), (503, 3)]


def test_no_answer_is_a_fault() -> None:
    """A connection that ends before an answer, unless the client itself left."""
    gone = Request("leaves once it has asked", "rude", post("/ask", {"question": "x"}), None)
    silent, left = _with_server(_hang_up, Request("ask", "valid", get("/"), 200), gone)
    assert (silent.status, silent.fault and silent.fault[:9]) == (0, "no answer")
    assert (left.status, left.fault) == (0, None)


def test_kinds_are_counted_with_their_statuses_and_times() -> None:
    """Percentiles in milliseconds; what was wrong is counted."""
    outcomes = [Outcome("ask", "valid", 200, 0.1), Outcome("ask", "valid", 503, 0.3, "busy")]
    found = by_kind(outcomes)["ask"]
    assert (found["requests"], found["failed"]) == (2, 1)
    assert found["statuses"] == {"200": 1, "503": 1}
    assert (found["p50_ms"], found["max_ms"]) == (300, 300)


def test_growth_is_from_minute_two_to_the_end() -> None:
    """What is loaded before does not count, nor a single peak for much."""

    def sample(second: int) -> Sample:
        mib = 50 if second < 100 else 200 if second < 500 else 210
        return Sample(second, Held(mib, 0, 0, 0, 1, 1), 0, 0)

    found = growth([sample(second) for second in range(600)])
    assert found == {
        "settled_s": 120,
        "settled_rss_mib": 200,
        "end_rss_mib": 210,
        "growth_percent": 5,
    }


def test_what_a_process_holds_is_seen(tmp_path: Path) -> None:
    """Memory, threads and open files of this process, which is the first of its own."""
    before = held_by([os.getpid()])
    with (tmp_path / "file").open("w"):
        ballast = bytearray(os.urandom(1)) * (64 * 2**20)
        held = held_by([os.getpid()])
    assert processes_of(os.getpid())[0] == os.getpid()
    assert held.rss_mib - before.rss_mib > 60
    assert held.files == before.files + 1
    assert 0 < held.pss_mib <= held.rss_mib
    assert len(ballast) > 2**20
