"""Conversation: which questions lean on the one before, and what they are led by."""

from __future__ import annotations

import pytest

from rustqa.conversation import stand_alone

HISTORY = ["Who loaded the gun?", "Who dismissed the case?"]

WHOLE = [
    "Why was the case against Baldwin dismissed?",
    "What did Judge Sommer say about the evidence?",
    "Where did the trial of Alec Baldwin take place?",
    "Which prosecutor led the case in Santa Fe?",
    "Who is Sommer?",
    "Who died?",
]


@pytest.mark.parametrize("question", [*WHOLE, "And why?", "he", "???", ""])
def test_without_history_a_question_is_unchanged(question: str) -> None:
    """There is nothing to lean on."""
    assert stand_alone(question, []) == question


@pytest.mark.parametrize("question", WHOLE)
def test_a_whole_question_is_unchanged(question: str) -> None:
    """A question that names what it asks about is not mixed with the one before."""
    assert stand_alone(question, HISTORY) == question


@pytest.mark.parametrize(
    "question",
    [
        "And why?",
        "When?",
        "Why not?",
        "For how long?",
        "What did she say about the evidence?",
        "WHAT DID THEY DECIDE ABOUT THE EVIDENCE?",
        "Did the police know about it before the trial?",
        "But what about the bullets from Arizona?",
        "???",
    ],
)
def test_a_follow_up_is_led_by_the_question_before(question: str) -> None:
    """Bare question words, openers and pronouns get the last question, and their own words last."""
    used = stand_alone(question, HISTORY)
    assert used.startswith("Who dismissed the case?")
    assert used.endswith(question)
    assert "loaded" not in used
