"""The articles of a collection by id, fetched when they are asked for and kept for a while."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from threading import Lock, local
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from rustqa.store.qdrant_connection import Connection
from rustqa.store.qdrant_points import (
    document_point_id,
    headed,
    inside,
    not_head,
    read_document,
)
from rustqa.types import Document, Listing, Scope

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

_KEPT = 2048
# Seconds for which a fetched article is taken to be as it was.
_FRESH = 5.0
# Seconds for which a thread is given the articles of its last search as they were.
_ASKING = 30.0


class Versioned(NamedTuple):
    """An article, its version, how many passages it has, and when it was fetched."""

    document: Document
    version: str
    passages: int
    fetched: float


class QdrantDocuments(Mapping[str, Document]):
    """The articles of a collection, in no order that means something."""

    def __init__(self, connection: Connection) -> None:
        """Fetches nothing yet."""
        self._connection = connection
        self._name = connection.address.documents
        self._kept: OrderedDict[str, Versioned] = OrderedDict()
        self._lock = Lock()
        self._count = (0, -_FRESH)
        # What the last search of each thread was about, so that what follows from it speaks of the
        # same texts even if another thread learns of newer ones.
        self._searched = local()

    def __len__(self) -> int:
        count, counted = self._count
        if monotonic() - counted < _FRESH:
            return count
        count = self._connection.call(self._counted())
        self._count = (count, monotonic())
        return count

    def __iter__(self) -> Iterator[str]:
        from qdrant_client import models

        chosen = models.Filter(must=[not_head()])
        for payload in self._connection.scroll(self._name, chosen):
            yield self._keep(payload).document.id

    def __getitem__(self, id: str) -> Document:
        found = self.fetch([id], self._pinned()).get(id)
        if found is None:
            raise KeyError(id)
        return found.document

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and id in self.fetch([id], self._pinned())

    def fetch(
        self, ids: Sequence[str], known: Mapping[str, Versioned] | None = None
    ) -> dict[str, Versioned]:
        """Those of the articles that there are; those `known` are taken from there."""
        found = dict(known or {})
        with self._lock:
            fresh = {name: self._kept[name] for name in ids if name in self._kept}
        oldest = monotonic() - _FRESH
        for name, item in fresh.items():
            if item.fetched > oldest:
                found.setdefault(name, item)
        return found | self._fetch(name for name in ids if name not in found)

    def matching(self, versions: Mapping[str, set[str]]) -> dict[str, Versioned]:
        """Those of the articles of which a passage has been found in the version they have now;
        until the next search this thread is given them and no others."""
        with self._lock:
            kept = {name: self._kept[name] for name in versions if name in self._kept}
        # A newer version begins to hold with the article's point, so what is kept is known to hold
        # no longer only if there are passages of another version.
        sure = {name: item for name, item in kept.items() if versions[name] == {item.version}}
        found = sure | self._fetch(name for name in versions if name not in sure)
        found = {name: item for name, item in found.items() if item.version in versions[name]}
        self._searched.found, self._searched.until = found, monotonic() + _ASKING
        return found

    def listing(self, words: str, scope: Scope, start: int, count: int) -> Listing:
        """The articles in scope whose title or source holds the words, the newest first."""
        from qdrant_client import models

        chosen = models.Filter(must=[not_head(), *inside(scope), *headed(words)])
        newest = models.OrderByQuery(
            order_by=models.OrderBy(key="day", direction=models.Direction.DESC)
        )
        total = self._connection.call(self._counted(chosen))
        if count < 1 or start >= total:
            return Listing(total, [])
        points = self._connection.call(
            lambda client: client.query_points(
                self._name, newest, query_filter=chosen, limit=count, offset=start
            )
        ).points
        return Listing(total, [self._keep(point.payload or {}).document for point in points])

    def _counted(self, chosen: models.Filter | None = None) -> Callable[[QdrantClient], int]:
        from qdrant_client import models

        wanted = chosen or models.Filter(must=[not_head()])

        def work(client: QdrantClient) -> int:
            return client.count(self._name, wanted, exact=True).count

        return work

    def _pinned(self) -> Mapping[str, Versioned]:
        """What the last search of this thread found, if that was just now."""
        if monotonic() < getattr(self._searched, "until", 0.0):
            found: Mapping[str, Versioned] = self._searched.found
            return found
        return {}

    def _fetch(self, ids: Iterable[str]) -> dict[str, Versioned]:
        points = list(map(document_point_id, ids))
        if not points:
            return {}
        records = self._connection.call(lambda client: client.retrieve(self._name, points))
        found = [self._keep(record.payload or {}) for record in records]
        return {item.document.id: item for item in found}

    def _keep(self, payload: Mapping[str, Any]) -> Versioned:
        document = read_document(payload)
        item = Versioned(document, payload["version"], payload["passages"], monotonic())
        with self._lock:
            self._kept[document.id] = item
            self._kept.move_to_end(document.id)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return item
