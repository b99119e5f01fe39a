"""Columns: vectors in eight bits, and the places of passages, sentences and vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, documents
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.passages import split_document
from rustqa.store.columns import pack, unpack
from rustqa.types import Document, Vectors

MIXED = make_document("mixed", "It rained. It froze.\n\nIt snowed.\n\nNo. Yes. Ada left.")


def _unit_vectors(count: int, dimensions: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


@pytest.mark.parametrize("dimensions", [2, 64, 384])
def test_eight_bits_keep_a_cosine(dimensions: int) -> None:
    """To a thousandth or so, however many dimensions."""
    rows = _unit_vectors(200, dimensions, 1)
    packed = pack(rows)
    assert packed.itemsize == dimensions + 4
    np.testing.assert_allclose(unpack(packed) @ rows[:50].T, rows @ rows[:50].T, atol=0.005)


def test_packing_again_changes_nothing() -> None:
    """So that vectors taken over from index to index stay as they are."""
    packed = pack(_unit_vectors(100, 384, 2))
    assert np.array_equal(pack(unpack(packed))["codes"], packed["codes"])
    np.testing.assert_allclose(pack(unpack(packed))["scale"], packed["scale"], rtol=1e-6)


def test_a_vector_of_nothing_is_packed() -> None:
    """No text has one, but none divides by zero either."""
    zero = np.zeros((1, 8), np.float32)
    assert np.array_equal(unpack(pack(zero)), zero)
    assert len(pack(zero[:0])) == 0


def test_a_passage_of_one_sentence_shares_its_vector() -> None:
    """The others have a vector of their own and one for each sentence."""
    columns = build_in_memory([MIXED], FakeEncoder()).columns
    assert len(columns) == 3
    assert len(columns.vectors) == 3 + 1 + 4
    assert columns.rows(np.array([0, 1, 2])).tolist() == [0, 1, 2, 3, 3, 4, 5, 6, 7]
    assert columns.rows(np.array([1])).tolist() == [3, 3]
    assert columns.rows(np.array([2, 0])).tolist() == [4, 5, 6, 7, 0, 1, 2]
    assert columns.rows(np.array([], np.int64)).tolist() == []
    assert columns.sentence_numbers(np.array([2, 1])).tolist() == [3, 4, 5, 2]
    assert columns.passage_of.tolist() == [0, 0, 1, 2, 2, 2]


@given(st.lists(documents(), min_size=1, max_size=3))
def test_every_passage_stands_in_its_columns(made_of: list[Document]) -> None:
    """With its article, its paragraph and its sentences, and nothing else."""
    named = [make_document(f"d{number}", document.text) for number, document in enumerate(made_of)]
    store = build_in_memory(named, FakeEncoder())
    expected = [passage for document in named for passage in split_document(document)]
    assert [store.passage(number) for number in range(len(store))] == expected
    for document in named:
        assert store.passages_of(document.id) == split_document(document)
    assert store.passages_of("nobody") == ()
