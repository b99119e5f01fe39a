"""Retriever: both searches count, filters hold, and scores fall."""

from __future__ import annotations

import numpy as np
import pytest

from fakes import ORCHARD, FakeEncoder, FixedEncoder, articles
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.retriever import FusedRetriever
from rustqa.types import Candidate, Scope


def _retriever(encoder: FakeEncoder, *texts: str) -> FusedRetriever:
    documents = [make_document(f"d{number}", text) for number, text in enumerate(texts)]
    return FusedRetriever(build_in_memory(documents or articles(), encoder), encoder)


def _only(*names: str) -> Scope:
    return Scope(documents=frozenset(names))


def _found(candidates: list[Candidate]) -> list[tuple[str, int]]:
    return [(item.passage.document_id, item.passage.paragraph) for item in candidates]


@pytest.mark.parametrize("top_k", [1, 3, 5, 20])
def test_scores_fall_and_top_k_holds(top_k: int) -> None:
    """At most `top_k` candidates come, each once, the best first."""
    candidates = _retriever(FakeEncoder()).retrieve("Who closed the harbour wall?", top_k)
    scores = [candidate.score for candidate in candidates]
    assert scores == sorted(scores, reverse=True)
    assert len(candidates) == min(top_k, 5)
    assert len(set(_found(candidates))) == len(candidates)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("Who is the harbour master?", ("harbour", 2)),
        ("Where may fishermen land their catch?", ("harbour", 3)),
        ("What destroyed the cherry crop?", ("orchard", 1)),
        ("What did the minister promise?", ("orchard", 2)),
    ],
)
def test_the_passage_that_answers_comes_first(question: str, expected: tuple[str, int]) -> None:
    """Ordinary questions find their paragraph."""
    assert _found(_retriever(FakeEncoder()).retrieve(question, 3))[0] == expected


def test_evidence_belongs_to_its_sentence() -> None:
    """Each sentence has its own evidence, in the passage's order; the best gives the score."""
    for candidate in _retriever(FakeEncoder()).retrieve("Who found a crack in the wall?", 5):
        assert [item.sentence for item in candidate.evidence] == list(candidate.passage.sentences)
        assert candidate.score == max(item.score for item in candidate.evidence)
        assert all(0 <= item.bm25 < 1 and abs(item.dense) <= 1.0001 for item in candidate.evidence)


def test_standing_is_how_far_an_article_falls_short() -> None:
    """By its best sentence, which its other passages have the same standing as."""
    found = _retriever(FakeEncoder()).retrieve("Who found a crack in the harbour wall?", 20)
    best = {item.passage.document_id: item.score for item in reversed(found)}
    assert len(best) == 2 < len(found)
    for item in found:
        assert item.standing == best[item.passage.document_id] - found[0].score
    assert {item.standing < 0 for item in found} == {True, False}


def test_words_decide_where_vectors_do_not() -> None:
    """With one vector for all texts the passage that has the rare word comes first."""
    retriever = _retriever(FixedEncoder(), "The sea rose.", "The wall fell.", "The sea fell.")
    assert _found(retriever.retrieve("Why did the wall fall over?", 1)) == [("d1", 1)]


def test_meaning_decides_where_words_do_not() -> None:
    """A passage that shares no word with the question is found by its vector."""
    encoder = FakeEncoder(synonyms={"automobile": "car", "burned": "blaze"})
    retriever = _retriever(encoder, "The sea rose.", "An automobile burned.", "The wall fell.")
    [best] = retriever.retrieve("car blaze", 1)
    assert _found([best]) == [("d1", 1)]
    assert best.evidence[0].bm25 == 0


def test_the_words_of_the_whole_passage_count() -> None:
    """Of equally good sentences the one in a passage with more of the words comes first."""
    texts = [
        "The sea rose. Nobody slept.",
        "The sea rose. The wall fell.",
        "The wall fell. Nobody slept.",
    ]
    found = _found(_retriever(FixedEncoder(), *texts).retrieve("sea wall", 3))
    assert found[0] == ("d1", 1)


