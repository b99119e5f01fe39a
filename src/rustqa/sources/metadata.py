"""What is known of an article beside its text: title, address, source, date and licence."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from rustqa.errors import CorpusError
from rustqa.sources.contents import read_bytes, reason_of
from rustqa.sources.dates import iso_date

MAX_FILE_BYTES = 100_000
# Dots lead into tables: tomllib takes time with the square of how deep.
_MAX_DOTS = 2000
_SHORTEN = "it describes one article: shorten it"

TEXT_FIELDS = ("title", "url", "source", "date", "licence")


def read_metadata(file: Path | None) -> dict[str, Any]:
    """The fields of a .toml file: strings, and `questions`, a list of strings."""
    if file is None:
        return {}
    try:
        data = read_bytes(file, MAX_FILE_BYTES, _SHORTEN)
        if data.count(b".") > _MAX_DOTS:
            raise CorpusError(f"more than {_MAX_DOTS:,} dots; {_SHORTEN}")
        fields = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise CorpusError(f"not valid TOML ({reason_of(error)}); correct it") from None
    if isinstance(fields.get("date"), date):
        fields["date"] = fields["date"].isoformat()
    for name, value in fields.items():
        if name not in (*TEXT_FIELDS, "questions"):
            known = ", ".join((*TEXT_FIELDS, "questions"))
            raise CorpusError(f"{name[:50]!r} must be one of {known}")
        check_field(name, value, "text in quotation marks")
    return fields


def check_field(name: str, value: object, text: str = "text") -> None:
    """Raises CorpusError unless the value is what the field holds."""
    if name == "questions":
        good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        wanted = "a list of texts"
    else:
        good, wanted = isinstance(value, str), text
    if not good:
        raise CorpusError(f"{name!r} must be {wanted}")


def merge(found: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What an article says of itself and what is given for it, which counts for more."""
    fields = {name: value for each in (found, given) for name, value in each.items() if value}
    if "date" in fields:
        # A date that is none is shown as it is written.
        fields["date"] = iso_date(fields["date"]) or fields["date"]
    return fields
