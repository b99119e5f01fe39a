"""What schemathesis is not to ask: requests whose fault no JSON schema can tell."""

from __future__ import annotations

from typing import Any

import schemathesis

from rustqa.drafts import Draft, checked
from rustqa.errors import RustQAError
from rustqa.limits import check_scope, read_day


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """Of two days the earlier one comes first."""
    return _in_order(query)


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """So in a body, in which the text of an article holds something that can be asked."""
    if isinstance(body, dict) and isinstance(body.get("text"), str):
        return _is_article(body)
    asked = body.get("questions") if isinstance(body, dict) else None
    return all(map(_in_order, asked if isinstance(asked, list) else [body]))


def _in_order(fields: Any) -> bool:
    if not isinstance(fields, dict):
        return True
    days = [fields.get(name) for name in ("since", "until")]
    try:
        first, last = (read_day(day or None, "") if isinstance(day, str) else None for day in days)
        if last:
            last = read_day(days[1], "", last=True)
        check_scope(None, first, last, ())
    except RustQAError as error:
        return "is after" not in str(error)
    return True


def _is_article(fields: dict[str, Any]) -> bool:
    try:
        checked(Draft("title", fields["text"]))
    except RustQAError as error:
        return "can be asked" not in str(error)
    return True
