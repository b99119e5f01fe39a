"""Keeps a server busy for minutes, asks it more than it can do, and watches what it holds.

    make bench-soak, or: PYTHONPATH=tests python -m bench.soak --help

Mixed: requests of all kinds (mixture.py), each answer compared with what is right. Past capacity:
many more clients than there are places. Workers: what several processes over one index hold
together. Saved in results/soak.json, past_capacity.json and workers.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from bench.__main__ import QUESTIONS
from bench.clients import Client, Outcome, work
from bench.corpora import PASSAGES, News, WordEncoder
from bench.load import Load, ask_all
from bench.mixture import Mixture, Request, post
from bench.record import save
from bench.scale import build
from bench.servers import Held, Server, held_by, number_waiting, processes_of, running
from rustqa.encoder import PACKAGED, PACKAGED_SHA256

_PACKAGES = ("rustqa", "fastapi", "uvicorn", "starlette", "onnxruntime", "numpy")
# Memory is the mean of so many seconds, first two minutes after the start: by then all is loaded
# and every thread has worked.
_SPAN_S, _SETTLED_S = 20, 120
# How long a server is left alone before what it still holds is looked at.
_PAUSE_S = 5
_ALONE = 20
# Whoever is refused later than this waited for a place first, which takes half a minute at most.
_WAITED_S = 29


class Sample(NamedTuple):
    """What a server held at a second, and how many requests waited: for their turn there, and for
    an answer here."""

    second: float
    held: Held
    queued: int
    open: int


def soak(minutes: float, clients: int, seed: int) -> dict[str, Any]:
    """So many clients, each sending one request after another for so many minutes."""
    with running() as server:
        pids = processes_of(server.pid)
        before = held_by(pids)
        outcomes, samples = asyncio.run(_keep_busy(server, 60 * minutes, clients, seed))
        time.sleep(_PAUSE_S)
        after = held_by(processes_of(server.pid))
    return {
        "minutes": minutes,
        "clients": clients,
        "seed": seed,
        "requests": len(outcomes),
        "failed_valid": sum(item.part == "valid" and bool(item.fault) for item in outcomes),
        "failed": sum(bool(item.fault) for item in outcomes),
        "kinds": by_kind(outcomes),
        "faults": _faults(outcomes),
        "held": {
            "before": _rounded(before),
            "after": _rounded(after),
            "most": _rounded(Held(*map(max, zip(*(item.held for item in samples), strict=True)))),
            **growth(samples),
        },
        "most_queued": max(item.queued for item in samples),
        "most_open": max(item.open for item in samples),
        "rss_mib_each_10_s": [round(item.held.rss_mib) for item in samples[::10]],
    }


async def _keep_busy(
    server: Server, seconds: float, count: int, seed: int
) -> tuple[list[Outcome], list[Sample]]:
    outcomes: list[Outcome] = []
    samples: list[Sample] = []
    clients = [Client(server.port) for _ in range(count)]

    async def note(outcome: Outcome) -> None:
        outcomes.append(outcome)

    watching = asyncio.create_task(_watch(server, clients, samples))
    until = time.monotonic() + seconds
    runs = [
        work(client, Mixture(QUESTIONS, 1000 * seed + number).draw, until, note)
        for number, client in enumerate(clients)
    ]
    await asyncio.gather(*runs)
    watching.cancel()
    for client in clients:
        client.close()
    return outcomes, samples


async def _watch(server: Server, clients: Sequence[Client], samples: list[Sample]) -> None:
    """Takes a sample each second until it is cancelled."""
    began = time.monotonic()
    while True:
        held = await asyncio.to_thread(lambda: held_by(processes_of(server.pid)))
        queued = await asyncio.to_thread(number_waiting, server.port)
        waiting = sum(client.sending for client in clients)
        samples.append(Sample(time.monotonic() - began, held, queued, waiting))
        await asyncio.sleep(1 - (time.monotonic() - began) % 1)


def growth(samples: Sequence[Sample]) -> dict[str, float]:
    """Resident memory when all had settled and at the end, in MiB, and by how many per cent it
    grew; of a short run the middle counts as settled."""
    last = samples[-1].second
    settled = min(_SETTLED_S, last / 2)
    middle = [item for item in samples if abs(item.second - settled) <= _SPAN_S / 2]
    end = [item for item in samples if item.second >= last - _SPAN_S]
    was, is_now = (fmean(item.held.rss_mib for item in part) for part in (middle, end))
    return {
        "settled_s": round(settled),
        "settled_rss_mib": round(was, 1),
        "end_rss_mib": round(is_now, 1),
        "growth_percent": round(100 * (is_now / was - 1), 2),
    }


def by_kind(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """For each kind of request its statuses, how many were wrong, and how long they took."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.kind, []).append(outcome)
    return {
        kind: {
            "part": items[0].part,
            "requests": len(items),
            "statuses": dict(sorted(Counter(str(item.status) for item in items).items())),
            "failed": sum(bool(item.fault) for item in items),
            **latencies(item.seconds for item in items),
        }
        for kind, items in sorted(found.items())
    }


def latencies(seconds: Iterable[float]) -> dict[str, float | None]:
    """Percentiles in milliseconds, None of nothing."""
    load = Load(list(seconds), 1)
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {
        f"{name}_ms": round(1000 * load.percentile(share), 1) if load.latencies_s else None
        for name, share in shares.items()
    }


