"""Accounts: what two say of one matter may differ, what one says does not; whose words answer."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

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
    is_theirs,
    pairs,
    probability,
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
    assert dispute.probability == probability(QUESTION, told, 0, 1) > CONTESTED


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
    """Every pair has a probability; those in dispute are of different speakers, in order."""
    for one, other in combinations(range(len(told)), 2):
        assert len(features(question, told, one, other)) == len(WEIGHTS)
        assert 0 <= probability(question, told, one, other) <= 1
    dispute = find_dispute(question, told)
    if dispute is None:
        assert all(probability(question, told, *pair) < CONTESTED for pair in pairs(told))
        return
    assert dispute.places == tuple(sorted(set(dispute.places)))
    assert set(combinations(dispute.places, 2)) <= set(pairs(told))
    assert CONTESTED <= dispute.probability <= 1


@given(QUESTIONS, TOLD.filter(lambda told: len(told) > 1), st.floats(0, 100))
def test_a_better_second_sentence_makes_a_dispute_likelier(
    question: str, told: list[Account], more: float
) -> None:
    """The surer it answers, the likelier it is an account of the same matter."""
    first, second, *rest = told
    better = replace(second, score=second.score + more)
    before = probability(question, told, 0, 1)
    assert probability(question, [first, better, *rest], 0, 1) >= before


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 3))
def test_a_surer_probability_is_one_still(one: float, other: float, by: float) -> None:
    """Never less than before, more if something is added, and in the same order."""
    assert one - 1e-8 <= surer(one, by) <= 1
    assert surer(one, by) > one or not (0.01 < one < 0.99 and by > 0.01)
    assert one > other or surer(one, by) <= surer(other, by)


@pytest.mark.parametrize("confidence", [0.0, 0.2, 0.5, 0.79, 1.0])
def test_nothing_added_changes_nothing(confidence: float) -> None:
    """To the log-odds, that is."""
    assert surer(confidence, 0.0) == pytest.approx(confidence, abs=1e-8)


@pytest.mark.parametrize(
    ("question", "before", "speaker"),
    [
        ("What did Ada Quill say about the wall?", "", "Ada Quill"),
        ("What did Quill say?", "", "Ada Quill"),
        ("Why does Quill deny it?", "", "Quill"),
        ("What did she say about the wall?", "Ada Quill", "Ada Quill"),
        ("How did they describe it?", "the Saltby council", "Saltby council"),
    ],
)
def test_words_are_theirs_who_were_asked_about(question: str, before: str, speaker: str) -> None:
    """Named in the question, or before where it has a pronoun, if something was said."""
    [account] = _accounts((UNSAFE, speaker, 1.0))
    assert is_theirs(question, before, account)


@pytest.mark.parametrize(
    ("question", "before", "speaker"),
    [
        ("What did Tom Reed say about the wall?", "", "Ada Quill"),
        ("What did Ada Quill build?", "", "Ada Quill"),
        ("What did the council say?", "Ada Quill", "Ada Quill"),
        ("What did she say about the wall?", "Ines Marsh", "Ada Quill"),
        ("What did she say about the wall?", "", "Ada Quill"),
        ("What did Ada Quill say?", "", None),
        ("???", "Ada Quill", "Ada Quill"),
        ("", "", "Ada Quill"),
    ],
)
def test_other_words_are_not_theirs(question: str, before: str, speaker: str | None) -> None:
    """Somebody else's, nobody's, or of one of whom something else was asked."""
    [account] = _accounts((UNSAFE, speaker, 1.0))
    assert not is_theirs(question, before, account)


def test_what_is_not_reported_is_nobodys_words() -> None:
    """Though somebody is reported elsewhere in the sentence."""
    [account] = _accounts((UNSAFE, "Ada Quill", 1.0))
    question = "What did Ada Quill say?"
    assert is_theirs(question, "", account)
    assert not is_theirs(question, "", replace(account, reported=False))


@given(QUESTIONS, texts(), TOLD)
def test_any_question_can_be_asked_of_anybody(
    question: str, before: str, told: list[Account]
) -> None:
    """What nobody says is never theirs."""
    theirs = [account for account in told if is_theirs(question, before, account)]
    assert all(account.speaker and account.reported for account in theirs)
