"""Turns a follow-up and its history into a question that stands alone."""

from __future__ import annotations

import re
from collections.abc import Sequence

_REFERENCE = re.compile(
    r"\b(?:he|him|his|she|hers?|it|its|they|them|theirs?|this|that|these|those|there)\b", re.I
)
_OPENER = re.compile(r"\W*(?:and|but|so|then|also)\b", re.I)
# Words that ask without saying of what; a question of these alone leans ("How long?", "Why not?").
_ASKING = re.compile(
    r"(?:\W|\b(?:an?|and|are|at|by|did|do|does|exactly|far|for|from|had|has|have|how|in|is|long|many"
    r"|much|not|of|often|old|on|soon|the|to|was|were|what|when|where|which|who|whom|whose|why|with"
    r"|would)\b)*",
    re.I,
)


def stand_alone(question: str, turns: Sequence[str]) -> str:
    """The question as it is, or led by the last of the earlier ones where it leans on it."""
    if not turns:
        return question
    leans = _ASKING.fullmatch(question) or _OPENER.match(question) or _REFERENCE.search(question)
    return f"{turns[-1]} {question}" if leans else question
