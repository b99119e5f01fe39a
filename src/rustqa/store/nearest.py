"""The FAISS index over passages: its kind chosen by how many there are, its recall measured.

Up to `FLAT` passages the search is exact. Beyond, passages lie in lists about centroids, each as a
product-quantized code of four bits for every four dimensions (IVF with PQ fast scan; André et al.,
Quicker ADC, 2021). A question looks through as many lists as find, of the ten nearest passages of
a sample, `RECALL`; the best of these are compared again by their own vectors.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
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
# So many of the passages that codes say are nearest are compared by their vectors.
_COMPARED = 500
# A list holds some 250 vectors at a million passages; k-means needs 40 vectors a centroid.
_LISTS_PER_ROOT = 4
_TRAINING = 40
_SAMPLE = 500
_FEWEST = 8
# What was tuned serves until such a share of the passages is another.
_UNTUNED = 0.1
_ROUNDS = 8
_CHUNK = 65_536
_SEED = 7

LookUp = Callable[[Numbers], Vectors]
"""The vectors of passages by their numbers."""


class Nearest:
    """Finds the passages nearest to a question; on unit vectors the product is the cosine."""

    def __init__(
        self,
        index: Any,
        look_up: LookUp,
        probes: int = 0,
        recall: float = 1.0,
        changed: int = 0,
    ) -> None:
        """Wraps a FAISS index; `probes` is the number of lists looked through (0: it is flat),
        `recall` what that reached, and `changed` how many passages are others since."""
        self.index = index
        self._look_up = look_up
        self.probes = probes
        self.recall = recall
        self.changed = changed

    def __len__(self) -> int:
        return int(self.index.ntotal)

    @property
    def tuning(self) -> dict[str, Any]:
        """How it is searched, and what that was found to reach."""
        return {
            "index": self.kind,
            "probes": self.probes,
            "recall": round(self.recall, 4),
            "changed": self.changed,
        }

    @property
    def kind(self) -> str:
        """FAISS's name for such an index."""
        return f"IVF{self.index.nlist},PQ{self.index.pq.M}x4fs" if self.probes else "Flat"

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
        if not self.probes:
            parameters = faiss.SearchParameters(sel=selector)
            _, found = self.index.search(vectors, min(top_k, len(self)), params=parameters)
            return np.asarray(found)
        probes = self.probes
        if inside is not None:
            # The fewer passages are meant, the farther away are the nearest of them.
            probes = min(self.index.nlist, round(probes / sqrt(max(inside.mean(), 1e-6))))
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes)
        compared = min(max(_COMPARED, 2 * top_k), len(self))
        _, found = self.index.search(vectors, compared, params=parameters)
        return np.stack([self._nearest(*pair, top_k) for pair in zip(vectors, found, strict=True)])

    def _nearest(self, vector: Vectors, found: Numbers, top_k: int) -> Numbers:
        """The nearest of the passages found, by their own vectors."""
        numbers = np.sort(found[found >= 0])
        order = np.argsort(-(self._look_up(numbers) @ vector), kind="stable")[:top_k]
        nearest = np.full(top_k, -1)
        nearest[: len(order)] = numbers[order]
        return nearest

    def to_bytes(self) -> NDArray[np.uint8]:
        """What a file of this index holds."""
        faiss = _faiss()
        data: NDArray[np.uint8] = faiss.serialize_index(self.index)
        return data


def build_nearest(
    look_up: LookUp, count: int, before: Nearest | None = None, changed: int = 0
) -> Nearest:
    """The index over `count` passages; what was trained is taken over from `before` if it fits,
    and what was tuned if no more than a tenth of the passages `changed` since."""
    faiss = _faiss()
    faiss.omp_set_num_threads(processors())
    dimensions = look_up(np.array([0])).shape[1]
    if count <= FLAT:
        index = faiss.IndexFlatIP(dimensions)
        _add(index, look_up, count)
        return Nearest(index, look_up)
    lists = _lists(count)
    if before is not None and before.probes and before.index.nlist == lists:
        index = faiss.clone_index(before.index)
        index.reset()
        _add(index, look_up, count)
        changed += before.changed
        if changed <= _UNTUNED * count:
            return Nearest(index, look_up, before.probes, before.recall, changed)
        nearest = _tuned(index, look_up, count, before.probes)
    else:
        index = _trained(look_up, count, lists, dimensions)
        _add(index, look_up, count)
        nearest = _tuned(index, look_up, count, _FEWEST)
    log.info(
        "%s: %d lists looked through, recall %.3f", nearest.kind, nearest.probes, nearest.recall
    )
    return nearest


