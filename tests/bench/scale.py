"""Measures how an index grows: what it takes to build, to open, to keep and to search.

    make bench-scale, or: PYTHONPATH=tests python -m bench.scale --help

Articles are made up and vectors are cheap sums of words, so that a million passages are indexed in
minutes; a question is also encoded by the real encoder, whose time counts. Every size is built, and
then opened and asked on one processor, in a process of its own. Saved in results/scale.json.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.corpora import DIMENSIONS, News, WordEncoder
from bench.record import save
from rustqa.encoder import open_question_encoder
from rustqa.passages import split_document, splitter_name
from rustqa.retriever import FusedRetriever
from rustqa.settings import Settings
from rustqa.store.builder import Builder
from rustqa.store.folder import Origin, load_store, read_manifest, save_store
from rustqa.store.local import FaissStore
from rustqa.store.nearest import TOP, exact_nearest
from rustqa.types import Encoder, Vectors

SIZES = (10_000, 100_000, 1_000_000)
_QUESTIONS, _WARM_UP = 500, 20
_FOUND = 20
_MIB = 2**20


class _Asker(WordEncoder):
    """Encodes a question by the real encoder too, and so takes its time."""

    def __init__(self) -> None:
        settings = Settings.from_env()
        self._real = open_question_encoder(settings.encoder, settings.cache)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The cheap vectors."""
        self._real.encode(texts)
        return super().encode(texts)


def build(folder: Path, passages: int, encoder: Encoder | None = None) -> dict[str, Any]:
    """Builds an index of so many passages in a folder."""
    began = time.perf_counter()
    builder = Builder(encoder or WordEncoder(), split_document, splitter_name())
    for document in News().articles(passages):
        builder.add(document)
    taken = time.perf_counter()
    store = builder.finish()
    finished = time.perf_counter()
    save_store(store, folder, Origin(()))
    saved = time.perf_counter()
    return {
        "take_s": round(taken - began, 1),
        "finish_s": round(finished - taken, 1),
        "save_s": round(saved - finished, 1),
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def ask(folder: Path) -> dict[str, Any]:
    """Opens the index and asks it questions on one processor."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    asker = _Asker()
    bare = _memory()
    began = time.perf_counter()
    store = load_store(folder)
    retriever = FusedRetriever(store, asker)
    opened = time.perf_counter() - began
    at_start = _memory()
    texts = _some_passages(store, _QUESTIONS + _WARM_UP)
    news = News(11)
    questions = [(number, news.question(text)) for number, text in texts]
    times, busy, found = [], [], 0
    for place, (number, question) in enumerate(questions):
        began, worked = time.perf_counter(), time.process_time()
        candidates = retriever.retrieve(question, _FOUND)
        if place >= _WARM_UP:
            times.append(1000 * (time.perf_counter() - began))
            busy.append(1000 * (time.process_time() - worked))
            found += store.passage(number) in [candidate.passage for candidate in candidates]
    alone = [_timed(asker, question) for _, question in questions]
    after = _memory()
    manifest = read_manifest(folder)
    files = {file.name: file.stat().st_size for file in folder.iterdir()}
    return {
        "passages": len(store),
        "vectors": len(store.columns.vectors),
        "index": store.nearest.kind,
        "probes": store.nearest.probes,
        "recall_at_build": manifest["search"]["recall"],
        "recall_at_10": round(_recall(store, [question for _, question in questions[:200]]), 4),
        "open_s": round(opened, 2),
        "resident_mib": {"without": bare, "opened": at_start, "asked": after},
        "disk_mib": round(sum(files.values()) / _MIB, 1),
        "bytes_a_passage": {name: round(size / len(store), 1) for name, size in files.items()},
        "retrieve_p50_ms": round(float(np.median(times)), 2),
        "retrieve_p95_ms": round(float(np.percentile(times, 95)), 2),
        "retrieve_p50_cpu_ms": round(float(np.median(busy)), 2),
        "retrieve_p95_cpu_ms": round(float(np.percentile(busy, 95)), 2),
        "of_which_encoding_p50_cpu_ms": round(float(np.median(alone)), 2),
        "found_share": round(found / _QUESTIONS, 3),
    }


def _some_passages(store: FaissStore, count: int) -> list[tuple[int, str]]:
    chosen = random.Random(3).sample(range(len(store)), count)
    passages = [(number, store.passage(number)) for number in chosen]
    texts = store.documents
    return [(n, texts[p.document_id].text[p.start : p.end]) for n, p in passages]


def _recall(store: FaissStore, questions: Sequence[str]) -> float:
    """Of the ten nearest passages by all vectors, the share among the first ten found."""
    vectors = WordEncoder().encode(questions)
    exact = exact_nearest(vectors, store.columns.passage_vectors, len(store))
    found = store.nearest.search(vectors, TOP)
    return (
        float(np.mean([len(np.intersect1d(*row)) for row in zip(exact, found, strict=True)])) / TOP
    )


def _timed(asker: _Asker, question: str) -> float:
    began = time.process_time()
    asker.encode([question])
    return 1000 * (time.process_time() - began)


def _memory() -> dict[str, int]:
    """MiB resident: all, and the part that is files mapped into memory."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    values = {
        line.split(":")[0]: line.split()[1] for line in lines if line.startswith(("Vm", "Rss"))
    }
    return {"all": int(values["VmRSS"]) // 1024, "files": int(values["RssFile"]) // 1024}


def _run_apart(step: str, folder: Path, size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.scale", "--step", step, "--folder", str(folder)]
    done = subprocess.run([*command, "--sizes", str(size)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def main() -> int:
    """Measures every size, prints it and saves it."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="passages")
    parser.add_argument("--folder", type=Path, help="where the indexes are kept (default: nowhere)")
    parser.add_argument("--step", choices=("build", "ask"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        size = options.sizes[0]
        place = options.folder / str(size)
        result = build(place, size) if options.step == "build" else ask(place)
        sys.stdout.write(json.dumps(result))
        return 0
    results = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        for size in options.sizes:
            built = folder / f"{size}.json"
            if not built.exists():
                built.write_text(json.dumps(_run_apart("build", folder, size)))
            found = _run_apart("ask", folder, size)
            results.append({**found, "build": json.loads(built.read_text())})
            sys.stdout.write(json.dumps(results[-1], indent=2) + "\n")
            sys.stdout.flush()
    save("scale", {"dimensions": DIMENSIONS, "sizes": results}, ("faiss-cpu", "numpy"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
