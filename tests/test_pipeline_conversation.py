"""Pipeline: how a question is understood after others, and what is said without an article."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import FakeEncoder, FakeReader, texts
from rustqa.corpus import make_document
from rustqa.errors import QuestionError
from rustqa.indexing import build_in_memory
from rustqa.limits import MAX_HISTORY, MAX_QUESTION
from rustqa.pipeline import Pipeline
from rustqa.store.local import FaissStore
from rustqa.types import Scope, Turn

CLOSED = Turn("Who closed the harbour?", "The council")
MASTER = Turn("Who is Ada Quill?", "the harbour master")
WHY = "And why is the harbour shut?"

Contexts = list[tuple[str, ...]]


@dataclass
class Listener:
    """A pipeline over two short articles, and what its reader was asked."""

    pipeline: Pipeline
    reader: FakeReader = field(default_factory=FakeReader)

    def contexts(self, question: str, *history: Turn) -> Contexts:
        """What the question was read behind, it being the last one read."""
        self.reader.asked.clear()
        self.pipeline.ask(question, history)
        asked, contexts = self.reader.asked[-1]
        assert asked == question
        return contexts


@pytest.fixture
def listener(fake_store: FaissStore) -> Listener:
    """One that has heard nothing."""
    reader = FakeReader()
    return Listener(Pipeline(fake_store, FakeEncoder(), reader), reader)


def test_a_question_that_stands_alone_is_read_alone(listener: Listener) -> None:
    """Whatever was talked of before."""
    assert listener.contexts("Who is the harbour master?", CLOSED, MASTER) == [()]


def test_a_follow_up_is_read_behind_what_it_leans_on(listener: Listener) -> None:
    """Alone, behind the question before and behind its answer, and behind nothing else."""
    contexts = listener.contexts(WHY, CLOSED, MASTER)
    assert contexts == [(), (MASTER.question,), (MASTER.answer,)]


def test_of_a_chain_the_ends_are_read(listener: Listener) -> None:
    """The question that stands alone and the last one, and their answers."""
    chain = [CLOSED, Turn("And when?", "on Monday"), Turn("Why?", "a crack"), Turn("Since when?")]
    ends = (CLOSED.question, "Why?")
    assert listener.contexts(WHY, *chain[:3]) == [(), ends, ("The council", "a crack")]
    assert listener.contexts("And who?", MASTER, *chain[:1]) == [
        (), (CLOSED.question,), ("The council",)
    ]  # fmt: skip


def test_equal_answers_are_read_once(listener: Listener) -> None:
    """Two questions with one answer."""
    contexts = listener.contexts(WHY, CLOSED, Turn("Who else?", "The council"))
    assert contexts == [(), (CLOSED.question, "Who else?"), ("The council",)]


def test_the_question_used_is_the_chain(listener: Listener) -> None:
    """The record shows the question asked, and all that it was understood by."""
    answer = listener.pipeline.ask("And when?", [MASTER, CLOSED, Turn("Why?", "a crack")])
    assert answer.question == "And when?"
    assert answer.question_used == "Who closed the harbour? Why? And when?"


def test_slips_of_the_pen_are_mended_everywhere(listener: Listener) -> None:
    """In the question and in those it leans on."""
    answer = listener.pipeline.ask("And the harbuor?", [Turn("Who closed the harbuor?", "A")])
    assert answer.question_used == "Who closed the harbour? And the harbour?"
    assert listener.reader.asked == [
        ("And the harbour?", [(), ("Who closed the harbour?",), ("A",)])
    ]


def test_an_earlier_question_without_an_answer_is_read(listener: Listener) -> None:
    """What most probably answers it serves as the answer it did not get."""
    contexts = listener.contexts("And when?", Turn("Who closed the harbour?"))
    assert listener.reader.asked[0] == ("Who closed the harbour?", [()])
    # The fake reader's answers are the first letters of sentences.
    assert contexts == [(), ("Who closed the harbour?",), ("T",)]


def test_an_earlier_follow_up_without_an_answer_is_read_as_one(listener: Listener) -> None:
    """It is read behind what it leans on itself."""
    listener.contexts("And when?", CLOSED, Turn("Why?"))
    assert listener.reader.asked[0] == ("Why?", [(), (CLOSED.question,), ("The council",)])


def test_only_what_is_asked_of_counts(listener: Listener) -> None:
    """An earlier question is read in the articles that are named."""
    landing = Turn("Where may fishermen land their catch?")
    for documents, letters in ((None, "F"), (["orchard"], "AGT")):
        listener.reader.asked.clear()
        listener.pipeline.ask("And when?", [landing], documents=documents)
        [_, (_, [_, _, (answer,)])] = listener.reader.asked
        assert answer in letters


def test_nothing_is_read_twice(listener: Listener) -> None:
    """However long a conversation without answers is, each of its questions is read once."""
    turns = [Turn(f"And number {number}?") for number in range(MAX_HISTORY)]
    listener.pipeline.ask("Why?", turns)
    asked = [question for question, _ in listener.reader.asked]
    assert len(asked) == len(set(asked)) <= MAX_HISTORY + 1


def test_of_an_endless_answer_the_beginning_is_read(listener: Listener) -> None:
    """No more than a question may have."""
    [_, _, (answer,)] = listener.contexts("And when?", Turn(CLOSED.question, "long " * 10**5))
    assert answer == ("long " * 10**5)[:MAX_QUESTION]


def test_what_the_context_finds_is_found(fake_store: FaissStore) -> None:
    """Passages are looked for by the question with what it leans on too."""
    asker = Pipeline(fake_store, FakeEncoder(), FakeReader())
    frost = Turn("What destroyed the cherry crop in the valley?", "frost")
    landing = Turn("Where may fishermen land their catch?", "Saltby")
    for turn, place in ((frost, ("orchard", 1)), (landing, ("harbour", 3))):
        [first, *_] = asker.candidates(asker.understand("And why?", [turn]))
        assert (first.passage.document_id, first.passage.paragraph) == place


GREETING = "Hello. I answer questions about the articles with words cut from them, "


def test_small_talk_is_not_looked_up(listener: Listener) -> None:
    """The reply is rustqa's own, with nothing cited, and says what can be asked."""
    answer = listener.pipeline.ask(" Hi! ", [CLOSED])
    assert (answer.question, answer.question_used) == (" Hi! ", "Hi!")
    assert (answer.status, answer.answer, answer.confidence) == ("no_answer", None, 0)
    assert answer.message is not None
    assert answer.message.startswith(GREETING)
    assert answer.suggestions == ("Who is the harbour master?", "What did Ada Quill say?")
    assert (answer.claims, answer.citations, answer.nearest) == ((), (), ())
    assert answer.document_sha256 == {}
    assert "Hi!" not in [question for question, _ in listener.reader.asked]


