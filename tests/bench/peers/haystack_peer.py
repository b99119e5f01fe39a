"""Haystack: the in-memory store saved to disk and a pipeline over it; hybrid with its BM25
retriever and reciprocal rank fusion."""

from __future__ import annotations

from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import (
    InMemoryBM25Retriever,
    InMemoryEmbeddingRetriever,
)
from haystack.document_stores.in_memory import InMemoryDocumentStore
from haystack_integrations.components.embedders.sentence_transformers import (
    SentenceTransformersDocumentEmbedder,
    SentenceTransformersTextEmbedder,
)

from bench.peers.protocol import CANDIDATES, Passage, Search, main, model, read_passages

_FILE = "store.json"


def _build(passages: Path, folder: Path, hybrid: bool) -> None:
    embedder = SentenceTransformersDocumentEmbedder(model=model(), progress_bar=False)
    embedder.warm_up()
    documents = [Document(id=item.id, content=item.text) for item in read_passages(passages)]
    store = InMemoryDocumentStore()
    store.write_documents(embedder.run(documents=documents)["documents"])
    store.save_to_disk(str(folder / _FILE))


def _load(folder: Path, hybrid: bool) -> Search:
    store = InMemoryDocumentStore.load_from_disk(str(folder / _FILE))
    pipeline = Pipeline()
    embedder = SentenceTransformersTextEmbedder(model=model(), progress_bar=False)
    pipeline.add_component("embedder", embedder)
    top_k = CANDIDATES if hybrid else 1
    pipeline.add_component("dense", InMemoryEmbeddingRetriever(store, top_k=top_k))
    pipeline.connect("embedder.embedding", "dense.query_embedding")
    if hybrid:
        pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=top_k))
        joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=1)
        pipeline.add_component("joiner", joiner)
        pipeline.connect("dense", "joiner")
        pipeline.connect("words", "joiner")

    def search(question: str) -> Passage:
        inputs = {"embedder": {"text": question}}
        if hybrid:
            inputs["words"] = {"query": question}
        best = pipeline.run(inputs)["joiner" if hybrid else "dense"]["documents"][0]
        return Passage(best.id, best.content)

    return search


if __name__ == "__main__":
    main(_build, _load)
