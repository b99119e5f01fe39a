"""The store in a Qdrant collection: one question is one request, fused by the engine, and how well
passages and sentences match is computed here from what comes back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from math import log1p
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from rustqa.errors import StoreError
from rustqa.store.address import parse_address
from rustqa.store.local import Recipe
from rustqa.store.qdrant_connection import Connection, connect
from rustqa.store.qdrant_documents import QdrantDocuments
from rustqa.store.qdrant_points import (
    DENSE,
    HEAD,
    SPARSE,
    inside,
    read_passage,
    read_vectors,
    term_numbers,
)
from rustqa.store.qdrant_state import check_head
from rustqa.types import EVERYTHING, Document, Listing, Passage, Pool, Scope, Scores, Vectors
from rustqa.words import terms as terms_of

if TYPE_CHECKING:
    from qdrant_client import models

# Vectors are compared in eight bits; so many times more than asked for are compared again in full.
_OVERSAMPLED = 2.0
# Passages that a search for the nearest keeps in view.
_EXPLORED = 512
# Seconds for which the head and the counts are taken to be as they were.
_FRESH = 2.0
_FIELDS = ["document_id", "version", "paragraph", "number", "sentences", "vectors"]

Payload = Mapping[str, Any]


class QdrantStore:
    """Articles and passages in a collection of Qdrant, on one machine or many."""

    def __init__(self, connection: Connection, recipe: Recipe | None = None) -> None:
        """Asks for the head; raises StoreError unless this program reads it and, if a recipe is
        given, the rest was made by that."""
        self._connection = connection
        self._name = connection.address.collection
        self._articles = QdrantDocuments(connection)
        self._head: tuple[Payload, float] = ({}, -_FRESH)
        self._count = (0, -_FRESH)
        check_head(self.head(), recipe, connection.address)

    @property
    def id(self) -> str:
        """Changes whenever an article, the encoder or the splitting changes."""
        head = self.head()
        parts = [head["format_version"], head["recipe"], head["revision"]]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]

    @property
    def recipe(self) -> Recipe:
        """What made the vectors."""
        recipe: Recipe = self.head()["recipe"]
        return recipe

    @property
    def documents(self) -> Mapping[str, Document]:
        """The articles by id, each fetched when it is asked for."""
        return self._articles

    @property
    def words(self) -> Mapping[str, int]:
        """Nothing: Qdrant keeps no vocabulary, so misspelt words are not mended."""
        return {}

    def __len__(self) -> int:
        count, counted = self._count
        if monotonic() - counted >= _FRESH:
            count = self._connection.call(lambda client: client.count(self._name, exact=True).count)
            self._count = (count, monotonic())
        return count

    def head(self) -> Payload:
        """What the collection was made by, and its revision; raises StoreError."""
        head, fetched = self._head
        if monotonic() - fetched < _FRESH:
            return head
        name = self._connection.address.documents
        records = self._connection.call(lambda client: client.retrieve(name, [HEAD]))
        if not records:
            at = self._connection.address
            raise StoreError(
                f"no articles at {at}; put some there: rustqa index FOLDER --store {at}"
            )
        head = records[0].payload or {}
        self._head = (head, monotonic())
        return head

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        """The passages of one article, in order."""
        from qdrant_client import models

        item = self._articles.fetch([document_id]).get(document_id)
        if item is None:
            return ()
        wanted = {"document_id": document_id, "version": item.version}
        chosen = models.Filter(
            must=[
                models.FieldCondition(key=key, match=models.MatchValue(value=value))
                for key, value in wanted.items()
            ]
        )
        found = list(self._connection.scroll(self._name, chosen, _FIELDS[:-1]))
        return list(map(read_passage, sorted(found, key=_place)))

    def list_documents(
        self, words: str = "", scope: Scope = EVERYTHING, start: int = 0, count: int = 50
    ) -> Listing:
        """The articles in scope in whose title or source words begin with all these, from the
        `start`-th on, the newest first, then those without a date."""
        return self._articles.listing(words, scope, start, count)

    def search(
        self,
        vectors: Vectors,
        terms: Sequence[Sequence[str]],
        top_k: int,
        scope: Scope = EVERYTHING,
    ) -> Pool:
        """For each question the `top_k` passages nearest in meaning and the `top_k` with most of
        its words, together, by the ids of their articles and in their order."""
        different = sorted({term for wanted in terms for term in wanted})
        requests = [
            _hybrid(*question, top_k, scope) for question in zip(vectors, terms, strict=True)
        ]
        requests += map(_rarest, different)
        answers = self._connection.call(
            lambda client: client.query_batch_points(self._name, requests)
        )
        points = [point for answer in answers[: len(terms)] for point in answer.points]
        payloads = self._current({str(point.id): point.payload or {} for point in points})
        tops = [answer.points[0].score if answer.points else 0 for answer in answers[len(terms) :]]
        unknown = log1p((len(self) + 0.5) / 0.5) if 0 in tops else 0.0
        weights = {term: top or unknown for term, top in zip(different, tops, strict=True)}
        passages = list(map(read_passage, payloads))
        documents = self.documents
        texts = [documents[item.document_id].text[item.start : item.end] for item in passages]
        held = [
            set(terms_of(part))
            for passage, text in zip(passages, texts, strict=True)
            for part in (text, *_sentences(passage, text))
        ]
        dimensions = vectors.shape[1]
        rows = [read_vectors(payload, dimensions) for payload in payloads]
        stacked = np.concatenate([np.empty((0, dimensions), np.float32), *rows])
        return Pool(
            passages=passages,
            texts=texts,
            counts=np.array([len(passage.sentences) for passage in passages], np.int64),
            cosines=(vectors @ stacked.T).astype(np.float64),
            shares=_shares(terms, held, weights),
        )

    def _current(self, found: Mapping[str, Payload]) -> list[Payload]:
        """Those of the passages that belong to an article as it is now, in their order."""
        versions: dict[str, set[str]] = {}
        for payload in found.values():
            versions.setdefault(payload["document_id"], set()).add(payload["version"])
        articles = self._articles.matching(versions)
        current = (
            payload
            for payload in found.values()
            if payload["document_id"] in articles
            and payload["version"] == articles[payload["document_id"]].version
        )
        return sorted(current, key=_place)


def open_collection(address: str, key: str | None, recipe: Recipe | None = None) -> QdrantStore:
    """The store at an address, made by this recipe; raises InputError or StoreError if there is
    none."""
    return QdrantStore(connect(parse_address(address), key), recipe)


def _hybrid(
    vector: Vectors, wanted: Sequence[str], top_k: int, scope: Scope
) -> models.QueryRequest:
    """What asks for the passages nearest to a question and those with most of its words."""
    from qdrant_client import models

    chosen = models.Filter(must=inside(scope))
    exact = models.QuantizationSearchParams(rescore=True, oversampling=_OVERSAMPLED)
    searches = [
        models.Prefetch(
            query=vector.tolist(), using=DENSE, limit=top_k, filter=chosen,
            params=models.SearchParams(hnsw_ef=_EXPLORED, quantization=exact),
        )
    ]  # fmt: skip
    if wanted:
        searches.append(
            models.Prefetch(query=_sparse(wanted), using=SPARSE, limit=top_k, filter=chosen)
        )
    return models.QueryRequest(
        prefetch=searches, query=models.FusionQuery(fusion=models.Fusion.RRF),
        limit=len(searches) * top_k, with_payload=_FIELDS,
    )  # fmt: skip


def _rarest(term: str) -> models.QueryRequest:
    """What asks for one passage that holds the term: its score is the term's weight, as the engine
    has counted it."""
    from qdrant_client import models

    return models.QueryRequest(query=_sparse([term]), using=SPARSE, limit=1, with_payload=False)


def _sparse(wanted: Sequence[str]) -> models.SparseVector:
    from qdrant_client import models

    numbers = term_numbers(wanted)
    return models.SparseVector(indices=numbers, values=[1.0] * len(numbers))


def _place(payload: Payload) -> tuple[str, int]:
    return payload["document_id"], payload["number"]


def _sentences(passage: Passage, text: str) -> list[str]:
    first = passage.start
    return [text[start - first : end - first] for start, end in passage.sentences]


def _shares(
    terms: Sequence[Sequence[str]], held: Sequence[set[str]], weights: Mapping[str, float]
) -> Scores:
    """For each question and each text the share of the question's words that the text holds."""
    shares = np.zeros((len(terms), len(held)))
    for row, wanted in enumerate(terms):
        total = sum(weights[term] for term in wanted)
        for term in wanted:
            has = np.fromiter((term in text for text in held), bool, len(held))
            shares[row, has] += weights[term] / total
    return shares
