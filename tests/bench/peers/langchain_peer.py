"""LangChain: HuggingFaceEmbeddings and a FAISS store, saved and loaded; hybrid with its BM25
retriever, which it can only make anew, and its ensemble of ranks."""

from __future__ import annotations

import re
from pathlib import Path

from langchain_community.vectorstores import FAISS
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings

from bench.peers.protocol import CANDIDATES, Passage, Search, main, model, read_passages


def _words(text: str) -> list[str]:
    """What BM25 counts; as it comes, it would tell words by their case and by a full stop."""
    return re.findall(r"\w+", text.lower())


def _build(passages: Path, folder: Path, hybrid: bool) -> None:
    documents = [Document(item.text, id=item.id) for item in read_passages(passages)]
    store = FAISS.from_documents(documents, HuggingFaceEmbeddings(model_name=model()))
    store.save_local(str(folder))


def _load(folder: Path, hybrid: bool) -> Search:
    store = FAISS.load_local(
        str(folder),
        HuggingFaceEmbeddings(model_name=model()),
        # It keeps its passages in a pickle, here one of its own.
        allow_dangerous_deserialization=True,
    )
    retriever = store.as_retriever(search_kwargs={"k": CANDIDATES if hybrid else 1})
    if hybrid:
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever

        documents = store.get_by_ids(list(store.index_to_docstore_id.values()))
        words = BM25Retriever.from_documents(documents, preprocess_func=_words, k=CANDIDATES)
        retriever = EnsembleRetriever(retrievers=[retriever, words], weights=[0.5, 0.5])

    def search(question: str) -> Passage:
        best = retriever.invoke(question)[0]
        return Passage(best.id, best.page_content)

    return search


if __name__ == "__main__":
    main(_build, _load)
