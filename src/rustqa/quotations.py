"""Masks the quotations in a text, so that what is quoted is not read as the article's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rustqa.types import Span

# Stands for each character of a quotation, marks included.
QUOTED = "\N{OBJECT REPLACEMENT CHARACTER}"

_DOUBLE_MARK = re.compile(r"[“”\"]")
# A mark within a word is an apostrophe, and so is one behind it, but for a comma or a stop.
_SINGLE_MARK = re.compile(r"(?P<opening>(?<!\w)['‘](?=\w))|['’](?!\w)")
_BEFORE_CLOSING = frozenset(",.?!")


def masked(text: str) -> str:
    """A paragraph with as many QUOTED in place of each quotation in it."""
    once = _covered(text, _in_single_marks(text))
    return _covered(once, _in_double_marks(once))


def _covered(text: str, quotations: Iterable[Span]) -> str:
    parts = []
    done = 0
    for start, end in quotations:
        parts += [text[done:start], QUOTED * (end - start)]
        done = end
    return "".join([*parts, text[done:]])


def _in_single_marks(text: str) -> Iterator[Span]:
    opened = None
    for mark in _SINGLE_MARK.finditer(text):
        if mark["opening"]:
            opened = mark.start() if opened is None else opened
            continue
        if opened is not None and text[mark.start() - 1] in _BEFORE_CLOSING:
            yield Span(opened, mark.end())
        opened = None


def _in_double_marks(text: str) -> Iterator[Span]:
    opened = None
    for mark in _DOUBLE_MARK.finditer(text):
        opens = mark.group() == "“" or (mark.group() == '"' and opened is None)
        if opens:
            opened = mark.start() if opened is None else opened
        elif opened is not None:
            yield Span(opened, mark.end())
            opened = None
    # A quotation that goes on in the next paragraph has no closing mark.
    if opened is not None:
        yield Span(opened, len(text))
