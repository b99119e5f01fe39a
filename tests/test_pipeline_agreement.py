"""Pipeline: what several articles say is one claim with all its citations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fakes import FakeEncoder
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.types import Answer, Candidate, Document, Reading
from web_fixtures import WordReader

BRIDGE = "The bridge opened on Friday."
QUESTION = "What opened on Friday?"


class DoubtfulReader(WordReader):
    """As sure of each reading as it is told to be."""

    def __init__(self, *confidences: float) -> None:
        self._confidences = confidences

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """Those of the other reader, with the confidences in their order."""
        readings = super().read(question, candidates, top_k, contexts)
        sure = [*self._confidences, *[0.0] * top_k]
        return [replace(item, confidence=sure[place]) for place, item in enumerate(readings)]


def _articles(*texts: str) -> list[Document]:
    return [make_document(f"a{number}", text) for number, text in enumerate(texts)]


def _ask(documents: Sequence[Document], *confidences: float, top_k: int = 3) -> Answer:
    encoder = FakeEncoder()
    store = build_in_memory(documents, encoder)
    return Pipeline(store, encoder, DoubtfulReader(*confidences), 0.5).ask(QUESTION, top_k=top_k)


def test_what_several_articles_say_is_one_claim() -> None:
    """With a citation in each of them, its own first."""
    answer = _ask(_articles(BRIDGE, f"It rained. {BRIDGE}"), 0.9, 0.8)
    [claim] = answer.claims
    assert (claim.citation, claim.citations) == (1, (1, 2))
    assert {citation.document_id for citation in answer.citations} == {"a0", "a1"}
    assert {citation.answer for citation in answer.citations} == {claim.text} == {"Friday"}
    assert set(answer.document_sha256) == {"a0", "a1"}


def test_what_one_article_says_twice_is_one_claim() -> None:
    """Cited in both of its paragraphs."""
    answer = _ask(_articles(f"{BRIDGE}\n\nThe shop opened on Friday, too."), 0.9, 0.8)
    [claim] = answer.claims
    assert claim.citations == (1, 2)
    assert sorted(citation.paragraph for citation in answer.citations) == [1, 2]


@pytest.mark.parametrize(("confidence", "citations"), [(0.2, (1, 2)), (0.19, (1,)), (0.05, (1,))])
def test_a_doubtful_sentence_confirms_nothing(
    confidence: float, citations: tuple[int, ...]
) -> None:
    """The same word may stand in it for another reason; it is no claim of its own either."""
    answer = _ask(_articles(BRIDGE, "The storm came on Friday."), 0.9, confidence)
    assert [claim.citations for claim in answer.claims] == [citations]


def test_citations_are_numbered_without_gaps() -> None:
    """Claim by claim, each citation once, however many claims are shown."""
    texts = ["Friday it was.", "On Friday, then.", "He said Friday’s men opened it.", BRIDGE]
    answer = _ask(_articles(*texts), 0.9, 0.8, 0.7, 0.6, top_k=20)
    named = [number for claim in answer.claims for number in claim.citations]
    assert named == [citation.id for citation in answer.citations] == [*range(1, len(named) + 1)]
    assert all(claim.citation == claim.citations[0] for claim in answer.claims)


def test_so_many_citations_are_enough() -> None:
    """However often the same is said."""
    texts = [f"{BRIDGE} It was day {number}." for number in range(9)]
    answer = _ask(_articles(*texts), *[0.9] * 9)
    assert len(answer.claims[0].citations) == 5


def test_a_claim_leaves_room_for_others() -> None:
    """`top_k` counts claims, not citations."""
    texts = [BRIDGE, f"{BRIDGE} Rain fell.", f"{BRIDGE} It snowed."]
    answer = _ask(_articles(*texts), 0.9, 0.8, 0.7, top_k=1)
    assert len(answer.claims) == 1
    assert len(answer.citations) == 3
