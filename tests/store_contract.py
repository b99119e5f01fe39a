"""Stores of every kind over the same articles, which are to be found in all of them alike."""

from __future__ import annotations

import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence

import pytest
from qdrant_client import QdrantClient

from fakes import HARBOUR, ORCHARD, FakeEncoder
from qdrant_servers import Node
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.passages import splitter_name
from rustqa.remote_indexing import Uploader
from rustqa.store.address import parse_address
from rustqa.store.folder import Origin, load_store, save_store
from rustqa.store.local import make_recipe
from rustqa.store.qdrant import QdrantStore
from rustqa.store.qdrant_connection import Connection, connect
from rustqa.store.qdrant_writer import CollectionWriter
from rustqa.types import Document, Encoder, PassageStore

Opener = Callable[[Sequence[Document], Encoder], PassageStore]

_ACUTE, _DIAERESIS = "\N{COMBINING ACUTE ACCENT}", "\N{COMBINING DIAERESIS}"
_G, _B = "\N{REGIONAL INDICATOR SYMBOL LETTER G}", "\N{REGIONAL INDICATOR SYMBOL LETTER B}"
ODD = (
    f"The \N{SLICE OF PIZZA} baker\N{FAMILY} of Cafe{_ACUTE} Zoe{_DIAERESIS} won a medal. {_G}{_B} "
    "His zeppelin-shaped loaf pleased the jury!\n\nThe jury ate it. Nobody complained."
)


def dated_articles() -> list[Document]:
    """Articles of different days, sources and scripts, and one without a date."""
    described: list[tuple[str, str, Mapping[str, object]]] = [
        ("harbour", HARBOUR, {"date": "2024-05-02", "source": "Saltby Echo", "title": "Harbour"}),
        ("orchard", ORCHARD, {"date": "2024-06-10T08:00:00Z", "title": "Cherry crop lost"}),
        ("odd", ODD, {"date": "2023", "source": "Äther News", "title": "A prize for bread"}),
        ("undated", "A comet passed. It will be back in 2061.", {"title": "Comet"}),
    ]
    return [make_document(name, text, metadata=metadata) for name, text, metadata in described]


def fill(connection: Connection, documents: Sequence[Document], encoder: Encoder) -> QdrantStore:
    """A store in the collection of a connection, which holds these articles from now on."""
    recipe = make_recipe(encoder.name, encoder.fingerprint, splitter_name())
    uploader = Uploader(encoder, CollectionWriter(connection, recipe, encoder), [])
    for document in documents:
        uploader.take(document)
    uploader.finish()
    uploader.remove((), all_others=True)
    return QdrantStore(connection, recipe)


def local_connection() -> Connection:
    """Qdrant's client without a server, which says that it has no payload indexes."""
    client = QdrantClient(":memory:")
    warnings.filterwarnings("ignore", "Payload indexes have no effect in the local Qdrant")
    return Connection(parse_address("qdrant://memory/articles"), [lambda: client])


def served(*nodes: Node, settings: str = "") -> Connection:
    """A connection to servers and a collection that is new there."""
    hosts = ",".join(node.host for node in nodes)
    name = f"articles-{uuid.uuid4().hex[:8]}"
    return connect(parse_address(f"qdrant://{hosts}/{name}{settings}"), nodes[0].key)


def _in_memory(documents: Sequence[Document], encoder: Encoder) -> PassageStore:
    return build_in_memory(documents, encoder)


def _in_qdrants_client(documents: Sequence[Document], encoder: Encoder) -> PassageStore:
    return fill(local_connection(), documents, encoder)


@pytest.fixture(scope="module", params=["faiss", "faiss-folder", "qdrant-local", "qdrant-server"])
def open_kind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Opener:
    """What makes a store of one kind, in each of the kinds."""
    if request.param == "faiss":
        return _in_memory
    if request.param == "qdrant-local":
        return _in_qdrants_client
    if request.param == "qdrant-server":
        node: Node = request.getfixturevalue("qdrant_server")
        return lambda documents, encoder: fill(served(node), documents, encoder)

    def in_folder(documents: Sequence[Document], encoder: Encoder) -> PassageStore:
        folder = tmp_path_factory.mktemp("index")
        save_store(build_in_memory(documents, encoder), folder, Origin(()))
        return load_store(folder)

    return in_folder


@pytest.fixture(scope="module")
def kept_articles(open_kind: Opener) -> PassageStore:
    """The dated articles, encoded by the fake encoder, in a store of each kind."""
    return open_kind(dated_articles(), FakeEncoder())
