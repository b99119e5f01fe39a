"""A cluster of three: a node is killed, comes back, and a fourth joins, while questions are asked.

What it measures is printed: `pytest -m cluster -s tests/test_qdrant_cluster.py`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Event, Thread
from zlib import crc32

import numpy as np
import pytest
from qdrant_client import models

from fakes import FakeEncoder, FakeReader
from qdrant_servers import Node, Servers
from rustqa.corpus import make_document
from rustqa.pipeline import Pipeline
from rustqa.store.qdrant import QdrantStore
from rustqa.store.qdrant_connection import Connection
from rustqa.store.qdrant_replicas import missing_replicas
from rustqa.types import Document, Vectors
from store_contract import fill, served

ARTICLES, PARAGRAPHS = 2_000, 10
PASSAGES = ARTICLES * PARAGRAPHS
THREADS = 3
PATIENCE = 120

_PLACES = ("harbour", "orchard", "library", "station", "market", "bridge", "museum", "mill")


class CheapEncoder(FakeEncoder):
    """Bags of words as in the fake encoder, each word a direction of its own in 384 dimensions."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        rows = [
            np.sum([_direction(word) for word in re.findall(r"\w+", text.lower())], axis=0)
            for text in texts
        ]
        vectors: Vectors = np.array(rows, np.float32).reshape(-1, 384)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors


@lru_cache(None)
def _direction(word: str) -> Vectors:
    chance = np.random.default_rng(crc32(word.encode()))
    return chance.standard_normal(384, np.float32)


def article(number: int, verb: str = "opened") -> Document:
    """An article of passages in each of which somebody else does something."""
    paragraphs = (
        f"Councillor Quell{number}x{part} {verb} the {_PLACES[(number + part) % 8]} on day "
        f"{number % 365}. Rain fell on the {_PLACES[part % 8]} all the while."
        for part in range(PARAGRAPHS)
    )
    day = np.datetime64("2020-01-01") + number
    return make_document(f"a{number}", "\n\n".join(paragraphs), metadata={"date": str(day)})


@dataclass
class Asking:
    """Asks from several threads until told to stop; keeps when each answer came and how soon."""

    pipeline: Pipeline
    answers: list[tuple[float, float]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    stopped: Event = field(default_factory=Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Asks while the block runs."""
        threads = [Thread(target=self._ask, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stopped.set()
            for thread in threads:
                thread.join()

    def figures(self, start: float, end: float) -> str:
        """How many answers came in that time, and how long half and 99 in 100 took at most."""
        took = [1000 * seconds for at, seconds in self.answers if start <= at <= end]
        half, most = np.percentile(took, [50, 99])
        return f"{len(took):5} asks in {end - start:5.1f} s, p50 {half:6.1f} ms, p99 {most:7.1f} ms"

    def _ask(self, seed: int) -> None:
        chance = np.random.default_rng(seed)
        while not self.stopped.is_set():
            number, part = chance.integers(1, ARTICLES), chance.integers(PARAGRAPHS)
            began = time.monotonic()
            try:
                answer = self.pipeline.ask(f"What did Quell{number}x{part} open?")
                text = answer.citations[0].cited_text if answer.citations else "no answer"
                if f"Quell{number}x{part} " not in text:
                    self.failures.append(f"{number}x{part}: {text}")
            except Exception as error:
                self.failures.append(repr(error))
            self.answers.append((time.monotonic(), time.monotonic() - began))


def _until(reached: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.2)


def _count(connection: Connection) -> int:
    name = connection.address.collection
    return connection.call(lambda client: client.count(name, exact=True).count)


def _move_a_shard(connection: Connection, node: Node) -> None:
    """Moves the first shard of the node's collection to the node that joined last."""
    name = connection.address.collection
    status = connection.call(lambda client: client.cluster_status())
    assert isinstance(status, models.ClusterStatusOneOf1)
    to = next(int(peer) for peer, info in status.peers.items() if node.uri in info.uri)

    def of_shard() -> dict[int, str]:
        found = connection.call(lambda client: client.collection_cluster_info(name))
        places = [(shard.peer_id, shard) for shard in found.remote_shards]
        places += [(found.peer_id, shard) for shard in found.local_shards]  # type: ignore[misc]
        return {peer: str(shard.state) for peer, shard in places if shard.shard_id == 0}

    move = models.MoveShard(shard_id=0, from_peer_id=min(of_shard()), to_peer_id=to)
    connection.call(
        lambda client: client.cluster_collection_update(
            name, models.MoveShardOperation(move_shard=move)
        )
    )
    _until(lambda: of_shard().get(to) == "Active" and move.from_peer_id not in of_shard())


@pytest.mark.cluster
def test_no_answer_fails_while_nodes_come_and_go(
    qdrant_servers: Servers,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """With two replicas of everything a node may be killed, change articles meanwhile, come back,
    and hand a shard to a fourth: every question is answered and no passage lost."""
    nodes = [qdrant_servers.start(cluster=True) for _ in range(3)]
    connection = served(*nodes, settings="?shards=6&replicas=2&write_consistency=1")
    encoder = CheapEncoder()
    documents = [article(number) for number in range(ARTICLES)]
    began = time.monotonic()
    store = fill(connection, documents, encoder)
    written = time.monotonic() - began
    assert _count(connection) == PASSAGES
    assert missing_replicas(connection) == []
    asking = Asking(Pipeline(store, encoder, FakeReader()))
    marks = []
    with caplog.at_level(logging.DEBUG, "rustqa.store.qdrant_connection"), asking.running():
        marks.append(time.monotonic())
        time.sleep(5)
        marks.append(time.monotonic())
        nodes[0].kill()
        time.sleep(5)
        assert _count(connection) == PASSAGES
        fill(connection, [article(0, "closed"), *documents[1:]], encoder)
        _until(lambda: bool(missing_replicas(connection)))
        marks.append(time.monotonic())
        nodes[0].start()
        _until(lambda: missing_replicas(connection) == [])
        assert _count(connection) == PASSAGES
        marks.append(time.monotonic())
        fourth = qdrant_servers.start(cluster=True)
        _move_a_shard(connection, fourth)
        time.sleep(2)
        marks.append(time.monotonic())
    assert _count(connection) == PASSAGES
    with capsys.disabled():
        print(f"\n{PASSAGES:,} passages written in {written:.1f} s")  # noqa: T201
        names = ("before", "a node killed", "it comes back", "a fourth joins, a shard moves")
        for name, start, end in zip(names, marks, marks[1:], strict=False):
            print(f"{name:30} {asking.figures(start, end)}")  # noqa: T201
        print(f"{len(caplog.records)} requests failed and were made again")  # noqa: T201
    assert asking.failures == []
    assert caplog.records
    again = served(nodes[0])
    again.address = connection.address
    answer = Pipeline(QdrantStore(again), encoder, FakeReader()).ask("What did Quell0x3 close?")
    assert "Quell0x3 closed" in answer.citations[0].cited_text
