"""Turns a follow-up and its history into a question that stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rustqa.types import Turn

_WORDS = re.compile(r"\w+")
_REFERENCE = re.compile(
    r"\b(?:he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those|there)\b", re.I
)
_OPENER = re.compile(r"\W*(?:and|but|so|then|also)\b", re.I)
# A question word with hardly anything else leans on what was asked before ("And when?").
_SHORT = 3


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """The question as it is, or led by the previous one where it leans on it."""
    if not history:
        return question
    leans = (
        len(_WORDS.findall(question)) <= _SHORT
        or _OPENER.match(question)
        or _REFERENCE.search(question)
    )
    return f"{history[-1].question} {question}" if leans else question
