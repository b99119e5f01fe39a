"""Web pages: the article's text alone, what the page says of it, and hostile pages."""

from __future__ import annotations

import hashlib
import logging
import time
from pathlib import Path

import pytest

from rustqa.sources.files import Problem
from rustqa.types import Document
from sources_fixtures import read_one

HEAD = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<title>Harbour shut | The Saltby News</title>
<meta property="og:title" content="  Harbour\n shut ">
<meta property="og:site_name" content="The Saltby News">
<meta property="article:published_time" content="2024-07-12T23:30:00-05:00">
<link rel="canonical" href="https://saltby.test/news/harbour">
<script>var hidden = "SECRET";</script><style>.hidden { content: "SECRET" }</style></head>"""
BODY = """<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav>
<article><h1>Harbour shut</h1>
<p>The council closed the
harbour on Monday. Engineers had found a&nbsp;crack in the east wall.</p>
<p>“Nobody will sail before the wall is <b>mended</b>,” said <a href="x">Ada Quill</a>, the
harbour<br>master. The work costs two million pounds.</p>
<script>document.write("SECRET")</script><ul><li>One boat sank.</li><li>Another leaks.</li></ul>
<h2>What next</h2><p>Fishermen may land their catch at Saltby until spring.<br><br>The ferry
&amp; its crew stay in port.</p><table><tr><td>SECRET</td></tr></table></article>
<div id="comments"><p>First! SECRET</p></div>
<footer>© 2024 The Saltby News</footer></body></html>"""
PARAGRAPHS = [
    "Harbour shut",
    "The council closed the harbour on Monday. Engineers had found a crack in the east wall.",
    "“Nobody will sail before the wall is mended,” said Ada Quill, the harbour master. "
    "The work costs two million pounds.",
    "- One boat sank.",
    "- Another leaks.",
    "What next",
    "Fishermen may land their catch at Saltby until spring.",
    "The ferry & its crew stay in port.",
]


def _read(folder: Path, page: bytes | str) -> Document:
    found = read_one(folder, "Page One.html", page)
    assert isinstance(found, Document), found
    return found


def test_the_article_of_a_page_is_taken(tmp_path: Path) -> None:
    """Paragraphs parted by blank lines; no menu, no script, no comment, no table."""
    document = _read(tmp_path, HEAD + BODY)
    assert document.text.split("\n\n") == PARAGRAPHS
    assert document.id == "page-one"


def test_the_page_says_where_it_is_from(tmp_path: Path) -> None:
    """Title, address, site and the day as written; the digest is that of the file."""
    document = _read(tmp_path, HEAD + BODY)
    assert (document.title, document.date) == ("Harbour shut", "2024-07-12")
    assert document.url == "https://saltby.test/news/harbour"
    assert document.source == "The Saltby News"
    data = (HEAD + BODY).encode()
    assert (document.sha256, document.bytes) == (hashlib.sha256(data).hexdigest(), len(data))


def test_a_page_that_says_nothing_of_itself_has_no_date(tmp_path: Path) -> None:
    """A year in its footer is not the day it was published."""
    document = _read(tmp_path, f"<html>{BODY}")
    assert (document.date, document.url, document.source) == (None, None, None)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("windows-1251", "cp1251"), ("iso-8859-5", "iso-8859-5"), ("UTF-8", "utf-8"), ("", "utf-16")],
)
def test_a_page_is_read_in_the_encoding_it_names(
    tmp_path: Path, declared: str, encoding: str
) -> None:
    """Or in the one its byte order mark says."""
    text = "Совет закрыл гавань в понедельник. Инженеры нашли трещину в восточной стене. " * 3
    page = f"<html><head><meta charset='{declared}'></head><body><p>{text}</p></body></html>"
    assert _read(tmp_path, page.encode(encoding)).text == text.strip()


def test_quotation_marks_of_windows_are_read(tmp_path: Path) -> None:
    """Pages that call themselves Latin-1 use them."""
    page = "<html><head><meta charset=iso-8859-1></head><body><p>“It rained,” she said.</p></body>"
    assert _read(tmp_path, page.encode("cp1252")).text == "“It rained,” she said."


@pytest.mark.parametrize("written", ["&#1;", "&#x1F;", "&#011;", "&#0;", "\1", "\0", "&#xD800;"])
def test_control_characters_cost_no_article(tmp_path: Path, written: str) -> None:
    """They are left out, or shown as unknown; other characters that are spelt out are kept."""
    page = (
        f"<html><body><article><p>It {written}rained &#8212; a&#10;lot.</p></article></body></html>"
    )
    assert _read(tmp_path, page).text.replace("\ufffd", "") == "It rained — a lot."


@pytest.mark.parametrize(
    "page",
    ["", "\0", "<html></html>", "no page at all", "<html><body><hr></body></html>"],
)
def test_a_page_without_an_article_is_a_problem(tmp_path: Path, page: str) -> None:
    """It says what to do instead."""
    found = read_one(tmp_path, "a.html", page)
    assert found == (
        "a.html",
        "no article text found; save the article itself, or its text as .txt",
    )


def test_entities_are_not_expanded_and_no_file_is_read(tmp_path: Path) -> None:
    """A page may define entities that grow without end, or that stand for another file."""
    (tmp_path / "secret.txt").write_text("SECRET")
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
    entities = f'<!ENTITY l0 "lol">{laughs}<!ENTITY file SYSTEM "file://{tmp_path}/secret.txt">'
    page = (
        f"<!DOCTYPE html [{entities}]>\n<html><body><p>It rained &l29; &file; all day.</p></body>"
    )
    for head in ("", '<?xml version="1.0"?>'):
        found = read_one(tmp_path, "a.html", head + page)
        text = found.text if isinstance(found, Document) else found.reason
        assert "SECRET" not in text
        assert len(text) < len(page)


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>" + "<div>" * 200_000 + "<p>It rained.</p>",
        "<html><body><p>" + "<b>x" * 200_000,
        "<p>" * 50_000,
        "<html><body>" + "<table><tr><td>" * 50_000 + "It rained.",
    ],
    ids=["div", "b", "p", "table"],
)
def test_nesting_without_end_is_borne(tmp_path: Path, page: str) -> None:
    """An article or a problem, in seconds."""
    start = time.monotonic()
    assert isinstance(read_one(tmp_path, "a.html", page), Document | Problem)
    assert time.monotonic() - start < 60


def test_a_page_of_too_many_tags_is_refused(tmp_path: Path) -> None:
    """Taking it apart would take minutes."""
    found = read_one(tmp_path, "a.html", "<html><body>" + "<i>a</i>" * 200_000)
    assert found == ("a.html", "more than 100,000 tags; keep only the article of the page")


def test_the_library_is_not_heard(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Its log says what the problem says; how loud it is otherwise stays as it was."""
    with caplog.at_level(logging.DEBUG):
        level = logging.getLogger("trafilatura").level
        for page in ("", "<html>", "\xff\xfe<", HEAD + BODY):
            read_one(tmp_path, "a.html", page)
    assert caplog.records == []
    assert logging.getLogger("trafilatura").level == level
