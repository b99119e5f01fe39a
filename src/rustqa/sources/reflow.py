"""Makes paragraphs of the lines on the pages of a PDF."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import NamedTuple

_BARE = r"[\s|•·–—\[\]()-]*"
_PAGE_NUMBER = re.compile(
    rf"{_BARE}(?:page\s)?(?:\d{{1,4}}|[ivxlc]{{1,7}})(?:\s?(?:of|/)\s?\d{{1,4}})?{_BARE}",
    re.IGNORECASE,
)
# How many lines at the top and at the bottom of a page may be its running head and foot.
_EDGE = 2
_SENTENCE_END = re.compile(r"""[.!?…:;。！？؟।]["'”’»›)\]]*$""")
_ITEM = re.compile(r"[•◦▪‣●■]")
_HYPHENATED = re.compile(r"(\w+)[-\u2010]$")
_COMPOUND = re.compile(r"\w+[-\u2010]\w+")

# In units of the letters' height or the usual line.
_OTHER_SIZE = 0.1
_WIDE_STEP = 1.3
_INDENT = 0.5
_SHORT = 0.75


class Line(NamedTuple):
    """A line of a page: its text, where it starts (y grows upwards), and its letters' height."""

    text: str
    x: float
    y: float
    size: float


def reflow(pages: Sequence[Sequence[Line]]) -> str:
    """The text of the pages, its paragraphs parted by blank lines: heads, feet and page numbers
    left out, lines joined, words parted at line ends mended."""
    kept = _without_edges(pages)
    lines = [line for page in kept for line in page]
    compounds = {word.lower() for line in lines for word in _COMPOUND.findall(line.text)}
    return "\n\n".join(_paragraphs(kept, compounds))


def _without_edges(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    edges = []
    for page in pages:
        lines = sorted(page, key=lambda line: -line.y)
        edges.append([*lines[:_EDGE], *lines[_EDGE:][-_EDGE:]])
    counts = Counter(key for edge in edges for key in {_key(line) for line in edge})
    # Each chapter may have a head of its own, on the left pages or the right ones only.
    often = 2 if len(pages) < 6 else 3
    return [
        [
            line
            for line in page
            if line not in edge
            or not (counts[_key(line)] >= often or _PAGE_NUMBER.fullmatch(line.text))
        ]
        for page, edge in zip(pages, edges, strict=True)
    ]


def _key(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text.casefold())


def _paragraphs(pages: Sequence[Sequence[Line]], compounds: set[str]) -> Iterator[str]:
    steps = [step for page in pages for step in map(_step, page, page[1:]) if step > 0]
    step = median(steps) if steps else 0.0
    paragraph = ""
    above: Line | None = None
    for page in pages:
        length = median(len(line.text) for line in page) if page else 0.0
        for place, line in enumerate(page):
            if above and _starts(line, above, place == 0, step, length):
                yield paragraph
                paragraph = ""
            paragraph = _join(paragraph, line.text, compounds)
            above = line
    if paragraph:
        yield paragraph


def _step(above: Line, line: Line) -> float:
    """How far down the line is from the one above, in heights of its letters."""
    return (above.y - line.y) / line.size if line.size > 0 else 0.0


def _starts(line: Line, above: Line, on_top: bool, usual: float, length: float) -> bool:
    """Whether the line starts a paragraph, seen from the line before it, the usual step between
    lines, and the usual length of a line."""
    ended = bool(_SENTENCE_END.search(above.text))
    goes_on = line.text[0].islower() and not ended
    if abs(line.size - above.size) > _OTHER_SIZE * above.size:
        return not goes_on
    if _ITEM.match(line.text):
        return True
    step = _step(above, line)
    if on_top or step <= 0:  # at the top of a page or of a column
        return ended
    if step > _WIDE_STEP * usual:
        return not goes_on or step > 2 * usual
    indented = line.x - above.x > _INDENT * line.size
    return ended and (indented or len(above.text) < _SHORT * length)


def _join(paragraph: str, line: str, compounds: set[str]) -> str:
    """The paragraph with the line behind it; a word parted between them becomes whole."""
    if paragraph.endswith("\u00ad"):
        return paragraph[:-1] + line
    parted = _HYPHENATED.search(paragraph)
    if not parted:
        return f"{paragraph} {line}".lstrip()
    rest = re.match(r"\w+", line)
    if rest is None:
        return f"{paragraph} {line}"
    # A hyphen before a capital or a figure, or one that the word has elsewhere too, is its own.
    own = not line[0].islower() or f"{parted[1]}-{rest[0]}".lower() in compounds
    return paragraph + line if own else paragraph[:-1] + line
