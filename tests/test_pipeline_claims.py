"""Pipeline: whose words a claim is, whether accounts differ, and what can be asked besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, FakeReader, articles, documents
from rustqa.corpus import make_document
from rustqa.errors import QuestionError
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.store.local import FaissStore
from rustqa.types import Answer, Candidate, Document, Reading

QUESTION = "Was the wall safe?"
SAFE = "“The wall was safe,” the port authority said."
UNSAFE = "“The wall was never safe,” said Ada Quill, who disputes that."
INSISTED = "Tom Reed insisted that the wall was safe."
PLAIN = "The wall is forty years old."


class ScriptedReader(FakeReader):
    """Reads the sentences of a script, in its order, whole, with falling scores."""

    script: Sequence[str] = (SAFE, UNSAFE, INSISTED, PLAIN)

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """One reading for each sentence, as sure as the confidences say."""
        found = {
            candidate.text[item.sentence.start - origin : item.sentence.end - origin]: (
                candidate,
                item,
            )
            for candidate in candidates
            for origin in [candidate.passage.start]
            for item in candidate.evidence
        }
        readings = []
        for place, text in enumerate(self.script[:top_k]):
            candidate, item = found[text]
            confidence = self.confidences[min(place, len(self.confidences) - 1)]
            scores = {"dense": 0.5, "bm25": 0.5, "reader": 7.0 - place / 10}
            readings.append(
                Reading(candidate.passage, item.sentence, item.sentence, confidence, scores)
            )
        return readings


@pytest.fixture(scope="module")
def wall_store() -> FaissStore:
    """An article in which two people and a port authority speak of a wall."""
    return build_in_memory(
        [make_document("wall", f"{SAFE} {UNSAFE}\n\n{INSISTED}\n\n{PLAIN}")], FakeEncoder()
    )


def _ask(
    store: FaissStore,
    script: Sequence[str],
    *confidences: float,
    top_k: int = 3,
    threshold: float = 0.5,
) -> Answer:
    reader = ScriptedReader(confidences)
    reader.script = script
    return Pipeline(store, FakeEncoder(), reader, threshold).ask(QUESTION, top_k=top_k)


def _texts(answer: Answer) -> list[str]:
    return [claim.text for claim in answer.claims]


def test_a_claim_is_its_speakers(fake_store: FaissStore) -> None:
    """Whose words it is stands in the article where the record says, beside what tells so; what
    the article says itself is nobody's."""
    answer = Pipeline(fake_store, FakeEncoder(), FakeReader()).ask("Who is the harbour master?")
    said, *others = answer.claims
    text = articles()[0].text
    assert said.speaker == "Ada Quill"
    assert said.attribution is not None
    where = said.attribution
    assert text[where.speaker_start_char : where.speaker_end_char] == "Ada Quill"
    assert text[where.cue_start_char : where.cue_end_char] == "said Ada Quill"
    assert {(claim.speaker, claim.attribution) for claim in others} == {(None, None)}


@given(documents())
def test_every_speaker_stands_in_the_article(document: Document) -> None:
    """Whatever the article's characters are."""
    store = build_in_memory([document], FakeEncoder())
    answer = Pipeline(store, FakeEncoder(), FakeReader(), 0.0).ask("Who said so?")
    for claim in answer.claims:
        assert (claim.speaker is None) == (claim.attribution is None)
        if claim.attribution is not None:
            where = claim.attribution
            assert document.text[where.speaker_start_char : where.speaker_end_char] == claim.speaker


def test_differing_accounts_are_shown_together(wall_store: FaissStore) -> None:
    """The accounts alone, each with its speaker and surer than it would be by itself."""
    answer = _ask(wall_store, [SAFE, UNSAFE, PLAIN], 0.6, 0.5, 0.4)
    assert (answer.status, answer.contested) == ("answered", True)
    assert _texts(answer) == [SAFE, UNSAFE]
    assert [claim.speaker for claim in answer.claims] == ["the port authority", "Ada Quill"]
    assert [citation.cited_text for citation in answer.citations] == [SAFE, UNSAFE]
    first, second = (claim.confidence for claim in answer.claims)
    assert 1 > first > second
    assert (first > 0.6, second > 0.5) == (True, True)
    assert answer.confidence == first


def test_accounts_of_different_articles_are_no_dispute() -> None:
    """They may speak of different walls."""
    made_of = [make_document("a", SAFE), make_document("b", UNSAFE)]
    answer = _ask(build_in_memory(made_of, FakeEncoder()), [SAFE, UNSAFE], 0.6, 0.5)
    assert answer.contested is False
    assert _texts(answer) == [SAFE, UNSAFE]


def test_three_accounts_are_shown(wall_store: FaissStore) -> None:
    """If there is room for them."""
    script = [SAFE, UNSAFE, INSISTED, PLAIN]
    assert _texts(_ask(wall_store, script, 0.6, top_k=4)) == script[:3]
    assert _texts(_ask(wall_store, script, 0.6, top_k=2)) == script[:2]


