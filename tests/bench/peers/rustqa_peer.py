"""rustqa by the same rules: its passages are a folder of articles, and its best passage is the
sentence it cites first, behind an answer or as the nearest."""

from __future__ import annotations

from pathlib import Path

from bench.peers.protocol import Passage, Search, main
from rustqa.indexing import build_index
from rustqa.opening import open_pipeline
from rustqa.settings import Settings


def _build(articles: Path, folder: Path, hybrid: bool) -> None:
    build_index(Settings.from_env().override(corpus=articles, index=folder))


def _load(folder: Path, hybrid: bool) -> Search:
    pipeline = open_pipeline(Settings.from_env().override(index=folder))

    def search(question: str) -> Passage:
        answer = pipeline.ask(question)
        for best in (*answer.citations, *answer.nearest):
            place = f"{best.document_id}:{best.start_char}:{best.end_char}"
            return Passage(place, best.cited_text)
        return Passage(":0:0", answer.message or "")

    return search


if __name__ == "__main__":
    main(_build, _load)
