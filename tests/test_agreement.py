"""Agreement: which answers are one claim, and that no reading is lost in putting them together."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.agreement import agreeing, do_not_differ, say_the_same
from rustqa.types import Passage, Reading, Span

WORDS = ["Ada", "Quill", "Ada Quill", "not", "nine", "9", "£", ",", "the", "in", "Leeds", "’s", "-"]


def _reading(number: int) -> Reading:
    span = Span(number, number + 1)
    return Reading(Passage("any", 1, *span, (span,)), span, span, 0.9, {})


def _answers() -> st.SearchStrategy[list[str]]:
    joined = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)
    return st.lists(joined | texts(), max_size=12)


@given(_answers())
def test_no_reading_is_lost(answers: list[str]) -> None:
    """Each stands in one group, once; groups and readings keep their order."""
    readings = [_reading(number) for number in range(len(answers))]
    groups = agreeing(readings, answers)
    assert sorted(chain(*groups), key=lambda item: item.answer) == readings
    assert [group[0].answer for group in groups] == sorted(group[0].answer for group in groups)
    for group in groups:
        assert group == sorted(group, key=lambda item: item.answer)
        first = answers[group[0].answer.start]
        assert all(say_the_same(answers[item.answer.start], first) for item in group[1:])


@given(_answers().filter(lambda answers: len(answers) > 1))
def test_agreement_is_mutual(answers: list[str]) -> None:
    """Which of two answers comes first does not matter."""
    one, other = answers[:2]
    assert say_the_same(one, other) == say_the_same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada Quill", "ada quill"),
        ("the harbour master", "The harbour master"),
        ("on Friday", "Friday"),
        ("Friday", "Friday."),
        ("Ada Quill’s wall", "Ada Quill's wall"),
        ("“nine million pounds”", "nine million pounds"),
        ("1.5 million", "1.5 million"),
        ("18 months", "18 months in prison"),
        ("18 months", "for 18 months"),
        ("Ada Quill", "Ada Quill, the harbour master"),
        ("Ada Quill", "Ada Quill (47)"),
        ("Mary Marlowe Sommer", "Judge Mary Marlowe Sommer"),
        ("Kari Morrissey", "special prosecutor Kari Morrissey"),
        ("the case was dismissed", "the case was dismissed because evidence was withheld"),
    ],
)
def test_the_same_in_other_words(one: str, other: str) -> None:
    """Small words, marks and titles make no other answer, nor does more about the same thing."""
    assert say_the_same(one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Quill", "Ada Quill", True),
        ("Ada Quill", "Quill", True),
        ("Ada Quill", "Ada Quill, the harbour master", True),
        ("Ada", "Ada Quill", False),
        ("Ada Quill", "Tom Quill", False),
        ("pounds", "nine pounds", False),
        ("9", "Henry 9", False),
        ("", "Ada Quill", False),
    ],
)
def test_a_last_name_may_be_the_same(one: str, other: str, same: bool) -> None:
    """It is no other answer, though too little to be shown as one claim."""
    assert do_not_differ(one, other) is same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Quill", "Ada Quill"),
        ("Friday", "Good Friday"),
        ("Friday", "Monday"),
        ("guilty of murder", "not guilty of murder"),
        ("guilty of murder", "guilty of murder in no way"),
        ("the wall was safe", "nobody said the wall was safe"),
        ("Ada Quill", "Ada Quill’s lawyer"),
        ("Ada Quill", "Ada Quill and Tom Reed"),
        ("Ada Quill", "mother of Ada Quill"),
        ("Ada Quill", "Ada Quill Foundation"),
        ("Leeds Town", "Leeds Town, York Town, Hull Town"),
        ("London Bridge", "nine London Bridge"),
        ("nine million", "twenty nine million"),
        ("nine million", "twenty-nine million"),
        ("5 million", "1.5 million"),
        ("5 million", "-5 million"),
        ("5 million", "5 million per year"),
        ("£5 million", "$5 million"),
        ("5%", "5"),
        ("two days", "two days after the vote"),
        ("the", "the"),
        ("…", "…"),
        ("", ""),
    ],
)
def test_what_only_looks_alike(one: str, other: str) -> None:
    """Another number, a negation, another one's name, or no words at all."""
    assert not say_the_same(one, other)