def test_one_account_alone_is_not_contested(wall_store: FaissStore) -> None:
    """Where only one can be shown, it is an answer as any other."""
    answer = _ask(wall_store, [SAFE, UNSAFE], 0.6, top_k=1)
    assert (answer.contested, _texts(answer), answer.confidence) == (False, [SAFE], 0.6)


def test_an_unlikely_account_is_shown_beside_a_likely_one(wall_store: FaissStore) -> None:
    """Both sides are heard, though one of them would be too doubtful by itself."""
    answer = _ask(wall_store, [SAFE, UNSAFE, PLAIN], 0.9, 0.01, 0.01)
    assert (answer.contested, _texts(answer)) == (True, [SAFE, UNSAFE])
    assert answer.claims[1].confidence < 0.1


def test_what_nobody_disputes_is_not_contested(wall_store: FaissStore) -> None:
    """Claims that the article makes itself, beside what one person says."""
    answer = _ask(wall_store, [SAFE, PLAIN], 0.6, 0.5)
    assert (answer.status, answer.contested, _texts(answer)) == ("answered", False, [SAFE, PLAIN])
    assert [claim.confidence for claim in answer.claims] == [0.6, 0.5]


def test_a_dispute_about_less_likely_answers_is_not_shown(wall_store: FaissStore) -> None:
    """Nobody disputes the best answer, which is given."""
    answer = _ask(wall_store, [PLAIN, SAFE, UNSAFE], 0.9, 0.2, 0.1)
    assert (answer.status, answer.contested, _texts(answer)[0]) == ("answered", False, PLAIN)


def test_doubtful_accounts_are_no_answer(wall_store: FaissStore) -> None:
    """They are the nearest passages then, and nothing is contested."""
    answer = _ask(wall_store, [SAFE, UNSAFE, PLAIN], 0.3, 0.2, 0.1, threshold=0.9)
    assert (answer.status, answer.contested, answer.claims) == ("no_answer", False, ())
    assert [citation.cited_text for citation in answer.nearest][:2] == [SAFE, UNSAFE]


@given(
    st.permutations([SAFE, UNSAFE, INSISTED, PLAIN]),
    st.lists(st.floats(0, 1), min_size=4, max_size=4),
    st.integers(1, 4),
    st.floats(0, 1),
)
def test_a_contested_answer_has_two_sides(
    wall_store: FaissStore, script: list[str], sure: list[float], top_k: int, threshold: float
) -> None:
    """Of different speakers, however sure the reader is, with falling confidence; and no other
    answer is called contested."""
    sure.sort(reverse=True)
    answer = _ask(wall_store, script, *sure, top_k=top_k, threshold=threshold)
    confidences = [claim.confidence for claim in answer.claims]
    assert confidences == sorted(confidences, reverse=True)
    assert len(answer.claims) <= top_k
    assert answer.confidence >= round(sure[0], 4) or answer.contested is False
    assert (answer.status == "answered") == bool(answer.claims)
    if answer.contested:
        speakers = [claim.speaker for claim in answer.claims]
        assert len(set(speakers)) == len(speakers) >= 2
    if sure[0] >= threshold:
        assert answer.status == "answered"


def test_suggestions_are_questions_that_are_answered(fake_store: FaissStore) -> None:
    """An article's own, then what people in it say; none that it does not answer."""
    asker = Pipeline(fake_store, FakeEncoder(), FakeReader())
    assert len(fake_store.documents["harbour"].questions) == 2
    assert asker.suggestions("harbour") == ["Who is the harbour master?", "What did Ada Quill say?"]
    assert asker.suggestions("harbour", limit=1) == ["Who is the harbour master?"]
    assert asker.suggestions("harbour", limit=0) == []
    assert asker.suggestions("orchard") == []


@pytest.mark.parametrize(
    ("doubtful", "people"), [("cup", ["Ada Quill", "Tom Reed"]), ("Quill", ["Tom Reed"])]
)
def test_what_somebody_says_is_asked_before_it_is_suggested(
    wall_store: FaissStore, doubtful: str, people: list[str]
) -> None:
    """Of each person who is named, what the article turns out to tell."""
    asker = Pipeline(wall_store, FakeEncoder(), FakeReader(doubtful=doubtful))
    assert asker.suggestions("wall") == [f"What did {name} say?" for name in people]


def test_a_suggestion_that_cannot_be_asked_is_passed_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log names the article."""
    bad = make_document("d", "It rained.", metadata={"questions": ["why\x07?", "Did it rain?"]})
    asker = Pipeline(build_in_memory([bad], FakeEncoder()), FakeEncoder(), FakeReader())
    with pytest.raises(QuestionError):
        asker.ask(bad.questions[0])
    assert asker.suggestions("d") == ["Did it rain?"]
    assert "article d suggests what cannot be asked: the question holds" in caplog.text


def test_a_question_said_twice_is_suggested_once() -> None:
    """Though the article's own questions repeat, or are those about its people."""
    own = ["What did Ada Quill say?", "Did it rain?", "Did it rain?"]
    text = "“It rained all day,” said Ada Quill."
    document = replace(make_document("d", text), questions=tuple(own))
    asker = Pipeline(build_in_memory([document], FakeEncoder()), FakeEncoder(), FakeReader())
    assert asker.suggestions("d") == own[:2]
