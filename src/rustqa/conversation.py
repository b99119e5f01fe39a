"""Turns a follow-up and its history into a question that stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rustqa.types import Turn

_WORDS = re.compile(r"\w+")
_REFERENCE = frozenset(
    "he him his she her hers it its they them their theirs this that these those there".split()
)
_OPENERS = frozenset("and but so then also".split())
# A question word with hardly anything else leans on what was asked before ("And when?").
_SHORT = 3


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """The question as it is, or led by the previous one where it leans on it."""
    if not history:
        return question
    words = [word.lower() for word in _WORDS.findall(question)]
    leans = (
        len(words) <= _SHORT or words[0] in _OPENERS or not _REFERENCE.isdisjoint(words)
    )
    return f"{history[-1].question} {question}" if leans else question
