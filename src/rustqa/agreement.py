"""Puts readings together that say the same: a claim is shown once, with all its citations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rustqa.types import Reading

_WORD = re.compile(r"\w+")
_ARTICLES = frozenset({"a", "an", "the"})
# A single word inside longer words may mean another thing: "Friday", "Good Friday".
_TELLING = 2


def agreeing(readings: Sequence[Reading], answers: Sequence[str]) -> list[list[Reading]]:
    """The readings in groups of those whose answers are the same words, or are part of the
    other's; the groups and the readings in each keep their order."""
    groups: list[tuple[list[str], list[Reading]]] = []
    for reading, answer in zip(readings, answers, strict=True):
        words = [word for word in _WORD.findall(answer.casefold()) if word not in _ARTICLES]
        group = next((group for known, group in groups if _same(words, known)), None)
        if group is None:
            groups.append((words, [reading]))
        else:
            group.append(reading)
    return [group for _, group in groups]


def _same(one: list[str], other: list[str]) -> bool:
    if one == other:
        return bool(one)
    short, long = sorted((one, other), key=len)
    return len(short) >= _TELLING and any(
        long[start : start + len(short)] == short for start in range(len(long) - len(short) + 1)
    )