def load_nearest(file: Path, data: bytes | None, look_up: LookUp, found: Any) -> Nearest:
    """The index in a file, mapped into memory as far as FAISS can, or in what was read of it
    already; `found` is what its `tuning` was when it was written."""
    faiss = _faiss()
    if data is not None:
        index = faiss.deserialize_index(np.frombuffer(data, np.uint8))
    else:
        index = faiss.read_index(str(file), faiss.IO_FLAG_MMAP_IFC)
    return Nearest(index, look_up, found["probes"], found["recall"], found["changed"])


def _faiss() -> Any:
    """FAISS, whose hints of types leave out what it adds in Python."""
    import faiss

    return faiss


def _lists(count: int) -> int:
    """The power of two nearest to four times the root of the count."""
    return 1 << round(log2(_LISTS_PER_ROOT * sqrt(count)))


def _trained(look_up: LookUp, count: int, lists: int, dimensions: int) -> Any:
    faiss = _faiss()
    width = next(width for width in range(4, dimensions + 1) if dimensions % width == 0)
    name = f"IVF{lists},PQ{dimensions // width}x4fs"
    index = faiss.index_factory(dimensions, name, faiss.METRIC_INNER_PRODUCT)
    # Of unit vectors codes relative to centroids tell less than codes of their own.
    index.by_residual = False
    index.cp.niter = _ROUNDS
    index.cp.seed = _SEED
    chosen = np.random.default_rng(_SEED).permutation(count)[: _TRAINING * lists]
    index.train(look_up(np.sort(chosen)))
    return index


def _add(index: Any, look_up: LookUp, count: int) -> None:
    for numbers in _chunks(count):
        index.add(look_up(numbers))


def _tuned(index: Any, look_up: LookUp, count: int, probes: int) -> Nearest:
    """The index with so many lists looked through, or more, as reach the recall on the sample.

    Two passages at random are mixed into a question: it is near some passages but is none. Real
    questions find as much (docs/scaling.md).
    """
    chance = np.random.default_rng(_SEED)
    mixed = look_up(chance.integers(0, count, 2 * _SAMPLE))
    questions = mixed[:_SAMPLE] + np.float32(0.5) * mixed[_SAMPLE:]
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    exact = exact_nearest(questions, look_up, count)
    while True:
        nearest = Nearest(index, look_up, probes)
        found = nearest.search(questions, TOP)
        same = [len(np.intersect1d(*pair)) for pair in zip(exact, found, strict=True)]
        nearest.recall = float(np.mean(same)) / TOP
        if nearest.recall >= RECALL or probes == index.nlist:
            return nearest
        probes = min(index.nlist, probes + max(4, probes // 4))


def exact_nearest(questions: Vectors, look_up: LookUp, count: int) -> Numbers:
    """The ten nearest of all passages, shape (questions, 10)."""
    faiss = _faiss()
    scores, numbers = [], []
    for chunk in _chunks(count):
        found = faiss.knn(questions, look_up(chunk), TOP, metric=faiss.METRIC_INNER_PRODUCT)
        scores.append(found[0])
        numbers.append(found[1] + chunk[0])
    order = np.argsort(-np.concatenate(scores, axis=1), axis=1)[:, :TOP]
    return np.take_along_axis(np.concatenate(numbers, axis=1), order, axis=1)


def _chunks(count: int) -> Iterator[Numbers]:
    for start in range(0, count, _CHUNK):
        yield np.arange(start, min(start + _CHUNK, count))
