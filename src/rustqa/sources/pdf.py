"""Takes the text out of a PDF."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from io import BytesIO
from math import hypot
from typing import Any

from rustqa.corpus import document_id, make_document
from rustqa.errors import CorpusError
from rustqa.sources.contents import MAX_CHARACTERS, TOO_MUCH_TEXT, contained, read_bytes
from rustqa.sources.dates import iso_date
from rustqa.sources.files import SourceFile, stem
from rustqa.sources.metadata import merge
from rustqa.sources.reflow import Line, reflow
from rustqa.types import Document

MAX_FILE_BYTES = 50_000_000
MAX_PAGES = 2000
MAX_SECONDS = 120.0

# What pypdf may unpack and look at for one page; its own limits suit far larger machines.
_LIMITS: dict[str, Any] = {
    "array_based_stream_maximum_output_length": 25_000_000,
    "lzw_maximum_output_length": 25_000_000,
    "run_length_maximum_output_length": 25_000_000,
    "zlib_maximum_output_length": 25_000_000,
    "stream_decoding_work_maximum_length": 100_000_000,
    "xform_maximum_invocations_per_extraction": 500,
    "jbig2dec_binary": None,
}
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What programs write where nobody gave a title: a file's name, or theirs.
_NO_TITLE = re.compile(
    r"(?:untitled|microsoft|document ?\d*$|slide ?\d|\(?anonymous|none$|print(?:ing)?$)"
    r"|.*\.(?:docx?|odt|pdf|indd|qxp|qxd|pages|rtf|txt|html?|pptx?|tex|dvi)$"
    r"|\S*[/\\]\S*$|\W*$|\S*\d\S*$",
    re.IGNORECASE,
)


def read_pdf(file: SourceFile, metadata: Mapping[str, Any]) -> Document:
    """The text of the pages, lines joined into paragraphs, and what the file says of itself."""
    data = read_bytes(file.path, MAX_FILE_BYTES, "split it")
    pages, found = _extract(data)
    text = reflow(pages)
    if not text:
        raise CorpusError("holds no text, only images; run it through OCR")
    return make_document(document_id(stem(file.name)), text, data, merge(found, metadata))


def _extract(data: bytes) -> tuple[list[list[Line]], dict[str, str]]:
    """The lines of each page, and the title and date in the file's description."""
    import pypdf
    from pypdf.errors import DependencyError, FileNotDecryptedError

    with (
        contained(("pypdf",), "not a PDF that can be read", "export it anew"),
        pypdf.apply_configuration(**_LIMITS),
    ):
        encrypted = CorpusError("encrypted; save it without a password")
        try:
            reader = pypdf.PdfReader(BytesIO(data))
            if reader.is_encrypted:
                raise encrypted
        except (DependencyError, FileNotDecryptedError, NotImplementedError):
            raise encrypted from None
        if len(reader.pages) > MAX_PAGES:
            raise CorpusError(f"more than {MAX_PAGES:,} pages; split it into articles")
        work = _Work()
        return [work.lines(page) for page in reader.pages], _description(reader)


class _Work:
    """Reads page after page while neither the time nor the text is too much."""

    def __init__(self) -> None:
        self._until = time.monotonic() + MAX_SECONDS
        self._characters = 0

    def lines(self, page: Any) -> list[Line]:
        """The lines of a page, in the order in which it draws them."""
        self._lines: list[Line] = []
        self._line: list[str] = []
        page.extract_text(visitor_operand_before=self._check, visitor_text=self._take)
        self._end_line()
        # What is raised inside a form on the page is lost there.
        self._check()
        return self._lines

    def _check(self, *_: object) -> None:
        if self._characters > MAX_CHARACTERS:
            raise CorpusError(TOO_MUCH_TEXT)
        if time.monotonic() > self._until:
            raise CorpusError(f"takes longer than {MAX_SECONDS:g} seconds; split it into articles")

    def _take(
        self, text: str, page: list[float], place: list[float], _: object, size: float
    ) -> None:
        self._characters += len(text)
        self._check()
        for number, part in enumerate(text.split("\n")):
            if number:
                self._end_line()
            if not self._line and part.strip():
                self._start = _position(page, place, size)
            if self._line or part.strip():
                self._line.append(part)

    def _end_line(self) -> None:
        text = _UNREADABLE.sub("", "".join(self._line).translate(_LIGATURES))
        if text := " ".join(text.split()):
            self._lines.append(Line(text, *self._start))
        self._line = []


def _position(page: list[float], place: list[float], size: float) -> tuple[float, float, float]:
    """x, y and the letters' height on the page, by the matrices of the page and of the text."""
    x = place[4] * page[0] + place[5] * page[2] + page[4]
    y = place[4] * page[1] + place[5] * page[3] + page[5]
    up = (place[2] * page[0] + place[3] * page[2], place[2] * page[1] + place[3] * page[3])
    return x, y, abs(size) * hypot(*up)


def _description(reader: Any) -> dict[str, str]:
    """The title and the day of making, as far as they make sense."""
    try:
        given = reader.metadata or {}
        values = [given.get(name) for name in ("/Title", "/CreationDate")]
    except Exception:  # the article is there all the same
        return {}
    title, made = (value if isinstance(value, str) else "" for value in values)
    title = " ".join(_UNREADABLE.sub("", title).split())
    date = iso_date(made.removeprefix("D:")[:8])
    good = title and len(title) <= 300 and not _NO_TITLE.match(title)
    return {"title": title if good else "", "date": date or ""}
