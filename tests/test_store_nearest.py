"""Nearest: exact up to a size, then lists of which enough are looked through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rustqa.store import nearest
from rustqa.store.nearest import RECALL, Nearest, build_nearest, load_nearest
from rustqa.types import Vectors

COUNT = 6000


def _clustered(count: int, seed: int) -> Vectors:
    """Unit vectors about some centres, as texts on some matters are."""
    chance = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(60, 32))
    rows = centres[chance.integers(0, 60, count)] + 0.6 * chance.normal(size=(count, 32))
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


ROWS = _clustered(COUNT, 1)
QUESTIONS = _clustered(50, 2)
EXACT = np.argsort(-(QUESTIONS @ ROWS.T), axis=1)


def _built(rows: Vectors = ROWS, before: Nearest | None = None) -> Nearest:
    return build_nearest(rows.__getitem__, len(rows), before)


@pytest.fixture(scope="module")
def lists() -> Nearest:
    """An index of lists, as large ones are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest, "FLAT", 1000)
        return _built()


def _recall(index: Nearest) -> float:
    found = index.search(QUESTIONS, 10)
    same = [len(np.intersect1d(*pair)) for pair in zip(found, EXACT[:, :10], strict=True)]
    return float(np.mean(same)) / 10


def test_a_small_index_is_exact() -> None:
    """The nearest first, for every question."""
    index = _built()
    assert (index.kind, index.probes, index.recall, len(index)) == ("Flat", 0, 1.0, COUNT)
    assert np.array_equal(index.search(QUESTIONS, 20), EXACT[:, :20])
    assert index.search(QUESTIONS[:1], 2 * COUNT).shape == (1, COUNT)


def test_a_large_index_looks_through_enough_lists(lists: Nearest) -> None:
    """As many as find, of ten, the share that is aimed at, and of other questions too."""
    assert lists.kind == "IVF256,PQ8x4fs"
    assert 0 < lists.probes < 256
    assert lists.recall >= RECALL
    assert _recall(lists) >= RECALL - 0.02


def test_more_lists_are_looked_through_where_fewer_miss(lists: Nearest) -> None:
    """The number that was chosen is not far more than it takes."""
    fewer = Nearest(lists.index, ROWS.__getitem__, max(1, lists.probes // 8))
    assert _recall(fewer) < _recall(lists)


def test_only_what_is_inside_is_found(lists: Nearest) -> None:
    """By either kind; -1 fills up where there is no more."""
    inside = np.zeros(COUNT, bool)
    inside[5::7] = True
    allowed = [[number for number in row if inside[number]][:5] for row in EXACT.tolist()]
    assert _built().search(QUESTIONS, 5, inside).tolist() == allowed
    found = lists.search(QUESTIONS, 5, inside)
    assert set(found[found >= 0].tolist()) <= set(np.flatnonzero(inside).tolist())
    assert np.mean(found[:, 0] == np.array(allowed)[:, 0]) > 0.9
    nothing = np.zeros(COUNT, bool)
    nothing[17] = True
    assert set(_built().search(QUESTIONS[:1], 3, nothing)[0].tolist()) == {17, -1}


@pytest.mark.parametrize("mapped", [False, True])
def test_an_index_survives_its_file(lists: Nearest, tmp_path: Path, mapped: bool) -> None:
    """Read or mapped into memory it finds the same."""
    for index in (lists, _built()):
        file = tmp_path / "vectors.faiss"
        file.write_bytes(index.to_bytes().tobytes())
        data = None if mapped else file.read_bytes()
        loaded = load_nearest(file, data, ROWS.__getitem__, index.tuning)
        assert np.array_equal(loaded.search(QUESTIONS, 10), index.search(QUESTIONS, 10))
        assert (loaded.kind, len(loaded)) == (index.kind, len(index))


def test_centroids_are_taken_over(lists: Nearest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where as many lists serve; the vectors are put into them anew, and recall is measured."""
    monkeypatch.setattr(nearest, "FLAT", 1000)
    monkeypatch.setattr(nearest, "_trained", lambda *_: pytest.fail("trained again"))
    grown = np.concatenate([ROWS[100:], _clustered(150, 3)])
    index = _built(grown, lists)
    assert len(index) == len(grown)
    assert index.recall >= RECALL
    exact = np.argsort(-(QUESTIONS @ grown.T), axis=1)[:, 0]
    assert np.mean(index.search(QUESTIONS, 1)[:, 0] == exact) > 0.9
    assert len(lists) == COUNT


def test_what_was_tuned_serves_small_changes(
    lists: Nearest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until they add up to a tenth of the passages; then it is tuned again."""
    monkeypatch.setattr(nearest, "FLAT", 1000)
    tuned: list[int] = []

    def note(index: object, look_up: object, count: int, probes: int) -> Nearest:
        tuned.append(probes)
        return Nearest(index, ROWS.__getitem__, probes, 0.99)

    monkeypatch.setattr(nearest, "_tuned", note)
    one = build_nearest(ROWS.__getitem__, COUNT, lists, 400)
    assert (one.probes, one.recall, one.changed, tuned) == (lists.probes, lists.recall, 400, [])
    two = build_nearest(ROWS.__getitem__, COUNT, one, 400)
    assert (two.recall, two.changed, tuned) == (0.99, 0, [lists.probes])


def test_the_same_vectors_make_the_same_index(
    lists: Nearest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is left to chance."""
    monkeypatch.setattr(nearest, "FLAT", 1000)
    again = _built()
    assert again.probes == lists.probes
    assert np.array_equal(again.search(QUESTIONS, 10), lists.search(QUESTIONS, 10))
