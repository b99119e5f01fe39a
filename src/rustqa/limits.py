"""What may be asked: how long, how much, and of what; the errors say what to change."""

from __future__ import annotations

import calendar
import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING

from rustqa.errors import QuestionError, UnknownDocumentError

if TYPE_CHECKING:
    from rustqa.types import Turn

MAX_QUESTION = 1000
MAX_HISTORY = 20
MAX_TOP_K = 20
MAX_DOCUMENTS = 1000

_SPAN = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_MONTHS = 12


def check_request(question: str, history: Sequence[Turn], top_k: int) -> None:
    """Raises QuestionError unless this can be asked."""
    check_question(question)
    for turn in history:
        check_question(turn.question)
        check_answer(turn.answer)
    if len(history) > MAX_HISTORY:
        raise QuestionError(
            f"the history has {len(history)} turns; send the last {MAX_HISTORY} at most"
        )
    if not 1 <= top_k <= MAX_TOP_K:
        raise QuestionError(f"top_k is out of range; give a number from 1 to {MAX_TOP_K}")


def check_scope(
    documents: Collection[str] | None,
    since: dt.date | None,
    until: dt.date | None,
    known: Container[str],
) -> None:
    """Raises QuestionError or UnknownDocumentError unless articles can be chosen so among those
    whose ids are `known`."""
    if isinstance(documents, str):
        raise QuestionError(f"documents is the text {documents!r}; give a list of ids")
    if documents is not None and not documents:
        raise QuestionError("no article is named; name one or leave `documents` out")
    if len(documents or ()) > MAX_DOCUMENTS:
        raise QuestionError(f"too many articles are named; name {MAX_DOCUMENTS:,} at most")
    for name in documents or ():
        if name not in known:
            raise UnknownDocumentError(f"no article has the id {name!r}; see their list")
    if since and until and since > until:
        raise QuestionError(f"since ({since}) is after until ({until}); exchange the two")


def read_day(text: str | None, what: str, last: bool = False) -> dt.date | None:
    """A day given as text; of a year or a month the first day, or the `last`; None for no text.

    `what` names it in the QuestionError if it is none of these.
    """
    if text is None:
        return None
    match = _SPAN.fullmatch(text) if isinstance(text, str) else None
    try:
        if match is None:
            raise ValueError
        year, month, day = (int(part or 0) for part in match.groups())
        if day:
            return dt.date(year, month, day)
        if not last:
            return dt.date(year, month or 1, 1)
        month = month or _MONTHS
        return dt.date(year, month, calendar.monthrange(year, month)[1])
    except ValueError:
        raise QuestionError(
            f"{what} is no date: {text!r:.50}; write it as 2024-07-12, 2024-07 or 2024"
        ) from None


def check_question(question: str) -> None:
    """Raises QuestionError unless the question is text of a sensible length."""
    if not isinstance(question, str):
        raise QuestionError("the question is not text; give a string")
    if not question.strip():
        raise QuestionError("the question is empty; type one")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(question):,} characters; shorten it to {MAX_QUESTION:,}"
        )
    for place, char in enumerate(question):
        if unicodedata.category(char) in {"Cc", "Cs"} and not char.isspace():
            raise QuestionError(
                f"the question holds the control character U+{ord(char):04X} at position {place}; "
                "remove it"
            )


def check_answer(answer: str | None) -> None:
    """Raises QuestionError unless the answer that an earlier question got is text, or none."""
    if answer is None:
        return
    if not isinstance(answer, str):
        raise QuestionError("an earlier answer is not text; give a string or null")
    try:
        answer.encode()
    except UnicodeEncodeError as error:
        raise QuestionError(
            f"an earlier answer holds half a character (U+{ord(answer[error.start]):04X}) at "
            f"position {error.start}; remove it"
        ) from None
