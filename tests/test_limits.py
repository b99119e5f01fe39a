"""Limits: what may be asked, and what the errors say to change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, cast
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.errors import QuestionError, UnknownDocumentError
from rustqa.limits import (
    MAX_DOCUMENTS,
    MAX_HISTORY,
    MAX_QUESTION,
    MAX_TOP_K,
    check_answer,
    check_question,
    check_request,
    check_scope,
    read_day,
)
from rustqa.types import Turn

KNOWN = ("harbour", "orchard")
WHY = "Why?"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "the question is empty; type one"),
        (" \t\u2003\n", "the question is empty"),
        ("why? " * 2000, "10,000 characters; shorten it to 1,000"),
        ("why\x00?", r"control character U\+0000 at position 3; remove it"),
        ("\x1b[31mwhy?", r"U\+001B at position 0"),
        ("why \x9b?", r"U\+009B at position 4"),
        ("why \ud83d?", r"U\+D83D at position 4"),
        (None, "the question is not text; give a string"),
        (["why?"], "the question is not text"),
        (b"why?", "the question is not text"),
    ],
)
def test_bad_questions_are_refused(question: object, message: str) -> None:
    """The error says what to change, of a question of the history too."""
    asked = cast(str, question)
    with pytest.raises(QuestionError, match=message):
        check_question(asked)
    with pytest.raises(QuestionError, match=message):
        check_request(asked, (), 3)
    with pytest.raises(QuestionError, match=message):
        check_request(WHY, [Turn(WHY), Turn(asked)], 3)


@pytest.mark.parametrize(
    "question",
    ["w" * MAX_QUESTION, "who is\tthe harbour\r\nmaster?", "\N{FAMILY}?", "???", "他说?", "\u200f"],
)
def test_odd_questions_are_taken(question: str) -> None:
    """Line ends, emoji, marks of direction and questions of the greatest length are no errors."""
    check_request(question, [Turn(question)], 3)


@given(st.text(st.characters(codec=None), max_size=MAX_QUESTION))
def test_what_is_taken_can_be_read(question: str) -> None:
    """A question that passes is written out as UTF-8 and holds nothing that drives a terminal."""
    try:
        check_question(question)
    except QuestionError:
        assert not question.strip() or {"Cc", "Cs"} & set(map(category, question))
        return
    assert question.encode().strip()
    assert all(char.isspace() or category(char) != "Cc" for char in question)


@pytest.mark.parametrize("answer", [None, "", "“Nobody,” she said.\x1b[0m", "long " * 5000])
def test_an_earlier_answer_is_whatever_was_cut_from_an_article(answer: str | None) -> None:
    """None, and any text, however long and with whatever characters the article has."""
    check_answer(answer)
    check_request(WHY, [Turn(WHY, answer)], 3)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("a \ud83d", r"an earlier answer holds half a character \(U\+D83D\) at position 2; remove"),
        (7, "an earlier answer is not text; give a string or null"),
    ],
)
def test_an_earlier_answer_that_no_article_holds_is_refused(answer: object, message: str) -> None:
    """What is no text cannot be read."""
    with pytest.raises(QuestionError, match=message):
        check_answer(cast(str, answer))
    with pytest.raises(QuestionError, match=message):
        check_request(WHY, [Turn(WHY, cast(str, answer)), Turn(WHY)], 3)


def test_a_history_too_long_is_refused() -> None:
    """The longest history is taken; one more turn is not."""
    turns = [Turn("Who dived?")] * (MAX_HISTORY + 1)
    check_request(WHY, turns[1:], 3)
    with pytest.raises(QuestionError, match=f"has {MAX_HISTORY + 1} turns; send the last"):
        check_request(WHY, turns, 3)


@pytest.mark.parametrize("top_k", [0, -1, MAX_TOP_K + 1])
def test_a_top_k_out_of_bounds_is_refused(top_k: int) -> None:
    """The error says which numbers will do, and they do."""
    with pytest.raises(QuestionError, match=f"top_k is out of range; .* 1 to {MAX_TOP_K}"):
        check_request(WHY, (), top_k)
    for good in (1, MAX_TOP_K):
        check_request(WHY, (), good)


@pytest.mark.parametrize("documents", [None, ["orchard"], {"orchard", "harbour"}, ("harbour",) * 2])
def test_known_articles_can_be_named(documents: Collection[str] | None) -> None:
    """Some or all of them, in any collection, or none at all for all."""
    check_scope(documents, None, None, KNOWN)


@pytest.mark.parametrize(
    ("documents", "error", "message"),
    [
        (["orchard", "rain"], UnknownDocumentError, "no article has the id 'rain'; see their list"),
        ([], QuestionError, "no article is named; name one or leave `documents` out"),
        ("harbour", QuestionError, "documents is the text 'harbour'; give a list of ids"),
        ("", QuestionError, "documents is the text ''; give a list of ids"),
        (
            ["harbour"] * (MAX_DOCUMENTS + 1),
            QuestionError,
            "too many articles are named; name 1,000",
        ),
    ],
)
def test_unknown_articles_are_refused(documents: Any, error: type[Exception], message: str) -> None:
    """The error names the first that is unknown; no article at all is a mistake too."""
    with pytest.raises(error, match=message):
        check_scope(documents, None, None, KNOWN)


def test_a_span_of_time_that_ends_before_it_begins_is_refused() -> None:
    """A single day is a span, and so is one without an end or a beginning."""
    day, next_day = dt.date(2024, 7, 12), dt.date(2024, 7, 13)
    for since, until in ((day, day), (day, next_day), (day, None), (None, day)):
        check_scope(None, since, until, KNOWN)
    with pytest.raises(QuestionError, match=r"since \(2024-07-13\) is after until .*; exchange"):
        check_scope(None, next_day, day, KNOWN)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2024-07-12", "2024-07-12", "2024-07-12"),
        ("2024-07", "2024-07-01", "2024-07-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2023-12", "2023-12-01", "2023-12-31"),
        ("2024", "2024-01-01", "2024-12-31"),
    ],
)
def test_a_year_or_a_month_is_a_span_of_days(text: str, first: str, last: str) -> None:
    """It begins with its first day and ends with its last."""
    assert str(read_day(text, "since")) == first
    assert str(read_day(text, "until", last=True)) == last


def test_no_text_is_no_day() -> None:
    """No limit is set then."""
    assert read_day(None, "since") is None


@pytest.mark.parametrize(
    "text",
    [
        *("", " 2024", "24", "12.7.2024", "2024-7-1", "2024-13", "2024-02-30", "0000", "٢٠٢٤"),
        *("2024-07-", "9" * 5000),
    ],
)
@pytest.mark.parametrize("last", [True, False])
def test_what_is_no_date_is_refused(text: str, last: bool) -> None:
    """In one short line that says how to write one."""
    with pytest.raises(
        QuestionError, match=r"until is no date: .*; write it as 2024-07-12, 2024-07"
    ):
        read_day(text, "until", last)


@given(st.dates())
def test_every_day_is_read(day: dt.date) -> None:
    """As ISO 8601 writes it."""
    assert read_day(day.isoformat(), "since") == read_day(str(day), "until", last=True) == day