def test_suggestions_are_tried_once(listener: Listener) -> None:
    """Another greeting costs no reading."""
    first = listener.pipeline.ask("hi")
    listener.reader.asked.clear()
    assert listener.pipeline.ask("hello").suggestions == first.suggestions
    assert listener.reader.asked == []


def test_a_suggestion_may_be_small_talk() -> None:
    """An article that says hello brings no endless greeting."""
    store = build_in_memory(
        [make_document("d", "It rained.", metadata={"questions": ["Hello?", "Did it rain?"]})],
        FakeEncoder(),
    )
    for asked in ("hi", "Hello?"):
        asker = Pipeline(store, FakeEncoder(), FakeReader())
        assert asker.ask(asked).suggestions == ("Did it rain?",)
        assert asker.suggestions("d") == ["Did it rain?"]


def test_a_question_behind_a_greeting_is_looked_up(listener: Listener) -> None:
    """It is a question, not small talk."""
    answer = listener.pipeline.ask("Hello, who is the harbour master?")
    assert (answer.status, answer.message, answer.suggestions) == ("answered", None, ())


def test_small_talk_between_is_passed_over(listener: Listener) -> None:
    """A follow-up leans on the last question that was asked of the articles."""
    thanks = Turn("Thanks!", None)
    assert listener.contexts(WHY, CLOSED, thanks, Turn("ok")) == [
        (), (CLOSED.question,), ("The council",)
    ]  # fmt: skip
    assert listener.contexts(WHY, thanks) == [()]


