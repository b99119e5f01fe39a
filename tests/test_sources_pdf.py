"""PDFs: whole sentences in whole paragraphs, no running heads, and hostile files."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path

import pytest

from rustqa.sources import pdf
from rustqa.sources.files import Problem
from rustqa.sources.reflow import Line, reflow
from rustqa.types import Document
from sources_fixtures import lines_of, make_pdf, read_one

TEXT = """The council closed the harbour on Monday after engi-
neers had found a crack in the east wall (see below),
which is 40 years old.

"Nobody will sail before the well-known wall is men-
ded," said Ada Quill, the harbour master of the well-
known town of Saltby."""
PARAGRAPHS = [
    "The council closed the harbour on Monday after engineers had found a crack in the east wall "
    "(see below), which is 40 years old.",
    '"Nobody will sail before the well-known wall is mended," said Ada Quill, the harbour master '
    "of the well-known town of Saltby.",
]


def _read(folder: Path, data: bytes) -> Document:
    found = read_one(folder, "Page One.pdf", data)
    assert isinstance(found, Document), found
    return found


def _reason(folder: Path, data: bytes) -> str:
    found = read_one(folder, "a.pdf", data)
    assert isinstance(found, Problem), found
    assert "\n" not in found.reason
    return found.reason


@pytest.mark.parametrize("compressed", [False, True])
def test_lines_become_paragraphs(tmp_path: Path, compressed: bool) -> None:
    """Words parted at a line's end become whole, but compounds keep their hyphens."""
    data = make_pdf([lines_of(TEXT)], compressed=compressed)
    document = _read(tmp_path, data)
    assert document.text.split("\n\n") == PARAGRAPHS
    assert document.id == document.title == "page-one"
    assert (document.sha256, document.bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_heads_feet_and_page_numbers_are_dropped(tmp_path: Path) -> None:
    """A sentence that goes on upon the next page is whole."""
    halves = TEXT.split("\n\n")
    bodies = [
        f"{halves[0]}\n\nFishermen may land their",
        "catch elsewhere until\nspring.",
        halves[1],
    ]
    pages = [
        [
            (72, 40, 10, f"Page {number} of 3"),
            (72, 760, 10, f"The Saltby News | 12 July 2024 | {number}"),
            *lines_of(body),
        ]
        for number, body in enumerate(bodies, start=1)
    ]
    assert _read(tmp_path, make_pdf(pages)).text.split("\n\n") == [
        PARAGRAPHS[0],
        "Fishermen may land their catch elsewhere until spring.",
        PARAGRAPHS[1],
    ]


def test_the_file_says_its_title_and_day(tmp_path: Path) -> None:
    """As far as they make sense."""
    info = "/Title(Harbour shut)/CreationDate(D:20240712233000-05'00')"
    document = _read(tmp_path, make_pdf([lines_of(TEXT)], info))
    assert (document.title, document.date) == ("Harbour shut", "2024-07-12")


@pytest.mark.parametrize(
    "info",
    [
        "",
        "/Title()/CreationDate()",
        "/Title(Untitled)/CreationDate(D:99999999)",
        "/Title(Microsoft Word - harbour.doc)/CreationDate(yesterday)",
        "/Title(harbour_final2.indd)/CreationDate 7",
        "/Title(Document1)/CreationDate[1]",
        "/Title 99 0 R/CreationDate 99 0 R",
        "/Title<</A 1>>",
    ],
)
def test_what_programs_write_is_no_title(tmp_path: Path, info: str) -> None:
    """The heading or else the file's name serves."""
    document = _read(tmp_path, make_pdf([lines_of(TEXT)], info))
    assert (document.title, document.date) == ("page-one", None)
    head = [(72.0, 740.0, 20.0, "Harbour shut after crack is found"), *lines_of(TEXT)]
    assert _read(tmp_path, make_pdf([head], info)).title == "Harbour shut after crack is found"


def test_a_pdf_of_images_is_a_problem(tmp_path: Path) -> None:
    """As is one without pages."""
    for data in (make_pdf([[]]), make_pdf([[], []]), make_pdf([]), make_pdf([lines_of("1")])):
        assert _reason(tmp_path, data) == "holds no text, only images; run it through OCR"


@pytest.mark.parametrize("cipher", ["/V 1/R 2/Length 40", "/V 5/R 6/Length 256", "/V 9/R 9"])
def test_an_encrypted_pdf_is_a_problem(tmp_path: Path, cipher: str) -> None:
    """Whatever the cipher; no password is tried."""
    keys = f"/O<{'00' * 48}>/U<{'00' * 48}>/OE<{'00' * 32}>/UE<{'00' * 32}>/Perms<{'00' * 16}>"
    encrypt = f"/Encrypt<</Filter/Standard{cipher}{keys}/P -4>>/ID[<00><00>]"
    data = make_pdf([lines_of(TEXT)], trailer=encrypt)
    assert _reason(tmp_path, data) == "encrypted; save it without a password"


def test_a_pdf_that_is_cut_off_is_borne(tmp_path: Path) -> None:
    """Wherever it ends: an article or a problem that says what to do."""
    data = make_pdf([lines_of(TEXT)] * 2, compressed=True)
    for length in range(0, len(data), 23):
        found = read_one(tmp_path, "a.pdf", data[:length])
        assert isinstance(found, Document) or found.reason.endswith(
            ("export it anew", "run it through OCR")
        )


@pytest.mark.parametrize(
    "data",
    [b"", b"%PDF-1.4", b"not a PDF", b"%PDF-1.4\n" + b"1 0 obj<<" * 20_000, b"%PDF-1.7\n%%EOF"],
)
def test_what_is_no_pdf_is_a_problem(tmp_path: Path, data: bytes) -> None:
    """With the library's reason in one line."""
    assert _reason(tmp_path, data).startswith("not a PDF that can be read (")


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    """A small file that unpacks to a gigabyte is refused before it has."""
    start = time.monotonic()
    data = make_pdf([[]], content=b"BT (It rained.) Tj ET " * 10_000_000, compressed=True)
    made = time.monotonic()
    assert len(data) < 2_000_000
    assert _reason(tmp_path, data).startswith("not a PDF that can be read (")
    assert time.monotonic() - made < 30 + (made - start)


def test_too_much_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reading stops there."""
    monkeypatch.setattr(pdf, "MAX_CHARACTERS", 1000)
    data = make_pdf([lines_of(TEXT)] * 20)
    assert _reason(tmp_path, data).startswith("holds more than")


def test_a_form_drawn_again_and_again_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forms may draw forms: the text grows though the file does not."""
    monkeypatch.setattr(pdf, "MAX_CHARACTERS", 100_000)
    text = b"BT /F1 12 Tf (" + b"It rained. " * 1000 + b") Tj ET"
    form = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</Font<</F1 3 0 R>>>>/Length %d>>"
    data = make_pdf([[]], content=b"/X Do " * 5000)
    data = data.replace(b"/Resources<<", b"/Resources<</XObject<</X 9 0 R>>")
    data += b"9 0 obj\n" + form % len(text) + b"stream\n" + text + b"\nendstream\nendobj\n"
    # The table of places no longer holds, so it is made anew from what is there.
    data = data.replace(b"startxref", b"startxxxx") + b"startxref\n0\n%%EOF\n"
    assert _reason(tmp_path, data).startswith("holds more than")


def test_too_many_pages_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A book is not an article."""
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    assert _reason(tmp_path, make_pdf([lines_of(TEXT)] * 3)) == (
        "more than 2 pages; split it into articles"
    )


def test_a_slow_pdf_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for it only so long."""
    monkeypatch.setattr(pdf, "MAX_SECONDS", -1.0)
    assert _reason(tmp_path, make_pdf([lines_of(TEXT)])).startswith("takes longer than")


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read."""
    monkeypatch.setattr(pdf, "MAX_FILE_BYTES", 20)
    assert _reason(tmp_path, make_pdf([[]])) == "larger than 20 bytes; split it"


def test_what_cannot_be_shown_is_dropped(tmp_path: Path) -> None:
    """Control characters come from fonts that do not say what their shapes mean."""
    content = b"BT /F1 12 Tf 72 700 Td (It \\001rain\\000ed.) Tj ET"
    assert _read(tmp_path, make_pdf([[]], content=content)).text == "It rained."


def test_the_library_is_not_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What it says of a broken file is said in the problem, if it matters."""
    with caplog.at_level(logging.DEBUG):
        read_one(tmp_path, "a.pdf", make_pdf([lines_of(TEXT)])[:-60])
        read_one(tmp_path, "a.pdf", b"%PDF")
    assert caplog.records == []


def _lines(*texts: str, step: float = 14, x: float = 72, size: float = 12) -> list[Line]:
    return [Line(text, x, 700 - place * step, size) for place, text in enumerate(texts)]


FULL = "The council of the town met on Monday, and it sat until the evening"


def test_a_short_last_line_ends_a_paragraph() -> None:
    """Where no space parts them: the line stops early, and so does the sentence."""
    page = _lines(FULL, "without a break.", f"It rained. {FULL}.", "Nobody came", f"{FULL}.")
    assert reflow([page]) == (f"{FULL} without a break.\n\nIt rained. {FULL}. Nobody came {FULL}.")


def test_an_indented_line_starts_a_paragraph() -> None:
    """After a sentence; a hanging indent does not."""
    page = _lines(FULL, f"{FULL}.", FULL, f"{FULL}.")
    page[2] = page[2]._replace(x=90)
    assert reflow([page]) == f"{FULL} {FULL}.\n\n{FULL} {FULL}."
    page[1] = page[1]._replace(text=FULL)
    assert reflow([page]) == f"{FULL} {FULL} {FULL} {FULL}."


def test_a_heading_stands_alone() -> None:
    """It is written larger; a first letter that is written larger is not a heading."""
    page = [*_lines("Harbour shut", size=18), *_lines(FULL, f"{FULL}.")]
    assert reflow([page]) == f"Harbour shut\n\n{FULL} {FULL}."
    page = [*_lines("T", size=36), *_lines(FULL[1:], f"{FULL}.")]
    assert "\n" not in reflow([page])


def test_columns_follow_each_other() -> None:
    """A sentence goes on at the top of the next one."""
    left, right = _lines(FULL, FULL), _lines(f"{FULL}.", "It rained.", x=320)
    assert reflow([[*left, *right]]) == f"{FULL} {FULL} {FULL}. It rained."


def test_items_of_a_list_stand_alone() -> None:
    """Each starts with its own mark."""
    assert reflow([_lines("The wall", "• leaks", "• leans")]) == "The wall\n\n• leaks\n\n• leans"


@pytest.mark.parametrize(
    ("above", "line", "joined"),
    [
        ("anti-", "American", "anti-American"),
        ("in 2023-", "24.", "in 2023-24."),
        ("the -", "wall", "the - wall"),
        ("har\u00ad", "bour", "harbour"),
        ("har\u2010", "bour", "harbour"),
        ("har-", "“bour", "har- “bour"),
    ],
)
def test_hyphens_that_part_no_word_stay(above: str, line: str, joined: str) -> None:
    """Before a capital, a figure, or as a dash."""
    assert reflow([_lines(above, line)]) == joined
