"""What no JSON schema tells schemathesis: which of two days comes first, and what can be asked."""

from __future__ import annotations

from typing import Any

import schemathesis

from rustqa.drafts import Draft, checked
from rustqa.errors import RustQAError
from rustqa.limits import check_scope, read_day


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Puts two days in their order, the earlier one first."""
    body = case.body if isinstance(case.body, dict) else {}
    questions = body.get("questions")
    for fields in (case.query, body, *(questions if isinstance(questions, list) else ())):
        if isinstance(fields, dict) and not _in_order(fields):
            fields["since"], fields["until"] = fields["until"], fields["since"]


@schemathesis.hook
def filter_body(context: Any, body: Any) -> bool:
    """The text of an article holds something that can be asked."""
    if not isinstance(body, dict) or not isinstance(body.get("text"), str):
        return True
    try:
        checked(Draft("title", body["text"]))
    except RustQAError as error:
        return "can be asked" not in str(error)
    return True


def _in_order(fields: dict[str, Any]) -> bool:
    days = [fields.get(name) for name in ("since", "until")]
    if not all(isinstance(day, str) and day for day in days):
        return True
    try:
        check_scope(None, read_day(days[0], ""), read_day(days[1], "", last=True), ())
    except RustQAError as error:
        return "is after" not in str(error)
    return True
