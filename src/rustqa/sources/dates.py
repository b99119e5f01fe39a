"""Reads the day that a text states, where it states one clearly."""

from __future__ import annotations

import re
from datetime import date

_NAMES = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS = {
    name: number
    for number, whole in enumerate(_NAMES, start=1)
    for name in (whole, whole[:3], whole[:4])
}
_YEARS = range(1600, 2101)
_LONGEST = 100

_FLAGS = re.IGNORECASE | re.ASCII
_TIME = r"(?:[\s,]*(?:\bat\s)?[\sT]?\d{1,2}(?::\d\d|\s?[ap]\.?m\b).*)?"
_NUMBERS = re.compile(rf"(\d{{4}})([-/.])(\d\d?)\2(\d\d?)(?!\d){_TIME}", _FLAGS)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?\d{4,6}(?:\D.*)?)?", _FLAGS)
_MONTH = re.compile(r"(\d{4})[-/.](\d\d)", _FLAGS)
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_DAY_FIRST = re.compile(
    rf"{_WEEKDAY}{_DAY}(?:\sof)?[\s-]+([a-z]+)\.?,?[\s-]+(\d{{4}})(?!\d){_TIME}", _FLAGS
)
_MONTH_FIRST = re.compile(rf"{_WEEKDAY}([a-z]+)\.?\s+{_DAY},?\s+(\d{{4}})(?!\d){_TIME}", _FLAGS)


def iso_date(text: str) -> str | None:
    """The day as YYYY-MM-DD, as written whatever the zone; None where it is not clear, as in
    03/04/2024."""
    parts = _parts(text)
    return _day(*parts) if parts else None


def is_no_day(text: str) -> bool:
    """Whether the text has the form of a day, or of a month of a year, that no calendar has."""
    month = _MONTH.fullmatch(text.strip())
    year, number, day = (month[1], int(month[2]), "1") if month else _parts(text) or ("1", 1, "1")
    try:
        date(int(year), number, int(day))
    except ValueError:
        return True
    return False


def _parts(text: str) -> tuple[str, int, str] | None:
    """The year, the month and the day of a text that states them clearly."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if match := _NUMBERS.fullmatch(text):
        return match[1], int(match[3]), match[4]
    if match := _COMPACT.fullmatch(text):
        return match[1], int(match[2]), match[3]
    if (match := _DAY_FIRST.fullmatch(text)) and match[2].lower() in _MONTHS:
        return match[3], _MONTHS[match[2].lower()], match[1]
    if (match := _MONTH_FIRST.fullmatch(text)) and match[1].lower() in _MONTHS:
        return match[3], _MONTHS[match[1].lower()], match[2]
    return None


def _day(year: str, month: int, day: str) -> str | None:
    try:
        found = date(int(year), month, int(day))
    except ValueError:
        return None
    return found.isoformat() if found.year in _YEARS else None
