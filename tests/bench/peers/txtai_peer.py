"""txtai: an Embeddings index with content, saved and loaded; hybrid as its own option."""

from __future__ import annotations

from pathlib import Path

from txtai import Embeddings

from bench.peers.protocol import Passage, Search, main, model, read_passages


def _build(passages: Path, folder: Path, hybrid: bool) -> None:
    embeddings = Embeddings(path=model(), content=True, hybrid=hybrid)
    embeddings.index((passage.id, passage.text, None) for passage in read_passages(passages))
    embeddings.save(str(folder))


def _load(folder: Path, hybrid: bool) -> Search:
    embeddings = Embeddings()
    embeddings.load(str(folder))

    def search(question: str) -> Passage:
        best = embeddings.search(question, 1)[0]
        return Passage(best["id"], best["text"])

    return search


if __name__ == "__main__":
    main(_build, _load)
