"""LlamaIndex: a VectorStoreIndex persisted and loaded; hybrid with its BM25 retriever and its
fusion of reciprocal ranks."""

from __future__ import annotations

from pathlib import Path

from llama_index.core import StorageContext, VectorStoreIndex, load_index_from_storage
from llama_index.core.schema import TextNode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding

from bench.peers.protocol import CANDIDATES, Passage, Search, main, model, read_passages


def _build(passages: Path, folder: Path, hybrid: bool) -> None:
    nodes = [TextNode(id_=passage.id, text=passage.text) for passage in read_passages(passages)]
    index = VectorStoreIndex(nodes, embed_model=HuggingFaceEmbedding(model_name=model()))
    index.storage_context.persist(persist_dir=str(folder / "vectors"))
    if hybrid:
        from llama_index.retrievers.bm25 import BM25Retriever

        words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=CANDIDATES)
        words.persist(str(folder / "words"))


def _load(folder: Path, hybrid: bool) -> Search:
    storage = StorageContext.from_defaults(persist_dir=str(folder / "vectors"))
    embedding = HuggingFaceEmbedding(model_name=model())
    index = load_index_from_storage(storage, embed_model=embedding)
    retriever = index.as_retriever(similarity_top_k=CANDIDATES if hybrid else 1)
    if hybrid:
        from llama_index.core.llms import MockLLM
        from llama_index.core.retrievers import QueryFusionRetriever
        from llama_index.retrievers.bm25 import BM25Retriever

        words = BM25Retriever.from_persist_dir(str(folder / "words"))
        # One query means that no language model words others; it asks for one all the same.
        retriever = QueryFusionRetriever(
            [retriever, words],
            llm=MockLLM(),
            mode="reciprocal_rerank",
            num_queries=1,
            similarity_top_k=1,
            use_async=False,
        )

    def search(question: str) -> Passage:
        best = retriever.retrieve(question)[0].node
        return Passage(best.node_id, best.get_content())

    return search


if __name__ == "__main__":
    main(_build, _load)
