"""Dates: read where they are clear, left alone where they are not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.sources.dates import is_no_day, iso_date


@pytest.mark.parametrize(
    "text",
    [
        "2024-07-12",
        " 2024-07-12 ",
        "2024-7-12",
        "2024/07/12",
        "2024-07-12T23:30:00Z",
        "2024-07-12T23:30:00-05:00",
        "2024-07-12 23:30:00 UTC",
        "20240712",
        "20240712T233000Z",
        "12 July 2024",
        "12th of July 2024",
        "12-Jul-2024",
        "July 12, 2024",
        "JULY 12 2024",
        "Jul. 12th, 2024",
        "Friday, July 12, 2024",
        "July 12, 2024, 10:30 pm",
        "July 12, 2024 at 10pm EDT",
        "Fri, 12 Jul 2024 10:00:00 GMT",
        "Fri, 12 Jul 2024 10:00:00 +0200",
    ],
)
def test_a_clear_date_is_read(text: str) -> None:
    """The day is the one that is written, whatever the zone."""
    assert iso_date(text) == "2024-07-12"


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "2024", "2024-07", "July 2024", "12 July", "12072024"),
        *("03/04/2024", "3.4.2024", "12/07/24"),
        *("2024-13-01", "2024-02-30", "31 June 2024", "12 Brumaire 2024", "12 ma 2024"),
        *("0001-01-01", "9999-12-31", "2024-07-12 to 2024-07-15", "12 July 20245", "1 " * 200),
        *("2024-07-123", "２０２４-07-12", "July 12, 2024 and later", "2024-07/12"),
    ],
)
def test_what_is_not_a_clear_date_is_none(text: str) -> None:
    """A day and a month that could be each other, a day that no month has, a year without a day."""
    assert iso_date(text) is None


@pytest.mark.parametrize("month", ["September", "Sept", "Sept.", "Sep", "sep."])
def test_months_are_known_by_their_short_names(month: str) -> None:
    """With a full stop and without."""
    assert iso_date(f"3 {month} 2021") == "2021-09-03"


@given(st.dates(date(1600, 1, 1), date(2100, 12, 31)))
def test_an_iso_date_stays_as_it_is(day: date) -> None:
    """And so does what was read once."""
    assert iso_date(day.isoformat()) == day.isoformat()


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    """Nothing fails, and a date is one."""
    found = iso_date(text)
    assert found is None or date.fromisoformat(found).isoformat() == found


@pytest.mark.parametrize(
    ("text", "none"),
    [
        *((text, True) for text in ("2024-13-45", "2023-02-29", "20241301", "30 February 2024")),
        *((text, True) for text in (" 2024-00 ", "0000-00-00", "2024-02-30T10:00:00Z")),
        *((text, False) for text in ("2024-07-12", "2024-07", "2024", "last Friday", "")),
        *((text, False) for text in ("03/04/2024", "1066-10-14", "12 Juli 2024", "33 of them")),
    ],
)
def test_a_day_that_no_calendar_has_is_told(text: str, none: bool) -> None:
    """From one that is, and from what is no day at all."""
    assert is_no_day(text) is none
    assert not (none and iso_date(text))
