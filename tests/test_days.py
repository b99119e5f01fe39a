"""Dates in words."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.days import in_words


@pytest.mark.parametrize(
    ("date", "words"),
    [
        ("2024-07-12", "12 July 2024"),
        ("2024-07-02T08:30:00Z", "2 July 2024"),
        ("2024-07", "July 2024"),
        ("2024", "2024"),
        ("2024-13-01", "2024-13-01"),
        ("last Friday", "last Friday"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_date_is_put_into_words(date: str | None, words: str) -> None:
    """If it is one; whatever else an article has for a date is shown as it is."""
    assert in_words(date) == words


@given(st.dates())
def test_every_day_has_its_words(day: dt.date) -> None:
    """No two days have the same."""
    words = in_words(day.isoformat())
    assert words == f"{day.day} {day:%B} {day.year:04}"