def test_a_question_without_a_known_word_has_candidates() -> None:
    """They come with no share of words."""
    candidates = _retriever(FakeEncoder()).retrieve("xylophone quux", 3)
    assert len(candidates) == 3
    assert {item.bm25 for candidate in candidates for item in candidate.evidence} == {0.0}


@pytest.mark.parametrize("question", ["???", "the of and", "\N{PISTOL}"])
def test_a_question_without_any_term_has_candidates(question: str) -> None:
    """Punctuation, stop words and emoji alone are no error."""
    assert len(_retriever(FakeEncoder()).retrieve(question, 3)) == 3


def test_only_the_named_documents_are_searched() -> None:
    """All of a named document's passages can be found, however near another's are."""
    retriever = _retriever(FakeEncoder())
    found = _found(retriever.retrieve("Who is the harbour master?", 5, _only("orchard")))
    assert sorted(found) == [("orchard", 1), ("orchard", 2)]
    assert len(retriever.retrieve("harbour", 20, _only("harbour", "orchard"))) == 5


def test_a_named_document_is_found_among_many() -> None:
    """The filter is applied before the best are picked, not after."""
    near = ["The wall fell."] * 120
    retriever = _retriever(FakeEncoder(), *near, ORCHARD)
    assert _found(retriever.retrieve("wall fell", 1, _only("d120")))[0][0] == "d120"


def test_equal_scores_keep_the_order_of_the_articles() -> None:
    """Copies of an article come in the order of the store, every time."""
    retriever = _retriever(FakeEncoder(), *["The wall fell."] * 5)
    first = retriever.retrieve("Why did the wall fall?", 5)
    assert _found(first) == [(f"d{number}", 1) for number in range(5)]
    assert retriever.retrieve("Why did the wall fall?", 5) == first


def _scores(candidates: list[Candidate]) -> dict[tuple[str, int], list[float]]:
    """Of each passage its sentences' scores."""
    return {
        (item.passage.document_id, item.passage.paragraph): [one.score for one in item.evidence]
        for item in candidates
    }


CLOSED = "Who closed the harbour?"
FROST = "What destroyed the cherry crop?"


def test_wordings_count_alike() -> None:
    """Each sentence's evidence is the mean of what the question and its other wordings find."""
    retriever = _retriever(FakeEncoder())
    alone = [_scores(retriever.retrieve(question, 5)) for question in (CLOSED, FROST, "And why?")]
    together = _scores(retriever.retrieve(CLOSED, 5, wordings=[FROST, "And why?"]))
    assert len(together) == 5
    for passage, scores in together.items():
        assert scores == pytest.approx(np.mean([one[passage] for one in alone], axis=0))
    candidates = retriever.retrieve(CLOSED, 5, wordings=[FROST])
    best = [candidate.score for candidate in candidates]
    assert best == sorted(best, reverse=True)


@pytest.mark.parametrize("wordings", [[], [CLOSED], [CLOSED, CLOSED]])
def test_the_same_wording_changes_nothing(wordings: list[str]) -> None:
    """Nor does none."""
    retriever = _retriever(FakeEncoder())
    plain, worded = retriever.retrieve(CLOSED, 5), retriever.retrieve(CLOSED, 5, wordings=wordings)
    assert _found(worded) == _found(plain)
    for passage, scores in _scores(worded).items():
        assert scores == pytest.approx(_scores(plain)[passage])


def test_what_a_wording_finds_is_found() -> None:
    """Among the articles named, and among more passages than are looked at for one."""
    retriever = _retriever(FakeEncoder(), *["The wall fell."] * 60, ORCHARD)
    [first, *_] = retriever.retrieve("The wall fell?", 20, wordings=[FROST])
    assert first.passage.document_id != "d60"
    found = _found(retriever.retrieve("Why?", 1, wordings=[FROST]))
    assert found == [("d60", 1)]
    assert _found(retriever.retrieve("Why?", 1, _only("d0"), [FROST])) == [("d0", 1)]
    encoder = FakeEncoder(synonyms={"automobile": "car", "burned": "blaze"})
    by_meaning = _retriever(encoder, *["The wall fell."] * 60, "An automobile burned.")
    assert _found(by_meaning.retrieve("The wall?", 1, wordings=["car blaze"] * 3)) == [("d60", 1)]
