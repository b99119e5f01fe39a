"""How articles and passages lie in Qdrant: their points, payloads and filters.

A collection holds a point for each passage, and another, named after it, one for each article and
the head: what everything was made by. A point's id follows from what it holds, so that writing it
twice changes nothing; that of a passage also from its article's version, so that a new version
stands beside the old one until the article's own point says which of them holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

import numpy as np

from rustqa.store.columns import pack, unpack, vector_type
from rustqa.store.documents import document_line
from rustqa.store.local import Recipe
from rustqa.types import Block, Document, Passage, Scope, Span, Vectors
from rustqa.words import terms

if TYPE_CHECKING:
    from qdrant_client import models

FORMAT_VERSION = 1
DENSE, SPARSE = "passage", "words"

_SPACE = UUID("3d5c0f0e-6b0b-5d0c-9d0a-6f1c8b6c3b51")
HEAD = str(uuid5(_SPACE, "head"))


def version_of(document: Document, recipe: Recipe) -> str:
    """Changes with anything that an article's points are made of."""
    digest = hashlib.sha256(json.dumps([FORMAT_VERSION, recipe]).encode())
    for part in (document_line(document), document.text.encode()):
        digest.update(part)
    return digest.hexdigest()[:32]


def document_point_id(document_id: str) -> str:
    """The id of an article's point."""
    return str(uuid5(_SPACE, f"article {document_id}"))


def document_point(document: Document, version: str, passages: int) -> models.PointStruct:
    """The point of an article of so many passages."""
    from qdrant_client import models

    row = json.loads(document_line(document))
    payload = {
        "document_id": row.pop("id"),
        "version": version,
        "passages": passages,
        "day": _ordinal(document),
        "heading": f"{document.title}\n{document.source or ''}".casefold(),
        "text": document.text,
        "record": row,
    }
    return models.PointStruct(id=document_point_id(document.id), vector={}, payload=payload)


def read_document(payload: Mapping[str, Any]) -> Document:
    """The article of a point."""
    row = dict(payload["record"])
    blocks = tuple(Block(*block) for block in row.pop("blocks"))
    questions = tuple(row.pop("questions"))
    return Document(
        id=payload["document_id"], text=payload["text"], blocks=blocks, questions=questions, **row
    )


def passage_points(
    document: Document, version: str, passages: Sequence[Passage], vectors: Sequence[Vectors]
) -> list[models.PointStruct]:
    """The points of an article's passages; of each the vectors of itself and, if they are several,
    of its sentences."""
    from qdrant_client import models

    points = []
    for number, (passage, rows) in enumerate(zip(passages, vectors, strict=True)):
        payload = {
            "document_id": document.id,
            "version": version,
            "day": _ordinal(document),
            "paragraph": passage.paragraph,
            "number": number,
            "sentences": [list(span) for span in passage.sentences],
            "vectors": b64encode(pack(rows).tobytes()).decode(),
        }
        words = term_numbers(terms(document.text[passage.start : passage.end]))
        held = models.SparseVector(indices=words, values=[1.0] * len(words))
        points.append(
            models.PointStruct(
                id=str(uuid5(_SPACE, f"passage {document.id} {version} {number}")),
                vector={DENSE: rows[0].tolist(), SPARSE: held},
                payload=payload,
            )
        )
    return points


def read_passage(payload: Mapping[str, Any]) -> Passage:
    """The passage of a point."""
    spans = tuple(Span(*span) for span in payload["sentences"])
    return Passage(
        payload["document_id"], payload["paragraph"], spans[0].start, spans[-1].end, spans
    )


def read_vectors(payload: Mapping[str, Any], dimensions: int) -> Vectors:
    """The vectors of a passage and of each of its sentences, shape (1 + sentences, dimensions)."""
    rows = unpack(np.frombuffer(b64decode(payload["vectors"]), vector_type(dimensions)))
    return rows if len(rows) > 1 else rows.repeat(2, axis=0)


def term_numbers(found: Collection[str]) -> list[int]:
    """A number of 32 bits for each different term, in rising order, the same everywhere."""
    digests = (hashlib.blake2b(term.encode(), digest_size=4).digest() for term in set(found))
    return sorted({int.from_bytes(digest, "big") for digest in digests})


def inside(scope: Scope) -> list[models.Condition]:
    """The conditions on a passage or an article in scope."""
    from qdrant_client import models

    conditions: list[models.Condition] = []
    if scope.documents is not None:
        named = models.MatchAny(any=sorted(scope.documents))
        conditions.append(models.FieldCondition(key="document_id", match=named))
    if scope.since or scope.until:
        days = models.Range(
            gte=scope.since.toordinal() if scope.since else 1,
            lte=scope.until.toordinal() if scope.until else None,
        )
        conditions.append(models.FieldCondition(key="day", range=days))
    return conditions


def headed(words: str) -> list[models.Condition]:
    """The conditions on an article whose title or source holds all the words."""
    from qdrant_client import models

    return [
        models.FieldCondition(key="heading", match=models.MatchText(text=word))
        for word in re.findall(r"\w+", words.casefold())
    ]


def not_head() -> models.Condition:
    """The condition on an article's point, which the head is not."""
    from qdrant_client import models

    return models.Filter(must_not=[models.HasIdCondition(has_id=[HEAD])])


def _ordinal(document: Document) -> int:
    """The day as a number that grows with it; 0 for none."""
    return document.day.toordinal() if document.day else 0
