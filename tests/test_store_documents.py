"""Documents: an article is found by its id, as it was indexed, and listed by date and words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, articles, documents
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.store.local import FaissStore
from rustqa.types import Document, Scope

DATED = [
    ("storm", "Storm hits Saltby", "2024-07-12", "Saltby Times"),
    ("wall", "The wall is mended", "2024-07-14T10:00:00Z", None),
    ("old", "The wall of Saltby cracks", "2021", None),
    ("undated", "Nobody knows when", None, "Saltby Times"),
    ("spoken", "Said of old", "long ago", None),
    ("twin", "Another on the twelfth", "2024-07-12", None),
]


@pytest.fixture(scope="module")
def store() -> FaissStore:
    """Articles with and without dates."""
    made_of = [
        make_document(name, "It rained.", metadata={"title": title, "date": date, "source": source})
        for name, title, date, source in DATED
    ]
    return build_in_memory(made_of, FakeEncoder())


def _ids(store: FaissStore, *words: str, scope: Scope | None = None) -> list[str]:
    found = store.list_documents(" ".join(words), scope or Scope())
    assert found.total == len(found.documents)
    return [document.id for document in found.documents]


def test_documents_are_as_they_were_indexed() -> None:
    """All fields, the blocks and the text, in the order in which they came."""
    store = build_in_memory(articles()[::-1], FakeEncoder())
    assert list(store.documents) == ["orchard", "harbour"]
    assert dict(store.documents) == {document.id: document for document in articles()}
    assert len(store.documents) == 2
    assert "harbour" in store.documents
    assert "Harbour" not in store.documents
    with pytest.raises(KeyError):
        store.documents["nobody"]


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=30, unique=True))
def test_every_id_is_found(names: list[str]) -> None:
    """Whatever letters and signs it is made of, and no other."""
    names = [name for name in names if name.encode(errors="ignore").decode() == name] or ["a"]
    made_of = [make_document(name, "It rained.") for name in names]
    store = build_in_memory(made_of, FakeEncoder())
    assert [store.documents[name].id for name in names] == names
    assert "nobody of them" not in store.documents
    assert list(store.documents) == names


@given(documents())
def test_texts_and_blocks_survive(document: Document) -> None:
    """Emoji, combining marks, line separators and control characters."""
    assert build_in_memory([document], FakeEncoder()).documents["any"] == document


def test_the_newest_come_first(store: FaissStore) -> None:
    """Then those without a date, equal ones in their order."""
    assert _ids(store) == ["wall", "storm", "twin", "old", "undated", "spoken"]


def test_a_list_is_given_in_parts(store: FaissStore) -> None:
    """Each knows how many there are in all."""
    part = store.list_documents(start=1, count=2)
    assert ([document.id for document in part.documents], part.total) == (["storm", "twin"], 6)
    assert store.list_documents(start=6).documents == []
    assert store.list_documents(count=0).total == 6


def test_titles_and_sources_are_searched(store: FaissStore) -> None:
    """For all of the words, in any case and order, also for parts of words."""
    assert _ids(store, "SALTBY") == ["storm", "old", "undated"]
    assert _ids(store, "saltby", "wall") == ["old"]
    assert _ids(store, "twel") == ["twin"]
    assert _ids(store, "zeppelin") == []


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(since=dt.date(2024, 7, 12)), {"storm", "wall", "twin"}),
        (Scope(until=dt.date(2024, 7, 12)), {"storm", "twin", "old"}),
        (Scope(since=dt.date(2024, 7, 13), until=dt.date(2024, 7, 14)), {"wall"}),
        (Scope(since=dt.date(2025, 1, 1)), set()),
        (Scope(documents=frozenset({"wall", "undated", "nobody"})), {"wall", "undated"}),
        (Scope(frozenset({"wall", "undated"}), until=dt.date(2025, 1, 1)), {"wall"}),
        (Scope(documents=frozenset()), set()),
    ],
)
def test_a_scope_chooses(store: FaissStore, scope: Scope, expected: set[str]) -> None:
    """By ids and by dates, both ends included; an article without a date is in no span."""
    assert set(_ids(store, scope=scope)) == expected
    assert {
        document.id
        for document in store.documents.values()
        if scope.holds(document.id, document.day)
    } == expected
