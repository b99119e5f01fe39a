"""No framework: sentence-transformers and FAISS by hand, in the fewest lines; dense only."""

from __future__ import annotations

import json
from pathlib import Path

import faiss
from sentence_transformers import SentenceTransformer

from bench.peers.protocol import Passage, Search, main, model, read_passages


def _build(passages: Path, folder: Path, hybrid: bool) -> None:
    texts = [passage.text for passage in read_passages(passages)]
    vectors = SentenceTransformer(model()).encode(texts, normalize_embeddings=True)
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    faiss.write_index(index, str(folder / "vectors.faiss"))
    (folder / "passages.json").write_text(json.dumps(read_passages(passages)))


def _load(folder: Path, hybrid: bool) -> Search:
    encoder = SentenceTransformer(model())
    index = faiss.read_index(str(folder / "vectors.faiss"))
    passages = json.loads((folder / "passages.json").read_text())

    def search(question: str) -> Passage:
        _, found = index.search(encoder.encode([question], normalize_embeddings=True), 1)
        return Passage(*passages[found[0][0]])

    return search


if __name__ == "__main__":
    main(_build, _load)
