"""Types: which day an article's date names."""

from __future__ import annotations

import datetime as dt

import pytest

from rustqa.corpus import make_document


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-07-12", dt.date(2024, 7, 12)),
        ("2024-07-12T10:00:00+02:00", dt.date(2024, 7, 12)),
        ("2024-07", dt.date(2024, 7, 1)),
        ("2024", dt.date(2024, 1, 1)),
        ("2024-13", None),
        ("24", None),
        ("12 July 2024", None),
        ("", None),
        (None, None),
    ],
)
def test_a_date_names_a_day(date: str | None, expected: dt.date | None) -> None:
    """If it is one by ISO 8601; a year or a month counts as its first day."""
    assert make_document("a", "It rained.", metadata={"date": date}).day == expected
