"""Measures one server of Qdrant with 20,000 passages: `PYTHONPATH=tests python -m bench.qdrant`."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from qdrant_servers import Servers, find_binary
from rustqa.indexing import build_in_memory
from rustqa.store.qdrant_connection import Connection
from rustqa.types import PassageStore, Pool
from rustqa.words import terms
from store_contract import fill, served
from test_qdrant_cluster import ARTICLES, PARAGRAPHS, CheapEncoder, article

TOP, ASKED = 50, 200


def main() -> None:
    """Prints the figures."""
    binary = find_binary()
    if isinstance(binary, str):
        raise SystemExit(binary)
    with TemporaryDirectory(prefix="rustqa-qdrant-") as name:
        Path(name).chmod(0o755)
        servers = Servers(Path(name), binary)
        try:
            _measure(servers)
        finally:
            servers.end()


def _measure(servers: Servers) -> None:
    node, encoder = servers.start(), CheapEncoder()
    documents = [article(number) for number in range(ARTICLES)]
    connection = served(node)
    for what in ("written", "written again, unchanged"):
        began = time.perf_counter()
        store = fill(connection, documents, encoder)
        print(f"{ARTICLES * PARAGRAPHS:,} passages {what}: {time.perf_counter() - began:.1f} s")
    _settle(connection)
    assert node.process is not None
    status = Path(f"/proc/{node.process.pid}/status").read_text()
    memory = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
    used = subprocess.run(
        ["du", "-sm", node.folder / "storage"], capture_output=True, text=True, check=True
    )
    print(f"on disk {used.stdout.split()[0]} MiB, in memory {int(memory) // 1024} MiB")
    local = build_in_memory(documents, encoder)
    for name, searched in (("Qdrant", store), ("FAISS, in memory", local)):
        took = [_search(searched, encoder, number)[1] for number in range(ASKED)]
        half, most = np.percentile(took[ASKED // 10 :], [50, 99])
        print(f"a search in {name}: p50 {half:.1f} ms, p99 {most:.1f} ms")
    found = wanted = 0
    for number in range(ASKED):
        vectors = encoder.encode([_question(number)])
        near, exact = (_own(item.search(vectors, [[]], TOP)) for item in (store, local))
        least = np.sort(exact)[-TOP]
        found, wanted = found + int((near >= least - 1e-3).sum()), wanted + TOP
    print(f"of the {TOP} nearest passages found: {found / wanted:.3f}")


def _question(number: int) -> str:
    return f"What did Quell{7 * number}x{number % PARAGRAPHS} open?"


def _search(store: PassageStore, encoder: CheapEncoder, number: int) -> tuple[Pool, float]:
    question = _question(number)
    vectors, wanted = encoder.encode([question]), [sorted(set(terms(question)))]
    began = time.perf_counter()
    pool = store.search(vectors, wanted, TOP)
    return pool, 1000 * (time.perf_counter() - began)


def _own(pool: Pool) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The cosines of a pool's passages themselves."""
    rows: np.ndarray[tuple[int], np.dtype[np.float64]] = pool.cosines[
        0, np.cumsum(pool.counts + 1) - pool.counts - 1
    ]
    return rows


def _settle(connection: Connection) -> None:
    """Waits until the server has built its indexes."""
    name = connection.address.collection
    while connection.call(lambda client: str(client.get_collection(name).status)) != "green":
        time.sleep(0.5)


if __name__ == "__main__":
    main()
