"""Dates as a reader writes them: "12 July 2024" for 2024-07-12."""

from __future__ import annotations

import re

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August"),
    *("September", "October", "November", "December"),
)
_ISO = re.compile(r"(\d{4})-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01])(?:[T ].*)?)?", re.ASCII)


def in_words(date: str | None) -> str:
    """The date in words if it is one by ISO 8601, without its time; else as it is; "" for none."""
    match = _ISO.fullmatch(date or "")
    if match is None:
        return date or ""
    year, month, day = match.groups()
    words = f"{_MONTHS[int(month) - 1]} {year}"
    return f"{int(day)} {words}" if day else words
