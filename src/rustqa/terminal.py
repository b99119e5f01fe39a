"""Shows answers to a person at a terminal, and as JSON."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rustqa.controls import escaped
from rustqa.days import in_words
from rustqa.types import Answer, Citation

_BOLD, _DIM, _MARK, _END = "\x1b[1m", "\x1b[2m", "\x1b[1;33m", "\x1b[0m"
_INDENT = "  "
# A further claim less likely than this is wrong more often than right, and headed so.
_EVEN = 0.5
# Where the answer begins and ends in text still to be wrapped; not printable, so in no text.
_OPEN, _CLOSE = "\ue000", "\ue001"


def to_json(value: Answer | Sequence[Citation], indent: int | None = 2) -> str:
    """The record as JSON, in the order of its fields."""
    plain: Any = asdict(value) if isinstance(value, Answer) else [asdict(item) for item in value]
    return json.dumps(plain, ensure_ascii=False, indent=indent)


def show_answer(answer: Answer) -> str:
    """The answer, its sentence with the answer's words marked, its place and its confidence."""
    parts = []
    if answer.question_used != answer.question.strip():
        parts.append(_style(_wrap(_printable(f"Understood as: {answer.question_used}")), _DIM))
    if answer.message is not None:
        # rustqa's own words look like nobody's quotation.
        parts.append(_wrap(answer.message))
        if answer.suggestions:
            parts.append(_INDENT + "Ask, for instance:")
            parts.append("\n".join(_wrap(_printable(text), "    ") for text in answer.suggestions))
        return "\n\n".join(parts)
    if answer.status == "no_answer":
        parts.append(_INDENT + _style("The article does not say.", _BOLD))
        if answer.nearest:
            parts.append(_INDENT + "Closest passages, which do not answer the question:")
        parts.extend(map(show_citation, answer.nearest))
        return "\n\n".join(parts)
    by_id = {citation.id: citation for citation in answer.citations}
    doubtful = next((claim for claim in answer.claims[1:] if claim.confidence < _EVEN), None)
    if answer.contested:
        parts.append(_INDENT + "The article gives differing accounts:")
    for claim in answer.claims:
        if claim is doubtful and not answer.contested:
            parts.append(_INDENT + "Less likely:")
        first, *others = (by_id[number] for number in claim.citations)
        shown = [show_citation(first, claim.confidence, claim.speaker)]
        parts.append("\n".join([*shown, *(_also(other, first) for other in others)]))
    return "\n\n".join(parts)


def heading(title: str, date: str | None) -> str:
    """The title and the date of an article, on one line."""
    return _printable(" ".join(", ".join(filter(None, (title, in_words(date)))).split()))


def show_citation(
    citation: Citation, confidence: float | None = None, speaker: str | None = None
) -> str:
    """The quoted sentence, wrapped, whose claim it is, and where it stands."""
    text = citation.cited_text
    start = citation.answer_start_char - citation.start_char
    end = citation.answer_end_char - citation.start_char
    answer = _printable(text[start:end])
    before, after = _printable(text[:start]), _printable(text[end:])
    quoted = f"{before}{_OPEN}{answer}{_CLOSE}{after}"
    # A sentence that begins with somebody's words brings its own quotation marks.
    quoted = _wrap(quoted if text[0] in '“"‘«' else f"“{quoted}”")
    place = f"{_article(citation)}, {_place(citation)}"
    if speaker is not None:
        place = f"{speaker}, in {place}"
    if confidence is not None:
        place += f", confidence {confidence:.0%}"
    lines = [quoted, _style(_wrap(_printable(place), "    — "), _DIM)]
    if confidence is not None and (before or after):
        lines.insert(0, _style(_wrap(answer), _BOLD) + "\n")
    return "\n".join(lines)


def _also(citation: Citation, best: Citation) -> str:
    """Where else the same is said, of the article that says it best only the paragraph."""
    where = _place(citation)
    if citation.document_id != best.document_id:
        where = f"{_article(citation)}, {where}"
    return _style(_wrap(_printable(f"also in {where}"), "      "), _DIM)


def _article(citation: Citation) -> str:
    return heading(citation.document_title, citation.document_date)


def _place(citation: Citation) -> str:
    start, end = citation.start_char, citation.end_char
    return f"paragraph {citation.paragraph}, characters {start}–{end}"


def _wrap(text: str, first: str = _INDENT) -> str:
    width = min(shutil.get_terminal_size().columns, 88)
    lines = textwrap.fill(
        " ".join(text.split()),
        width=max(width, 30),
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
    )
    mark, end = (_MARK, _END) if _styled() else ("", "")
    return lines.replace(_OPEN, mark).replace(_CLOSE, end)


def _printable(text: str) -> str:
    """The text with its controls spelt out: an article must not drive the terminal, nor turn
    round what stands beside its words."""
    shown = escaped(text)
    return "".join(char for char in shown if char.isprintable() or char.isspace())


def _style(text: str, code: str) -> str:
    return f"{code}{text}{_END}" if text and _styled() else text


def _styled() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
