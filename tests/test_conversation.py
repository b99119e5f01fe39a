"""Conversation: which questions lean on what was said before, and on how much of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.conversation import leans, leans_on

WHOLE = [
    "Why was the case against Baldwin dismissed?",
    "What did Judge Sommer say about the evidence?",
    "Which prosecutor led the case in Santa Fe?",
    "why did the judge dismiss the case",
    "Who is Sommer?",
    "Who died?",
    "What happened?",
    "When does the trial begin?",
    "Who said that the bullets matched?",
    "Were there any witnesses?",
    "Was there a trial?",
    "How many were there in the harbour?",
    "Is it true that the judge left?",
    "Was it really known that the wall leaked?",
    "Will it be legal to fish?",
    "How long did it take to build the dome?",
    "What is it like to sail?",
    "Is it going to rain?",
    "Has the mayor accepted that she was beaten?",
    "Did Baldwin thank his supporters?",
    "Did the council keep its promise?",
    "what did the judge say about his wife",
    "Does anyone know where she is?",
    "Which of the two ships sank?",
    "Who won the first race?",
    "Who else was hurt?",
    "What did anyone else say?",
    "Did Ada Quill say that she would resign?",
]
LEANING = [
    "And when?",
    "and the judge?",
    "But what about the bullets from Arizona?",
    "What about Baldwin?",
    "How about the east wall?",
    "Why?",
    "Why not?",
    "When?",
    "How many?",
    "For how long?",
    "How come?",
    "Really?",
    "Who else?",
    "Anything else?",
    "Since when?",
    "By whom?",
    "Out of how many?",
    "What did she say about it?",
    "What did she say about Baldwin?",
    "Who gave them to the police?",
    "Who told her?",
    "Who told her about the bullets?",
    "What is her name?",
    "How old is he?",
    "Where are they?",
    "Did the police know about it before the trial?",
    "WHAT DID THEY DECIDE ABOUT THE EVIDENCE?",
    "Is it true?",
    "Was it legal, then?",
    "Is that so?",
    "Did that matter?",
    "When did that happen?",
    "What happened then?",
    "Was she there?",
    "Who lives there?",
    "The other one?",
    "Which one?",
    "What did the others say?",
    "What did the latter reply?",
    "Who wrote this?",
    "???",
    "",
]


@pytest.mark.parametrize("question", WHOLE)
def test_a_question_that_names_what_it_asks_about_stands_alone(question: str) -> None:
    """A pronoun bound in the question, "that" before a clause and an empty "it" or "there" point
    at nothing outside it."""
    assert not leans(question)


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_points_outside_itself_leans(question: str) -> None:
    """Openers, bare question words and pronouns without anybody they could stand for."""
    assert leans(question)


@pytest.mark.parametrize("question", ["Why was the case dismissed?", "What did she say?", "Why?"])
def test_typing_does_not_matter(question: str) -> None:
    """A question leans or does not, whatever its case and spaces, without its mark too."""
    for typed in (question.lower(), question.upper(), f"  {question} \n", question.rstrip("?")):
        assert leans(typed) == leans(question)


FIRST = "Who dismissed the case?"
OTHER = "Who loaded the gun?"


@pytest.mark.parametrize(
    ("turns", "chain"),
    [
        ([FIRST], [FIRST]),
        ([OTHER, FIRST], [FIRST]),
        ([FIRST, "Why?"], [FIRST, "Why?"]),
        ([OTHER, FIRST, "Why?"], [FIRST, "Why?"]),
        ([FIRST, "Why?", "And when?"], [FIRST, "Why?", "And when?"]),
        ([FIRST, "Why?", "And when?", "Where?"], [FIRST, "Why?", "And when?", "Where?"]),
        ([FIRST, "Why?", OTHER, "And when?"], [OTHER, "And when?"]),
    ],
)
def test_a_chain_goes_back_to_a_question_that_stands_alone(
    turns: list[str], chain: list[str]
) -> None:
    """A follow-up on a follow-up leans on both, and on nothing said before the matter came up."""
    assert leans_on("And who was she?", turns) == tuple(chain)


def test_a_chain_has_an_end() -> None:
    """Of a conversation of follow-ups alone, the last four are looked at."""
    turns = [f"And {number}?" for number in range(10)]
    assert leans_on("Why?", turns) == tuple(turns[-4:])


@pytest.mark.parametrize("question", WHOLE)
def test_a_question_that_stands_alone_leans_on_nothing(question: str) -> None:
    """Whatever was said before is not mixed with it."""
    assert leans_on(question, [OTHER, FIRST, "Why?"]) == ()


QUESTIONS = st.sampled_from([*WHOLE, *LEANING]) | texts() | st.text()


@given(QUESTIONS)
def test_without_history_there_is_nothing_to_lean_on(question: str) -> None:
    """Whatever is asked."""
    assert leans_on(question, []) == ()


@given(QUESTIONS, st.lists(QUESTIONS, max_size=8))
def test_what_is_leant_on_ends_the_history(question: str, turns: list[str]) -> None:
    """Of any texts, the last ones, one or more if the question leans, in their order; only the
    first of them can stand alone."""
    chain = leans_on(question, turns)
    assert len(chain) <= 4
    assert chain == tuple(turns[len(turns) - len(chain) :])
    assert bool(chain) == (leans(question) and bool(turns))
    assert all(leans(turn) for turn in chain[1:])
