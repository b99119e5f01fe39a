"""The FAISS index over passages: its kind chosen by how many there are, its recall measured.

Up to `FLAT` passages the search is exact. Beyond, vectors lie in lists about centroids, in eight
bits relative to them (IVF with a scalar quantizer), and a question looks through as many lists as
find, of the ten nearest passages of a sample, `RECALL`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import log2, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rustqa.runtime import processors
from rustqa.store.columns import Numbers
from rustqa.types import Vectors

log = logging.getLogger(__name__)

FLAT = 50_000
RECALL = 0.98
TOP = 10
# A list holds some 250 vectors at a million passages; k-means needs 40 vectors a centroid.
_LISTS_PER_ROOT = 4
_TRAINING = 40
_SAMPLE = 400
_ROUNDS = 8
_CHUNK = 65_536
_SEED = 7

Rows = Callable[[int, int], Vectors]
"""The vectors of the passages from one number to another."""


class Nearest:
    """Finds the passages nearest to a question; on unit vectors the product is the cosine."""

    def __init__(self, index: Any, probes: int = 0, recall: float = 1.0) -> None:
        """Wraps a FAISS index; `probes` is the number of lists looked through (0: it is flat)."""
        self.index = index
        self.probes = probes
        self.recall = recall

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def kind(self) -> str:
        """FAISS's name for such an index."""
        return f"IVF{self.index.nlist},SQ8" if self.probes else "Flat"

    def search(
        self, vectors: Vectors, top_k: int, inside: NDArray[np.bool_] | None = None
    ) -> Numbers:
        """Passages nearest to each question, the nearest first, shape (questions, at most top_k);
        with `inside` only passages of which it is true. -1 stands where there are no more."""
        faiss = _faiss()
        # A question is too little work to be shared; threads that wait for it hold up others.
        faiss.omp_set_num_threads(1)
        selector = None
        if inside is not None:
            selector = faiss.IDSelectorBitmap(np.packbits(inside, bitorder="little"))
        if self.probes:
            parameters = faiss.SearchParametersIVF(sel=selector, nprobe=self.probes)
        else:
            parameters = faiss.SearchParameters(sel=selector)
        _, found = self.index.search(vectors, min(top_k, len(self)), params=parameters)
        numbers: Numbers = found
        return numbers

    def to_bytes(self) -> NDArray[np.uint8]:
        """What a file of this index holds."""
        faiss = _faiss()
        data: NDArray[np.uint8] = faiss.serialize_index(self.index)
        return data


def build_nearest(rows: Rows, count: int, before: Nearest | None = None) -> Nearest:
    """The index over `count` passages; centroids are taken over from `before` if they still fit."""
    faiss = _faiss()
    faiss.omp_set_num_threads(processors())
    dimensions = rows(0, 1).shape[1]
    if count <= FLAT:
        index = faiss.IndexFlatIP(dimensions)
        _add(index, rows, count)
        return Nearest(index)
    lists = _lists(count)
    if before is not None and before.probes and before.index.nlist == lists:
        index = faiss.clone_index(before.index)
        index.reset()
    else:
        index = _trained(rows, count, lists, dimensions)
    _add(index, rows, count)
    probes, recall = _tuned(index, rows, count)
    log.info("index IVF%d,SQ8: %d lists looked through, recall %.3f", lists, probes, recall)
    return Nearest(index, probes, recall)


def load_nearest(file: Path, data: bytes | None, probes: int, recall: float) -> Nearest:
    """The index in a file, mapped into memory, or in what was read of it already."""
    faiss = _faiss()
    if data is not None:
        return Nearest(faiss.deserialize_index(np.frombuffer(data, np.uint8)), probes, recall)
    return Nearest(faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC), probes, recall)


def _faiss() -> Any:
    """FAISS, whose hints of types leave out what it adds in Python."""
    import faiss

    return faiss


def _lists(count: int) -> int:
    """The power of two nearest to four times the root of the count."""
    return 1 << round(log2(_LISTS_PER_ROOT * sqrt(count)))


def _trained(rows: Rows, count: int, lists: int, dimensions: int) -> Any:
    faiss = _faiss()
    quantizer = faiss.IndexFlatIP(dimensions)
    index = faiss.IndexIVFScalarQuantizer(
        quantizer, dimensions, lists, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT
    )
    index.cp.niter = _ROUNDS
    index.cp.seed = _SEED
    wanted = min(count, _TRAINING * lists)
    starts = np.linspace(0, count, wanted // 64 + 1, dtype=int)
    sample = np.concatenate([rows(at, min(at + 64, count)) for at in starts[:-1].tolist()])
    index.train(sample)
    return index


def _add(index: Any, rows: Rows, count: int) -> None:
    for start in range(0, count, _CHUNK):
        index.add(rows(start, min(start + _CHUNK, count)))


def _tuned(index: Any, rows: Rows, count: int) -> tuple[int, float]:
    """How many lists to look through, and the recall at 10 that they reach on the sample.

    Two passages at random are mixed into a question: it is near some passages but is none.
    """
    faiss = _faiss()
    chance = np.random.default_rng(_SEED)
    places = chance.integers(0, count, 2 * _SAMPLE)
    mixed = np.concatenate([rows(at, at + 1) for at in places.tolist()])
    questions = mixed[:_SAMPLE] + np.float32(0.5) * mixed[_SAMPLE:]
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    exact = _exact(questions, rows, count)

    def recall(probes: int) -> float:
        parameters = faiss.SearchParametersIVF(nprobe=probes)
        _, found = index.search(questions, TOP, params=parameters)
        same = [len(np.intersect1d(*pair)) for pair in zip(exact, found, strict=True)]
        return float(np.mean(same)) / TOP

    probes = 8
    while (reached := recall(probes)) < RECALL and probes < index.nlist:
        probes = min(index.nlist, probes + max(4, probes // 4))
    return probes, reached


def _exact(questions: Vectors, rows: Rows, count: int) -> Numbers:
    """The ten nearest passages of each question."""
    faiss = _faiss()
    scores, numbers = [], []
    for start in range(0, count, _CHUNK):
        part = rows(start, min(start + _CHUNK, count))
        found = faiss.knn(questions, part, TOP, metric=faiss.METRIC_INNER_PRODUCT)
        scores.append(found[0])
        numbers.append(found[1] + start)
    order = np.argsort(-np.concatenate(scores, axis=1), axis=1)[:, :TOP]
    return np.take_along_axis(np.concatenate(numbers, axis=1), order, axis=1)