QUESTIONS = st.sampled_from(["Why?", "And when?", CLOSED.question, "hi", "Who is she?"]) | texts()
TURNS = st.lists(
    st.builds(Turn, QUESTIONS, st.none() | st.sampled_from(["Ada Quill", ""]) | texts()), max_size=6
)


@given(QUESTIONS, TURNS)
def test_any_conversation_can_be_followed(
    fake_store: FaissStore, question: str, turns: list[Turn]
) -> None:
    """Every question that may be asked is read behind at most three contexts, one of them
    empty; it stands at the end of the question used."""
    asker = Pipeline(fake_store, FakeEncoder(), FakeReader())
    try:
        answer = asker.ask(question, turns)
    except QuestionError:
        return
    asked = asker.understand(question, turns)
    assert answer.question_used.endswith(asked.question)
    assert asked.contexts[0] == ()
    assert len(asked.contexts) <= 3
    assert all(1 <= len(context) <= 2 for context in asked.contexts[1:])


def _towns(encoder: FakeEncoder) -> FaissStore:
    """Two articles that say the same of different towns."""
    made_of = [
        make_document(name, f"The mayor of {town} resigned. The mayor is {age} years old.")
        for name, town, age in (("a", "Saltby", 50), ("b", "Quarrington", 60))
    ]
    return build_in_memory(made_of, encoder)


@pytest.mark.parametrize(("town", "name"), [("Saltby", "a"), ("Quarrington", "b")])
def test_a_follow_up_is_asked_of_the_article_spoken_of(town: str, name: str) -> None:
    """Its passages are read first, and its answers come first unless another is far surer."""
    asker = Pipeline(_towns(FakeEncoder()), FakeEncoder(), FakeReader())
    history = [Turn(f"Who resigned in {town}?", f"The mayor of {town}")]
    asked = asker.understand("And how old?", history)
    assert asked.article == name
    found = [item.passage.document_id for item in asker.candidates(asked)]
    assert found[0] == name
    assert len(found) == len(set(found)) == 2
    answer = asker.ask("And how old?", history)
    assert answer.citations[0].document_id == name


def test_the_article_spoken_of_falls_short_of_none() -> None:
    """All its passages have one standing, though another article fits the bare question better."""
    said = ["The mayor of Saltby resigned on Monday.", "She keeps bees.", "Nobody asked how old."]
    made_of = [
        make_document("a", "\n\n".join(said)),
        make_document("b", "How old was the oak? How old it was nobody knows."),
    ]
    encoder = FakeEncoder()
    asker = Pipeline(build_in_memory(made_of, encoder), encoder, FakeReader())
    asked = asker.understand("And how old?", [Turn("Who resigned in Saltby?", "The mayor")])
    standings = {(one.passage.document_id, one.standing) for one in asker.candidates(asked)}
    assert asked.article == "a"
    assert standings == {("a", 0.0), ("b", 0.0)}
    alone = asker.candidates(asker.understand("How old was the oak?"))
    assert {one.standing < 0 for one in alone if one.passage.document_id == "a"} == {True}


@pytest.mark.parametrize(("sure", "first"), [((0.4, 0.9), "b"), ((0.8, 0.95), "a")])
def test_an_answer_from_elsewhere_has_to_be_far_surer(
    sure: tuple[float, float], first: str
) -> None:
    """Twice as sure; its confidence is not touched."""
    reader = FakeReader(sure)
    asker = Pipeline(_towns(FakeEncoder()), FakeEncoder(), reader)
    answer = asker.ask("And how old?", [Turn("Who resigned in Saltby?", "The mayor of Saltby")])
    assert answer.citations[0].document_id == first
    assert answer.confidence == sure[0 if first == "a" else 1]


def test_an_article_spoken_of_is_looked_for_among_several() -> None:
    """Not for a question that stands alone, nor where only one article is asked."""
    asker = Pipeline(_towns(FakeEncoder()), FakeEncoder(), FakeReader())
    assert asker.understand("Who resigned in Saltby?").article is None
    scope = Scope(documents=frozenset({"b"}))
    history = [Turn("Who resigned in Saltby?", "The mayor of Saltby")]
    assert asker.understand("And how old?", history, scope).article is None
    both = Scope(documents=frozenset({"a", "b"}))
    assert asker.understand("And how old?", history, both).article == "a"
