"""Pipeline: answered or not, what is shown for it, and the index behind it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any
from unicodedata import category

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, FakeReader, FixedEncoder, articles, documents, hashed_scores, texts
from rustqa.citations import broken_quotations
from rustqa.corpus import make_document
from rustqa.errors import QuestionError, UnknownDocumentError
from rustqa.indexing import build_in_memory
from rustqa.limits import MAX_TOP_K
from rustqa.opening import open_pipeline
from rustqa.pipeline import Pipeline
from rustqa.reader import Calibration, SpanReader
from rustqa.settings import Settings
from rustqa.store.local import FaissStore
from rustqa.types import Answer, Document, Encoder, PassageStore, Turn
from rustqa.windows import Layout

QUESTION = "Who is the harbour master?"


def _over(store: FaissStore, *confidences: float, threshold: float = 0.5) -> Pipeline:
    return Pipeline(store, FakeEncoder(), FakeReader(confidences), threshold)


@pytest.fixture(scope="module")
def reader(layout: Layout) -> SpanReader:
    """The shipped reader but for its network."""
    return SpanReader("untaught", layout, hashed_scores, Calibration((1, 1, 1), (1, 0, 0)))


def _broken(answer: Answer, store: PassageStore) -> list[str]:
    return list(broken_quotations(json.loads(json.dumps(asdict(answer))), store.documents))


def test_a_sure_reading_is_an_answer(fake_pipeline: Pipeline) -> None:
    """Claims come best first, each with the citation that shows it; the first is the answer."""
    answer = fake_pipeline.ask(f"  {QUESTION}\n")
    assert answer.status == "answered"
    assert answer.question == f"  {QUESTION}\n"
    assert answer.question_used == QUESTION
    assert answer.answer == answer.claims[0].text == "“"
    assert answer.confidence == answer.claims[0].confidence == 0.9
    assert [claim.citations for claim in answer.claims] == [(1,), (2, 3), (4,)]
    assert [claim.citation for claim in answer.claims] == [1, 2, 4]
    assert [citation.id for citation in answer.citations] == [1, 2, 3, 4]
    assert answer.citations[0].cited_text.endswith("said Ada Quill, the harbour master.")
    assert answer.nearest == ()


def test_unsure_readings_are_no_answer(fake_store: FaissStore) -> None:
    """The nearest passages are shown, no claim is made, and the confidence says why."""
    answer = _over(fake_store, 0.3, 0.2).ask(QUESTION)
    assert answer.status == "no_answer"
    assert answer.answer is None
    assert (answer.claims, answer.citations) == ((), ())
    assert [citation.id for citation in answer.nearest] == [1, 2, 3]
    assert answer.confidence == 0.3


def test_less_likely_claims_follow_a_sure_one(fake_store: FaissStore) -> None:
    """Behind an answer come less likely claims with their own confidence, but no idle ones."""
    answer = _over(fake_store, 0.8, 0.2, 0.05).ask(QUESTION)
    assert [claim.confidence for claim in answer.claims] == [0.8, 0.2]
    assert (len(answer.citations), len(answer.nearest)) == (2, 0)


@pytest.mark.parametrize(
    ("threshold", "status"), [(0.0, "answered"), (0.6, "answered"), (0.61, "no_answer")]
)
def test_the_threshold_decides(fake_store: FaissStore, threshold: float, status: str) -> None:
    """A reading exactly at the threshold is given."""
    assert _over(fake_store, 0.6, threshold=threshold).ask(QUESTION).status == status


def test_an_answer_says_what_it_was_made_from(fake_pipeline: Pipeline) -> None:
    """Index, articles, models and times are recorded, and the record can be saved as JSON."""
    answer = fake_pipeline.ask(QUESTION, top_k=1)
    assert answer.index_id == fake_pipeline.store.id
    assert answer.document_sha256 == {"harbour": articles()[0].sha256}
    assert answer.model == {"encoder": "fake", "reader": "fake-reader"}
    assert answer.timings_ms["total"] >= answer.timings_ms["retrieve"] >= 0
    assert json.loads(json.dumps(asdict(answer)))["citations"][0]["id"] == 1


@given(st.sampled_from([QUESTION, "What did the frost destroy?", "When?"]) | texts())
def test_every_quotation_holds(fake_store: FaissStore, reader: SpanReader, question: str) -> None:
    """Whatever is asked, each answer given can be checked against the articles, and holds."""
    asker = Pipeline(fake_store, FakeEncoder(), reader)
    try:
        answer = asker.ask(question)
    except QuestionError:
        assert not question.strip() or "Cc" in map(category, question)
        return
    assert (answer.status == "answered") == bool(answer.claims)
    assert [bool(answer.claims), bool(answer.nearest), bool(answer.message)].count(True) == 1
    assert _broken(answer, fake_store) == []


@given(documents())
def test_every_quotation_holds_in_any_article(reader: SpanReader, document: Document) -> None:
    """Emoji, odd line ends and repeated sentences in the article do not break quotations."""
    store = build_in_memory([document], FakeEncoder())
    answer = Pipeline(store, FakeEncoder(), reader, 0.0).ask("Who dismissed the case?")
    assert answer.status == "answered"
    assert _broken(answer, store) == []


@pytest.mark.parametrize("top_k", [1, 2, 5, MAX_TOP_K])
def test_top_k_bounds_what_is_shown(fake_store: FaissStore, top_k: int) -> None:
    """At most as many claims, nearest passages and search results as asked for."""
    shown = min(top_k, len(fake_store))
    claims = _over(fake_store, 0.9).ask(QUESTION, top_k=top_k).claims
    # Two of the passages begin with the same letter, which is all that is read of them.
    assert len(claims) == min(top_k, len(fake_store) - 1)
    assert len(_over(fake_store, 0.1).ask(QUESTION, top_k=top_k).nearest) == shown
    assert len(_over(fake_store, 0.1).search("harbour", top_k)) == shown


@pytest.mark.parametrize(("words", "read"), [(10, 12), (150, 5), (179, 4), (900, 1)])
def test_what_is_read_is_bounded(words: int, read: int) -> None:
    """The best passages, together of at most 800 words; the first, however long."""
    paragraphs = (f"The {'long ' * (words - 3)}way {number}." for number in range(12))
    store = build_in_memory([make_document("d", "\n\n".join(paragraphs))], FakeEncoder())
    asker = Pipeline(store, FakeEncoder(), FakeReader())
    candidates = asker.candidates(asker.understand("Which way is long?"))
    assert len(candidates) == read
    assert candidates == sorted(candidates, key=lambda item: -item.score)


def test_a_slip_of_the_pen_is_mended(fake_pipeline: Pipeline) -> None:
    """The question used has the articles' word, the question shown stays as typed."""
    answer = fake_pipeline.ask("Why is the harbuor closed?")
    assert answer.question == "Why is the harbuor closed?"
    assert answer.question_used == "Why is the harbour closed?"


