"""Writing into a collection: again, interrupted, changed, it comes to the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import pytest
from qdrant_client import QdrantClient, models

from fakes import CountingEncoder, FakeEncoder, FakeReader
from rustqa.corpus import make_document
from rustqa.pipeline import Pipeline
from rustqa.store.address import Address
from rustqa.store.qdrant import QdrantStore
from rustqa.store.qdrant_connection import Connection
from rustqa.store.qdrant_state import differing, read_known
from rustqa.types import EVERYTHING, Document
from rustqa.words import terms
from store_contract import fill, local_connection

T = TypeVar("T")


def _many(count: int = 40, word: str = "sea") -> list[Document]:
    paragraphs = [
        "\n\n".join(f"The {word} of day {day} rose. Nobody slept in room {part}."
                    for part in range(1 + day % 6))
        for day in range(count)
    ]  # fmt: skip
    return [
        make_document(f"d{number}", text, metadata={"date": f"2024-01-{1 + number % 28:02}"})
        for number, text in enumerate(paragraphs)
    ]


def _content(connection: Connection) -> dict[str, Any]:
    """The payloads in both collections by the points' ids."""
    found: dict[str, Any] = {}
    for name in (connection.address.collection, connection.address.documents):
        records, _ = connection.call(lambda client: client.scroll(name, limit=10_000))  # noqa: B023
        found |= {f"{name} {record.id}": record.payload for record in records}
    return found


class CutOff(Exception):  # noqa: N818
    """Stands for the end of the program."""


class CutConnection(Connection):
    """Lets so many calls through and no more."""

    def __init__(self, like: Connection, calls: int) -> None:
        super().__init__(like.address, like._nodes)
        self.left = calls

    def call(self, work: Callable[[QdrantClient], T]) -> T:
        """As any connection, while it lasts."""
        self.left -= 1
        if self.left < 0:
            raise CutOff
        return super().call(work)


def test_writing_twice_changes_nothing() -> None:
    """The same points come, nothing is encoded again, and the store's id stays."""
    connection, encoder = local_connection(), CountingEncoder()
    store = fill(connection, _many(), encoder)
    before, encoded = _content(connection), len(encoder.encoded)
    again = fill(connection, _many(), encoder)
    assert _content(connection) == before
    assert len(encoder.encoded) == encoded
    assert again.id == store.id


def _calls(old: Sequence[Document], new: Sequence[Document]) -> int:
    """How many calls it takes to write the new articles where the old ones are."""
    connection = local_connection()
    fill(connection, old, FakeEncoder())
    counting = CutConnection(connection, 1000)
    fill(counting, new, FakeEncoder())
    return 1000 - counting.left


@pytest.mark.parametrize("seed", range(6))
def test_what_was_interrupted_comes_to_the_same(seed: int) -> None:
    """Wherever an update stops, done again it leaves what one that was never stopped leaves."""
    chance = random.Random(seed)  # noqa: S311
    old, new = _many(80), [*_many(60, "lake"), *_many(90)[70:]]
    calls = _calls(old, new)
    expected = local_connection()
    whole = fill(expected, new, FakeEncoder())
    connection = local_connection()
    fill(connection, old, FakeEncoder())
    for _ in range(3):
        with suppress(CutOff):
            fill(CutConnection(connection, chance.randrange(calls)), new, FakeEncoder())
        _holds_together(QdrantStore(connection))
    store = fill(connection, new, FakeEncoder())
    assert _content(connection) == _content(expected)
    assert store.id == whole.id


def _holds_together(store: QdrantStore) -> None:
    """Every passage found is a slice of an article that the store has."""
    pool = store.search(FakeEncoder().encode(["sea"]), [terms("sea lake")], 400, EVERYTHING)
    for passage, text in zip(pool.passages, pool.texts, strict=True):
        assert store.documents[passage.document_id].text[passage.start : passage.end] == text


def test_the_making_of_a_collection_may_be_interrupted() -> None:
    """Before the head is there it counts as missing and is made to the end."""
    expected = local_connection()
    fill(expected, _many(3), FakeEncoder())
    for calls in range(12):
        connection = local_connection()
        try:
            fill(CutConnection(connection, calls), _many(3), FakeEncoder())
        except CutOff:
            fill(connection, _many(3), FakeEncoder())
        assert _content(connection) == _content(expected)


def test_lost_passages_are_written_again() -> None:
    """An article that lacks some is not taken to be there."""
    connection = local_connection()
    fill(connection, _many(), FakeEncoder())
    before = _content(connection)
    name = connection.address.collection
    records, _ = connection.call(lambda client: client.scroll(name, limit=7))
    lost = models.PointIdsList(points=[record.id for record in records])
    connection.call(lambda client: client.delete(name, lost))
    assert differing(connection, read_known(connection)).lacking
    fill(connection, _many(), FakeEncoder())
    assert _content(connection) == before


def test_a_reader_sees_an_article_as_it_was_or_as_it_is() -> None:
    """Passages of a version that does not hold yet, or of no article, are not given."""
    old, new = _many(5), [*_many(3, "lake"), *_many(7)[4:]]
    connection = local_connection()
    store = fill(connection, old, FakeEncoder())
    for calls in range(_calls(old, new)):
        _holds_together(store)
        with suppress(CutOff):
            fill(CutConnection(connection, calls), new, FakeEncoder())
        _holds_together(store)
        _holds_together(QdrantStore(connection))
        fill(connection, old, FakeEncoder())


def _search(store: QdrantStore) -> Sequence[str]:
    return store.search(FakeEncoder().encode(["sea"]), [["sea"]], 400).texts


def test_what_follows_from_a_search_speaks_of_the_same_text() -> None:
    """Though the article changes, the thread that searched is given it as it was found."""
    connection = local_connection()
    store = fill(connection, _many(1), FakeEncoder())
    pool = store.search(FakeEncoder().encode(["sea"]), [["sea"]], 5)
    fill(connection, _many(1, "lake"), FakeEncoder())
    passage = pool.passages[0]
    assert store.documents["d0"].text[passage.start : passage.end] == pool.texts[0]
    assert "lake" in store.search(FakeEncoder().encode(["lake"]), [["lake"]], 5).texts[0]
    assert "lake" in store.documents["d0"].text


def test_a_pipeline_follows_an_article_that_changes() -> None:
    """Who is quoted is looked for in the text as it is now, not as it was when first asked."""
    quotation = "“Nobody will sail before the wall is mended,” said Ada Quill."
    connection = local_connection()
    for text in (quotation, f"A storm rose over Saltby. {quotation}"):
        store = fill(connection, [make_document("harbour", text)], FakeEncoder())
        if text == quotation:
            pipeline = Pipeline(store, FakeEncoder(), FakeReader())
        answer = pipeline.ask("Will nobody sail before the wall is mended?")
        assert answer.claims[0].speaker == "Ada Quill"


def test_a_collection_is_spread_as_its_address_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both collections get the number of shards, of replicas, and of those that must confirm."""
    made = []

    def create(_self: Any, name: str, **settings: Any) -> bool:
        made.append((name, settings))
        raise CutOff

    connection = local_connection()
    connection.address = Address(("http://a:1",), "n", 6, 2, 1)
    monkeypatch.setattr(QdrantClient, "create_collection", create)
    with pytest.raises(CutOff):
        fill(connection, _many(1), FakeEncoder())
    settings = made[0][1]
    names = ("shard_number", "replication_factor", "write_consistency_factor")
    assert [settings[name] for name in names] == [6, 2, 1]
