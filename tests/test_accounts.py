"""Accounts: what two people say of one matter may differ, what one says does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.accounts import (
    CONTESTED,
    WEIGHTS,
    Account,
    features,
    find_dispute,
    pairs,
    surer,
)
from rustqa.types import Span

QUESTION = "Was the wall safe?"
SAFE = "The wall was safe, the port authority said."
UNSAFE = "But Ada Quill denied that the wall was safe."
DOUBT = "Tom Reed disputed that the wall was safe at all, and insisted that both were wrong."
FISH = "Fishermen landed their catch at Saltby, Ines Marsh said."


def _accounts(*told: tuple[str, str | None, float]) -> list[Account]:
    """Texts with their speakers and scores, side by side in one paragraph, each reported."""
    accounts: list[Account] = []
    start = 0
    for text, speaker, score in told:
        span = Span(start, start + len(text))
        accounts.append(Account(text, speaker, speaker is not None, score, ("d", 1), span))
        start = span.end + 1
    return accounts


def test_two_who_contradict_each_other_differ() -> None:
    """Both answer, side by side, and one denies what the other says."""
    told = _accounts((SAFE, "the port authority", 7.0), (UNSAFE, "Ada Quill", 6.5))
    dispute = find_dispute(QUESTION, told)
    assert dispute is not None
    assert dispute.places == (0, 1)
    assert CONTESTED < dispute.probability < 1


@pytest.mark.parametrize(
    ("question", "text", "speaker", "score"),
    [
        (QUESTION, UNSAFE, "the port authority", 6.5),
        (QUESTION, UNSAFE, None, 6.5),
        (QUESTION, FISH, "Ines Marsh", -6.0),
        ("Where was fish landed?", FISH, "Ines Marsh", -6.0),
    ],
)
def test_one_account_is_no_dispute(
    question: str, text: str, speaker: str | None, score: float
) -> None:
    """The same speaker twice, words that are nobody's, and somebody who speaks of other things."""
    told = _accounts((SAFE, "the port authority", 7.0), (text, speaker, score))
    assert find_dispute(question, told) is None


def test_accounts_keep_their_order() -> None:
    """The better one comes first, wherever it stands in the article; what differs from neither
    is left out."""
    first, second, other = _accounts(
        (SAFE, "the port authority", 6.5), (UNSAFE, "Ada Quill", 7.0), (FISH, "Ines Marsh", -6.0)
    )
    dispute = find_dispute(QUESTION, [second, first, other])
    assert dispute is not None
    assert dispute.places == (0, 1)


def test_a_dispute_is_about_the_best_answer() -> None:
    """Two who differ on something less likely to be meant are passed over."""
    two = (SAFE, "the port authority", 7.0), (UNSAFE, "Ada Quill", 6.5)
    assert find_dispute(QUESTION, _accounts(*two)) is not None
    assert find_dispute(QUESTION, _accounts((FISH, None, 7.5), *two)) is None


def test_a_third_account_is_shown_too() -> None:
    """If its speaker is another, and it differs from both."""
    two = (SAFE, "the port authority", 7.0), (UNSAFE, "Ada Quill", 6.9)
    for speaker, places in (("Tom Reed", (0, 1, 2)), ("Quill", (0, 1)), (None, (0, 1))):
        dispute = find_dispute(QUESTION, _accounts(*two, (DOUBT, speaker, 6.8)))
        assert dispute is not None
        assert dispute.places == places


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ("Ada Quill", "Tom Reed", True),
        ("Ada Quill", "Bo Quill", True),
        ("the police", "the defence", True),
        ("Ada Quill", "Ada Quill", False),
        ("Ada Quill", "Quill", False),
        ("Quill", "Ada Quill", False),
        ("Ada Quill", None, False),
        (None, None, False),
        ("", "Ada Quill", False),
        ("…", "Ada Quill", False),
    ],
)
def test_an_account_is_somebodys(one: str | None, other: str | None, differ: bool) -> None:
    """What one says, however named, is one account; what the article says is none."""
    told = _accounts((SAFE, one, 7.0), (UNSAFE, other, 6.5))
    assert list(pairs(told)) == [(0, 1)] * differ


def test_fewer_than_two_cannot_differ() -> None:
    """Of nothing, or of one sentence, no pair is made."""
    assert find_dispute(QUESTION, []) is None
    assert find_dispute(QUESTION, _accounts((SAFE, "the port authority", 9.0))) is None


TOLD = st.lists(
    st.builds(
        Account,
        text=texts() | st.sampled_from([SAFE, UNSAFE, DOUBT, FISH, ""]),
        speaker=st.none() | st.sampled_from(["Ada Quill", "Quill", "Tom Reed", ""]) | st.text(),
        reported=st.booleans(),
        score=st.floats(-1e3, 1e3),
        paragraph=st.tuples(st.sampled_from(["d", "e"]), st.integers(1, 3)),
        span=st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)).map(
            lambda ends: Span(*sorted(ends))
        ),
    ),
    max_size=6,
)
QUESTIONS = st.sampled_from([QUESTION, "Why did it close?", "Who closed it?", "wall"]) | texts()


@given(QUESTIONS, TOLD)
def test_any_sentences_can_be_compared(question: str, told: list[Account]) -> None:
    """Those in dispute are of different speakers, in order, and the best is one of them."""
    for one, other in combinations(range(len(told)), 2):
        assert len(features(question, told, one, other)) == len(WEIGHTS)
    dispute = find_dispute(question, told)
    if dispute is not None:
        assert dispute.places == tuple(sorted(set(dispute.places)))
        assert dispute.places[0] == 0
        assert set(combinations(dispute.places, 2)) <= set(pairs(told))
        assert CONTESTED <= dispute.probability <= 1


SPEAKING = TOLD.filter(lambda told: (0, 1) in pairs(told[:2]))


@given(QUESTIONS, SPEAKING, st.floats(0, 100))
def test_a_better_second_sentence_makes_a_dispute_likelier(
    question: str, told: list[Account], more: float
) -> None:
    """The surer it answers, the likelier it is an account of the same matter."""
    first, second, *rest = told
    better = [first, replace(second, score=second.score + more), *rest]
    before, after = (WEIGHTS @ features(question, accounts, 0, 1) for accounts in (told, better))
    assert after >= before - 1e-9


def test_the_weights_decide() -> None:
    """A dispute is as probable as the signs say with the weights given: of the constant alone,
    as the constant says."""
    told = _accounts((SAFE, "the port authority", 7.0), (UNSAFE, "Ada Quill", 6.5))
    constant = np.zeros_like(WEIGHTS)
    constant[-1] = 2.0
    dispute = find_dispute(QUESTION, told, constant)
    assert dispute is not None
    assert dispute.probability == pytest.approx(1 / (1 + np.exp(-2)))
    assert find_dispute(QUESTION, told, -constant) is None


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_disputed_account_is_surer(one: float, other: float) -> None:
    """What is disputed is what was asked: a probability still, never less, in the same order."""
    assert one - 1e-8 <= surer(one) <= 1
    assert surer(one) > one or not 0.01 < one < 0.99
    assert one > other or surer(one) <= surer(other)