@pytest.mark.parametrize(
    ("question", "options"),
    [
        (" ", {}),
        ("why\x00?", {}),
        (QUESTION, {"top_k": 0}),
        (QUESTION, {"documents": []}),
        (QUESTION, {"documents": ["rain"]}),
    ],
)
def test_what_may_not_be_asked_is_refused(
    fake_pipeline: Pipeline, question: str, options: dict[str, Any]
) -> None:
    """Asked or searched for."""
    for method in (fake_pipeline.ask, fake_pipeline.search):
        with pytest.raises((QuestionError, UnknownDocumentError)):
            method(question, **options)


@pytest.mark.parametrize("turn", [Turn(""), Turn("why\x00?"), Turn(QUESTION, "half \ud83d")])
def test_a_history_that_may_not_be_sent_is_refused(fake_pipeline: Pipeline, turn: Turn) -> None:
    """Even where the question does not lean on it."""
    with pytest.raises(QuestionError):
        fake_pipeline.ask(QUESTION, [turn])


def _tilted(cosine: float) -> FixedEncoder:
    """Gives every text a vector of this cosine with the first axis."""
    vector = np.zeros((1, 64), np.float32)
    vector[0, :2] = cosine, np.sqrt(1 - cosine**2)
    return FixedEncoder(rows=vector)


@pytest.fixture(scope="module")
def level_store() -> FaissStore:
    """Two short articles whose vectors all lie on the first axis."""
    return build_in_memory(articles(), _tilted(1.0))


@pytest.mark.parametrize(("cosine", "shown"), [(-0.5, 0), (0.1, 0), (0.2, 3), (1.0, 3)])
def test_a_question_about_something_else_is_told_so(
    level_store: FaissStore, cosine: float, shown: int
) -> None:
    """Where no sentence is like it, none is shown as near; what can be asked is."""
    answer = Pipeline(level_store, _tilted(cosine), FakeReader((0.3, 0.2)), 0.5).ask("Why rust?")
    assert (answer.status, answer.answer, answer.claims) == ("no_answer", None, ())
    assert len(answer.nearest) == shown
    if shown:
        assert (answer.message, answer.suggestions, answer.confidence) == (None, (), 0.3)
    else:
        assert answer.message == "That does not seem to be about the articles."
        assert answer.confidence == 0
    assert answer.citations == ()


def test_a_sure_answer_is_given_however_unlike_the_question_is(level_store: FaissStore) -> None:
    """What the reader is sure of is on the topic."""
    answer = Pipeline(level_store, _tilted(0.0), FakeReader((0.9,)), 0.5).ask("Why rust?")
    assert (answer.status, answer.message) == ("answered", None)


def test_only_the_named_documents_are_cited(fake_pipeline: Pipeline) -> None:
    """However well another article answers."""
    answer = fake_pipeline.ask(QUESTION, documents=["orchard"])
    assert {citation.document_id for citation in answer.citations} == {"orchard"}
    assert set(answer.document_sha256) == {"orchard"}


def test_search_shows_the_best_sentence_of_each_passage(fake_store: FaissStore) -> None:
    """Every passage is shown once, the best first, and nothing is read for it."""
    reader = FakeReader()
    found = Pipeline(fake_store, FakeEncoder(), reader).search("crack in the east wall", 5)
    assert found[0].cited_text == "Engineers had found a crack in the east wall."
    assert len({(item.document_id, item.paragraph) for item in found}) == 5
    assert reader.asked == []


@pytest.fixture(scope="session")
def shipped(question_encoder: Encoder, model_cache: Path) -> Pipeline:
    """The pipeline as it is shipped."""
    return open_pipeline(replace(Settings.from_env({}), cache=model_cache))


@pytest.mark.model
def test_the_shipped_pipeline_answers_and_says_when_it_cannot(shipped: Pipeline) -> None:
    """The question on the box is answered from the article; one on something else is not."""
    answer = shipped.ask("why was the case dismissed?")
    assert answer.status == "answered"
    assert "withheld" in " ".join(citation.cited_text for citation in answer.citations)
    assert _broken(answer, shipped.store) == []
    assert shipped.ask("What is the boiling point of tungsten?").status == "no_answer"


@pytest.mark.model
def test_the_shipped_suggestions_are_answered(shipped: Pipeline) -> None:
    """Each question suggested on the page has an answer."""
    suggested = shipped.suggestions("rust-case-dismissed")
    assert suggested
    assert {shipped.ask(question).status for question in suggested} == {"answered"}
