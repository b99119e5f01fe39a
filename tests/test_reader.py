"""Reader: whole sentences, by their evidence and by what the question asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder
from rustqa.corpus import make_document
from rustqa.passages import split_document
from rustqa.pipeline import build_in_memory
from rustqa.reader import EvidenceReader, confidence
from rustqa.retriever import FusedRetriever
from rustqa.types import Candidate, Evidence


def _candidate(text: str, *strengths: float) -> Candidate:
    [passage] = split_document(make_document("d", text))
    evidence = tuple(
        Evidence(sentence, strength, strength, strength, strength, strength)
        for sentence, strength in zip(passage.sentences, strengths, strict=True)
    )
    return Candidate(passage, text[passage.start : passage.end], evidence)


def _best(question: str, text: str, *strengths: float) -> str:
    start, end = EvidenceReader().read(question, [_candidate(text, *strengths)], 1)[0].answer
    return text[start:end]


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.integers(1, 5))
def test_readings_are_sentences_best_first(strengths: list[float], top_k: int) -> None:
    """At most `top_k` sentences of the candidates, each once, the most probably right first."""
    candidate = _candidate("It rained. It froze. It snowed.", *strengths)
    readings = EvidenceReader().read("What happened to the weather?", [candidate], top_k)
    confidences = [reading.confidence for reading in readings]
    assert len(readings) == min(3, top_k)
    assert confidences == sorted(confidences, reverse=True)
    assert all(0 <= value <= 1 for value in confidences)
    assert len({reading.sentence for reading in readings}) == len(readings)
    for reading in readings:
        assert reading.sentence in candidate.passage.sentences
        assert reading.sentence.start <= reading.answer.start < reading.answer.end
        assert reading.answer.end <= reading.sentence.end
        assert set(reading.scores) == {"dense", "bm25", "reader"}


def test_without_candidates_there_is_nothing_to_read() -> None:
    """No candidate, no reading."""
    assert EvidenceReader().read("Why?", [], 3) == []


def test_better_evidence_wins() -> None:
    """Of two sentences alike in kind, the one with the better evidence is read."""
    assert _best("What happened then?", "It rained. It froze. It snowed.", 0.2, 0.9, 0.3) == (
        "It froze."
    )


@pytest.mark.parametrize(
    ("question", "holding", "other"),
    [
        (
            "Who opened the fair?",
            "The fair was opened by Ada Quill.",
            "The fair was opened at last.",
        ),
        ("When was the fair?", "The fair was held in June 1950.", "The fair was held with joy."),
        ("How many came to the fair?", "About 3,000 people came.", "Very few people came."),
        ("Where was the fair?", "The fair was held in Saltby.", "The fair was held with joy."),
        ("Why was the fair closed?", "It closed because of rain.", "It closed with a dance."),
        ("What did she say?", "“It was fun,” she said.", "It was all great fun."),
    ],
)
def test_what_the_question_asks_for_breaks_a_tie(question: str, holding: str, other: str) -> None:
    """Of equally good sentences, the one that holds the kind of thing asked for is read."""
    assert _best(question, f"{other} {holding}", 0.5, 0.5) == holding
    assert _best(question, f"{holding} {other}", 0.5, 0.5) == holding


def test_what_is_asked_for_does_not_outweigh_the_evidence() -> None:
    """A name in a sentence on something else is no answer to "who"."""
    assert _best("Who fell?", "The mayor fell. It was Ada Quill in the rain.", 0.95, 0.05) == (
        "The mayor fell."
    )


@given(st.floats(-2, 3), st.floats(-2, 3))
def test_confidence_rises_with_the_score(one: float, other: float) -> None:
    """A better score is never less probably right, and each is a probability."""
    low, high = sorted([one, other])
    assert 0 <= confidence(low) <= confidence(high) <= 1


def test_offsets_are_those_of_the_document() -> None:
    """Cues are looked up in the sentence itself, wherever its passage stands."""
    filler = "Nothing happened at all in the town. " * 3
    text = f"{filler}\n\nVery few came to it. About 3,000 came to it."
    document = make_document("d", text)
    store = build_in_memory([document], FakeEncoder())
    candidates = FusedRetriever(store, FakeEncoder()).retrieve("How many came to it?", 5)
    [reading] = EvidenceReader().read("How many came to it?", candidates, 1)
    assert text[reading.answer.start : reading.answer.end] == "About 3,000 came to it."
