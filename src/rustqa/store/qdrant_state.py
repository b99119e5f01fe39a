"""What a collection holds and what made it, and what in it does not belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from rustqa.errors import StoreError
from rustqa.store.address import Address
from rustqa.store.local import Recipe
from rustqa.store.qdrant_connection import Connection
from rustqa.store.qdrant_points import FORMAT_VERSION, not_head

# Points looked at together, of each only a little.
_PAGE = 5000


class Known(NamedTuple):
    """What is known of an article in the collection: its version and how many passages it has."""

    version: str
    passages: int


class Difference(NamedTuple):
    """Articles and versions of passages `left` over, of no article as it is now, and the ids of
    articles that are `lacking` passages."""

    left: list[tuple[str, str]]
    lacking: list[str]


def check_head(head: Mapping[str, Any], recipe: Recipe | None, address: Address) -> None:
    """Raises StoreError unless a head says that this program, and this recipe if one is given,
    made the rest."""
    made = {**head.get("recipe", {}), "format": head.get("format_version")}
    for what, expected in {"format": FORMAT_VERSION, **(recipe or {})}.items():
        if made.get(what) != expected:
            raise StoreError(
                f"{address} was made with another {what.replace('_', ' ')} ({made.get(what)}, not "
                f"{expected}); make it again: rustqa index FOLDER --fresh, with the same --store "
                "and --encoder"
            )


def read_known(connection: Connection) -> dict[str, Known]:
    """The articles in the collection by id."""
    from qdrant_client import models

    rows = connection.scroll(
        connection.address.documents, models.Filter(must=[not_head()]),
        ["document_id", "version", "passages"], _PAGE,
    )  # fmt: skip
    return {row["document_id"]: Known(row["version"], row["passages"]) for row in rows}


def differing(connection: Connection, known: Mapping[str, Known]) -> Difference:
    """How the passages differ from those that the articles should have."""
    from qdrant_client import models

    name = connection.address.collection
    count = connection.call(lambda client: client.count(name, exact=True).count)
    if count == sum(item.passages for item in known.values()):
        return Difference([], [])
    held: Counter[tuple[str, str]] = Counter()
    for row in connection.scroll(name, models.Filter(), ["document_id", "version"], _PAGE):
        held[row["document_id"], row["version"]] += 1
    wanted = {(name, item.version): item.passages for name, item in known.items()}
    lacking = [key[0] for key, count in wanted.items() if held[key] < count]
    return Difference([key for key in held if key not in wanted], lacking)
