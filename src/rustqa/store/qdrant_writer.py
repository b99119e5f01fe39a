"""Makes a collection and writes articles into it, so that doing it again changes nothing.

New passages come first, then the article's own point, by which they begin to hold, then what was
there of it before goes. So readers see an article as it was or as it is, wherever writing stops.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from rustqa.store.local import Recipe
from rustqa.store.qdrant_connection import Connection
from rustqa.store.qdrant_points import (
    DENSE,
    FORMAT_VERSION,
    HEAD,
    SPARSE,
    document_point,
    document_point_id,
    passage_points,
    version_of,
)
from rustqa.store.qdrant_state import Known, check_head, differing, read_known
from rustqa.types import Document, Encoder, Passage, Vectors

T = TypeVar("T")

# Points written together.
BATCH = 128


class Article(NamedTuple):
    """An article to be written; of each passage the vectors of itself and of its sentences."""

    document: Document
    version: str
    passages: Sequence[Passage]
    vectors: Sequence[Vectors]


class CollectionWriter:
    """Writes into the collection of a connection."""

    def __init__(
        self, connection: Connection, recipe: Recipe, encoder: Encoder, fresh: bool = False
    ) -> None:
        """Makes the collection if it is missing, or with `fresh` anew; raises StoreError if what
        is there was made by another recipe."""
        self._connection = connection
        self._name = connection.address.collection
        self._articles = connection.address.documents
        self._recipe = recipe
        if fresh:
            for name in (self._articles, self._name):
                connection.call(lambda client: client.delete_collection(name))  # noqa: B023
        if not self._has_head():
            self._make(encoder.encode(["a"]).shape[1])
        self.known = read_known(connection)
        self._mend()

    def version_of(self, document: Document) -> str:
        """The version that this article would be written in."""
        return version_of(document, self._recipe)

    def write(self, articles: Sequence[Article]) -> None:
        """Writes these in place of what is there of them."""
        from qdrant_client import models

        for points in _batches(point for item in articles for point in passage_points(*item)):
            self._upsert(self._name, points)
        heads = [
            document_point(item.document, item.version, len(item.passages)) for item in articles
        ]
        for points in _batches(heads):
            self._upsert(self._articles, points)
        changed = [item.document.id for item in articles if item.document.id in self.known]
        if changed:
            now = [item.version for item in articles]
            self._delete(
                self._name,
                models.Filter(must=[_any("document_id", changed)], must_not=[_any("version", now)]),
            )
        for item in articles:
            self.known[item.document.id] = Known(item.version, len(item.passages))
        self.stamp()

    def remove(self, ids: Collection[str]) -> None:
        """Removes these articles."""
        from qdrant_client import models

        for some in _batches(ids):
            points = models.PointIdsList(points=list(map(document_point_id, some)))
            self._connection.call(
                lambda client: client.delete(self._articles, points, wait=True)  # noqa: B023
            )
            self._delete(self._name, models.Filter(must=[_any("document_id", some)]))
            for name in some:
                self.known.pop(name, None)
        self.stamp()

    def stamp(self) -> None:
        """Says in the head what the articles are now, so that the store's id follows them."""
        total = sum(int(item.version, 16) for item in self.known.values())
        payload = {"revision": f"{total % 2**128:032x}"}
        self._connection.call(
            lambda client: client.set_payload(self._articles, payload, [HEAD], wait=True)
        )

    def _mend(self) -> None:
        """Removes what an interrupted writer left, and forgets articles that lack passages, so
        that they are written again."""
        from qdrant_client import models

        left, lacking = differing(self._connection, self.known)
        for some in _batches(left):
            each: list[models.Condition] = [
                models.Filter(must=[_any("document_id", [name]), _any("version", [version])])
                for name, version in some
            ]
            self._delete(self._name, models.Filter(should=each))
        for name in lacking:
            self.known[name] = Known(version="0", passages=0)

    def _has_head(self) -> bool:
        """Whether there is a whole collection; raises StoreError if it is of another kind."""
        exist = [
            self._connection.call(lambda client: client.collection_exists(name))  # noqa: B023
            for name in (self._name, self._articles)
        ]
        if not all(exist):
            return False
        records = self._connection.call(lambda client: client.retrieve(self._articles, [HEAD]))
        if not records:
            return False
        check_head(records[0].payload or {}, self._recipe, self._connection.address)
        return True

    def _make(self, dimensions: int) -> None:
        """Makes what is missing; the head comes last."""
        from qdrant_client import models

        at = self._connection.address
        spread: dict[str, Any] = {
            "shard_number": at.shards,
            "replication_factor": at.replicas,
            "write_consistency_factor": at.write_consistency,
            "on_disk_payload": True,
        }
        in_eight_bits = models.ScalarQuantization(
            scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, always_ram=True)
        )
        dense = models.VectorParams(
            size=dimensions, distance=models.Distance.COSINE, on_disk=True,
            quantization_config=in_eight_bits,
        )  # fmt: skip
        words = models.SparseVectorParams(modifier=models.Modifier.IDF)
        self._make_collection(
            self._name, {DENSE: dense}, {SPARSE: words}, spread,
            {"document_id": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD)},
        )  # fmt: skip
        heading = models.TextIndexParams(
            type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.PREFIX,
            min_token_len=1, max_token_len=30, lowercase=True,
        )  # fmt: skip
        self._make_collection(
            self._articles, {}, {}, spread,
            {
                "document_id": models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD),
                "heading": heading,
            },
        )  # fmt: skip
        head = {"format_version": FORMAT_VERSION, "recipe": self._recipe, "revision": "0"}
        self._upsert(self._articles, [models.PointStruct(id=HEAD, vector={}, payload=head)])

    def _make_collection(
        self, name: str, dense: Any, sparse: Any, spread: Mapping[str, Any],
        indexes: Mapping[str, Any],
    ) -> None:  # fmt: skip
        from qdrant_client import models

        if not self._connection.call(lambda client: client.collection_exists(name)):
            self._connection.call(
                lambda client: (
                    client.collection_exists(name)
                    or client.create_collection(
                        name, vectors_config=dense, sparse_vectors_config=sparse, **spread
                    )
                )
            )
        days = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER)
        for field, kind in {**indexes, "day": days}.items():
            self._connection.call(
                lambda client: client.create_payload_index(name, field, kind, wait=True)  # noqa: B023
            )

    def _upsert(self, name: str, points: Sequence[Any]) -> None:
        self._connection.call(lambda client: client.upsert(name, list(points), wait=True))

    def _delete(self, name: str, chosen: Any) -> None:
        from qdrant_client import models

        selector = models.FilterSelector(filter=chosen)
        self._connection.call(lambda client: client.delete(name, selector, wait=True))


def _any(key: str, values: Iterable[str]) -> Any:
    from qdrant_client import models

    return models.FieldCondition(key=key, match=models.MatchAny(any=list(values)))


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while some := list(islice(rest, BATCH)):
        yield some