def past_capacity(clients: int, seconds: float) -> dict[str, Any]:
    """So many clients that ask at once, and come again when they are told to; at the end all leave
    without waiting for their answers."""
    with running() as server:
        before = ask_all(server.port, QUESTIONS, 1, _ALONE)
        outcomes, left = asyncio.run(_overload(server.port, clients, seconds))
        began = time.perf_counter()
        ask_all(server.port, QUESTIONS, 1, 1)
        first = time.perf_counter() - began
        afterwards = ask_all(server.port, QUESTIONS, 1, _ALONE)
        held = held_by(processes_of(server.pid))
    answered = [item for item in outcomes if item.status == 200]
    refused = [item for item in outcomes if item.status == 503]
    at_once = [item.seconds for item in refused if item.seconds < _WAITED_S]
    others = [item for item in outcomes if item.status not in (200, 503)]
    return {
        "clients": clients,
        "seconds": seconds,
        "answered": len(answered),
        "answered_in": latencies(item.seconds for item in answered),
        "refused": len(refused),
        "refused_at_once": len(at_once),
        "refused_at_once_in": latencies(at_once),
        "refused_without_retry_after": sum(item.retry_after is None for item in refused),
        "others": _faults(others),
        "left_unanswered": left,
        "alone_before_p50_ms": round(1000 * before.percentile(0.5), 1),
        "first_afterwards_ms": round(1000 * first, 1),
        "alone_afterwards_p50_ms": round(1000 * afterwards.percentile(0.5), 1),
        "held_afterwards": _rounded(held),
    }


async def _overload(port: int, count: int, seconds: float) -> tuple[list[Outcome], int]:
    """What came of the requests, and how many had no answer when the time was over."""
    outcomes: list[Outcome] = []
    until = time.monotonic() + seconds
    clients = [Client(port) for _ in range(count)]

    async def note(outcome: Outcome) -> None:
        outcomes.append(outcome)
        # Who had no answer at all comes again after a second.
        wait = 0.0 if outcome.status == 200 else outcome.retry_after or 1.0
        await asyncio.sleep(min(wait, max(0.0, until - time.monotonic())))

    runs = [
        asyncio.create_task(work(client, _asking(number), until, note))
        for number, client in enumerate(clients)
    ]
    await asyncio.wait(runs, timeout=seconds)
    left = sum(client.sending for client in clients)
    for run, client in zip(runs, clients, strict=True):
        run.cancel()
        client.close()
    await asyncio.gather(*runs, return_exceptions=True)
    return outcomes, left


def _asking(seed: int) -> Callable[[], Request]:
    mixture = Mixture(QUESTIONS, seed)

    def draw() -> Request:
        return Request("ask", "valid", post("/ask", {"question": mixture.question()}), 200)

    return draw


class _PackagedByName(WordEncoder):
    """Says that its vectors are those of the packaged encoder, so that a server opens the index;
    what it finds is of no matter here."""

    name = PACKAGED
    fingerprint = PACKAGED_SHA256


def workers(counts: Sequence[int], passages: int, asked: int = 200) -> dict[str, Any]:
    """What servers of so many processes hold over one index of so many passages, each after the
    same questions on articles of it."""
    news = News(11)
    articles = islice(News().articles(passages), min(asked, passages // PASSAGES))
    questions = [news.question(article.text[:200]) for article in articles]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "index"
        build(folder, passages, _PackagedByName())
        size = sum(file.stat().st_size for file in folder.iterdir())
        for count in counts:
            more = ("--workers", str(count)) if count > 1 else ()
            with running("--index", str(folder), *more) as server:
                ask_all(server.port, questions, 8, 2 * len(questions))
                held = held_by(processes_of(server.pid))
            rows.append({"workers": count, **_rounded(held)})
    return {"passages": passages, "index_mib": round(size / 2**20), "rows": rows}


def _faults(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """The faults with their kinds, the most frequent first."""
    counted = Counter(f"{item.kind}: {item.fault}" for item in outcomes if item.fault)
    return dict(counted.most_common(20))


def _rounded(held: Held) -> dict[str, float]:
    return {name: round(value, 1) for name, value in held._asdict().items()}


def main() -> int:
    """Measures what is wanted, prints it and saves it; what is not measured stays as saved."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", choices=("soak", "past_capacity", "workers"), action="append")
    parser.add_argument("--minutes", type=float, default=10, help="of the soak (%(default)s)")
    parser.add_argument("--clients", type=int, default=32, help="of the soak (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of its requests (%(default)s)")
    parser.add_argument("--crowd", type=int, default=400, help="past capacity (%(default)s)")
    parser.add_argument("--seconds", type=float, default=20, help="past capacity (%(default)s)")
    parser.add_argument("--workers", type=int, nargs="+", default=(1, 2, 4), help="processes")
    parser.add_argument("--passages", type=int, default=100_000, help="they share (%(default)s)")
    options = parser.parse_args()
    measures: Mapping[str, Callable[[], dict[str, Any]]] = {
        "soak": lambda: soak(options.minutes, options.clients, options.seed),
        "past_capacity": lambda: past_capacity(options.crowd, options.seconds),
        "workers": lambda: workers(options.workers, options.passages),
    }
    for name in options.only or measures:
        result = measures[name]()
        sys.stdout.write(json.dumps({name: result}, indent=2) + "\n")
        sys.stdout.flush()
        save(name, result, _PACKAGES)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
