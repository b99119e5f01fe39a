"""The store in a folder: what its search brings together, and how well each matches."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, FixedEncoder, articles
from rustqa.corpus import make_document
from rustqa.errors import StoreError
from rustqa.indexing import build_in_memory
from rustqa.store import local
from rustqa.store.local import FaissStore
from rustqa.store.nearest import build_nearest
from rustqa.types import EVERYTHING, Document, Pool, Scope, Vectors
from rustqa.words import terms


def _different(count: int) -> list[Document]:
    """Documents of a passage of two sentences each, no two of their texts alike."""
    return [make_document(f"d{n}", f"It rained {n} times. It froze {n}.") for n in range(count)]


def _unit_rows(count: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, 64)).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _numbers(pool: Pool) -> list[int]:
    return [int(passage.document_id[1:]) for passage in pool.passages]


def _search(store: FaissStore, question: str, top_k: int = 3, scope: Scope = EVERYTHING) -> Pool:
    vectors = FakeEncoder().encode([question])
    return store.search(vectors, [sorted(set(terms(question)))], top_k, scope)


def test_cosines_are_of_passages_and_sentences() -> None:
    """Of each passage first its own, then those of its sentences, for every question."""
    rows = _unit_rows(60, 7)
    store = build_in_memory(_different(20), FixedEncoder(rows=rows))
    pool = store.search(rows[[33, 5]], [[], []], 4)
    found = _numbers(pool)
    assert found == sorted(found)
    asked = [3 * number + place for number in found for place in range(3)]
    np.testing.assert_allclose(pool.cosines, rows[[33, 5]] @ rows[asked].T, atol=0.01)
    assert not pool.shares.any()
    nearest = [np.argsort(-(row @ rows[::3].T))[:4] for row in rows[[33, 5]]]
    assert set(found) == set(np.concatenate(nearest).tolist())


def test_shares_are_of_passages_and_sentences() -> None:
    """A sentence holds what it holds; its passage holds what any of its sentences does."""
    pool = _search(build_in_memory(articles(), FakeEncoder()), "harbour closed east wall?", 5)
    assert pool.texts[0].startswith("The council closed the harbour")
    own, first, second = pool.shares[0, :3]
    assert own > max(first, second) > 0
    for passage, text in zip(pool.passages, pool.texts, strict=True):
        document = next(item for item in articles() if item.id == passage.document_id)
        assert document.text[passage.start : passage.end] == text


def test_words_and_meaning_each_bring_passages() -> None:
    """What only one of the two searches finds is there too."""
    rows = _unit_rows(60, 9)
    store = build_in_memory(_different(20), FixedEncoder(rows=rows))
    pool = store.search(rows[[3 * 4]], [["17"]], 1)
    assert _numbers(pool) == [4, 17]
    assert pool.shares[0, 3] == pytest.approx(1)


DATES = {"a": "2024-07-10", "b": "2024-07-12", "c": None}


@pytest.fixture(scope="module")
def dated() -> FaissStore:
    """The same few words in articles of several days, many times."""
    made_of = [
        make_document(f"{name}{number}", f"It rained {number} times.", metadata={"date": date})
        for name, date in DATES.items()
        for number in range(40)
    ]
    return build_in_memory(made_of, FakeEncoder())


@pytest.mark.parametrize(
    ("scope", "letters"),
    [
        (EVERYTHING, "abc"),
        (Scope(since=dt.date(2024, 7, 11)), "b"),
        (Scope(until=dt.date(2024, 7, 12)), "ab"),
        (Scope(since=dt.date(2025, 1, 1)), ""),
        (Scope(documents=frozenset({"c3", "a7"})), "ac"),
    ],
)
@pytest.mark.parametrize("compared", [0, 20_000])
def test_only_what_is_in_scope_is_found(
    dated: FaissStore, monkeypatch: pytest.MonkeyPatch, scope: Scope, letters: str, compared: int
) -> None:
    """By words and by meaning, whether all in scope are compared or the index is asked."""
    monkeypatch.setattr(local, "_COMPARED", compared)
    for question in ("It rained 7 times?", "zeppelin"):
        pool = _search(dated, question, 60, scope)
        found = {passage.document_id for passage in pool.passages}
        assert {name[0] for name in found} == set(letters)
        assert all(scope.holds(name, dated.documents[name].day) for name in found)


def test_all_of_a_small_scope_is_found(dated: FaissStore) -> None:
    """However near another article is."""
    scope = Scope(documents=frozenset({"a1", "b2", "c3"}))
    assert len(_search(dated, "It rained 30 times?", 2, scope).passages) == 3


def test_a_scope_is_searched_as_the_whole_is(dated: FaissStore) -> None:
    """The nearest of those in scope are the nearest of a store of them alone."""
    scope = Scope(since=dt.date(2024, 7, 12))
    alone = build_in_memory(
        [document for document in dated.documents.values() if document.id[0] == "b"], FakeEncoder()
    )
    inside, whole = (_search(dated, "times 7 9", 3, scope), _search(alone, "times 7 9", 3))
    assert {"b7", "b9"} <= {passage.document_id for passage in inside.passages}
    assert {"b7", "b9"} <= {passage.document_id for passage in whole.passages}


@given(st.lists(st.sampled_from(["It rained.", "It froze. Ada slept.", "No."]), min_size=1))
def test_a_pool_has_a_row_for_each_vector(texts: list[str]) -> None:
    """Whatever is found."""
    made_of = [make_document(f"d{number}", text) for number, text in enumerate(texts)]
    pool = _search(build_in_memory(made_of, FakeEncoder()), "Did Ada sleep?", 2)
    rows = sum(1 + len(passage.sentences) for passage in pool.passages)
    assert pool.cosines.shape == pool.shares.shape == (1, rows)
    assert len(pool.texts) == len(pool.passages)


def test_words_are_counted_as_they_stand() -> None:
    """For mending what is misspelt in a question."""
    store = build_in_memory([make_document("a", "The sea, the Sea; sea-sick é")], FakeEncoder())
    assert store.words == {"The": 1, "the": 1, "sea": 2, "Sea": 1, "sick": 1}


def test_vectors_of_other_passages_are_refused() -> None:
    """As many vectors as passages, or the store is not made."""
    store = build_in_memory(articles(), FakeEncoder())
    fewer = build_nearest(store.columns.passage_vectors, len(store) - 1)
    with pytest.raises(StoreError, match=r"do not match the passages; .* rustqa index"):
        FaissStore(store.id, store.recipe, store.columns, fewer, store.postings, b"")
