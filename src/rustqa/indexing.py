"""Makes the index of a corpus, and opens it checked against its articles and its encoder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rustqa.encoder import open_passage_encoder, weights_fingerprint
from rustqa.errors import StoreError
from rustqa.index import (
    FaissStore,
    build_store,
    check_store,
    corpus_of,
    load_store,
    make_recipe,
    save_store,
)
from rustqa.passages import split_document, splitter_name
from rustqa.settings import Settings, data_root
from rustqa.sources.reading import read_corpus
from rustqa.types import Document, Encoder


def build_index(settings: Settings, fresh: bool = False) -> FaissStore:
    """Reads the corpus, builds its index and puts it in place of the old one; with `fresh` nothing
    is taken over from that."""
    corpus = _corpus(settings)
    if corpus is None:
        raise StoreError("no corpus is known for this index; name it: rustqa index FOLDER")
    documents = read_corpus(corpus)
    before = None if fresh else _old_store(settings.index)
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    store = build_in_memory(documents, encoder, before)
    save_store(store, settings.index, corpus)
    return store


def _old_store(folder: Path) -> FaissStore | None:
    try:
        return load_store(folder)
    except StoreError:
        return None


def build_in_memory(
    documents: Sequence[Document], encoder: Encoder, before: FaissStore | None = None
) -> FaissStore:
    """Splits and encodes documents into a store that lies on no disk; what stands in the store of
    `before` is not encoded again."""
    passages = [passage for document in documents for passage in split_document(document)]
    return build_store(documents, passages, encoder, splitter_name(), before)


def read_documents(settings: Settings) -> list[Document]:
    """The articles as they are now: from the corpus where there is one, else from the index."""
    corpus = _corpus(settings)
    return read_corpus(corpus) if corpus else list(load_store(settings.index).documents.values())


def open_store(settings: Settings) -> FaissStore:
    """The index from disk, checked against the encoder and the corpus; raises StoreError."""
    store = load_store(settings.index)
    recipe = make_recipe(settings.encoder, weights_fingerprint(settings.encoder), splitter_name())
    corpus = _corpus(settings)
    check_store(store, recipe, read_corpus(corpus) if corpus else None)
    return store


def _corpus(settings: Settings) -> Path | None:
    """The folder named, else that of the index, else, for the index we ship, the one we ship."""
    if settings.corpus is not None:
        return settings.corpus
    if known := corpus_of(settings.index):
        return known
    shipped = data_root()
    return shipped / "corpus" if settings.index == shipped / "index" else None
