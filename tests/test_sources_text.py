"""Text files: kept as they stand, their metadata beside them or in front of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.corpus import make_document
from rustqa.sources.files import Problem
from rustqa.sources.reading import read_corpus
from rustqa.sources.text import front_matter
from rustqa.types import Document
from sources_fixtures import read_all, read_one, write

BOM = b"\xef\xbb\xbf"


@given(texts().filter(lambda text: "\0" not in text), st.booleans())
def test_the_file_is_read_as_it_stands(
    tmp_path_factory: pytest.TempPathFactory, text: str, signed: bool
) -> None:
    """Line ends and odd characters are kept; only a byte order mark at the start is no text."""
    folder = tmp_path_factory.getbasetemp() / "as-it-stands"
    folder.mkdir(exist_ok=True)
    data = BOM * signed + b"It rained.\r\n\r\n" + text.encode()
    (folder / "article.txt").write_bytes(data)
    [document] = read_corpus(folder)
    assert document.text == data.decode("utf-8-sig")
    assert document.sha256 == hashlib.sha256(data).hexdigest()
    assert document.bytes == len(data)


def test_metadata_stands_beside_the_article(tmp_path: Path) -> None:
    """The .toml of the same name gives title, source and questions."""
    (tmp_path / "rain.txt").write_text("# A heading\n\nIt rained.")
    assert read_corpus(tmp_path)[0].title == "A heading"
    (tmp_path / "rain.toml").write_text(
        'title = "Rain"\nurl = "https://x.test"\nquestions = ["Q?"]'
    )
    [document] = read_corpus(tmp_path)
    assert (document.title, document.url, document.questions) == (
        "Rain",
        "https://x.test",
        ("Q?",),
    )


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2024-07-12", "2024-07-12"),
        ('"12 July 2024"', "2024-07-12"),
        ('"2024-07"', "2024-07"),
        ('"last Friday"', "last Friday"),
    ],
)
def test_a_date_is_kept_as_iso_where_it_is_clear(tmp_path: Path, written: str, kept: str) -> None:
    """TOML's own dates are taken, any other is kept as written; an empty title is none."""
    write(tmp_path, {"a.txt": "It rained.", "a.toml": f'date = {written}\ntitle = ""'})
    [document] = read_corpus(tmp_path)
    assert (document.date, document.title) == (kept, "a")


@pytest.mark.parametrize("date", ["2024-13-45", "2024-02-30", "31 June 2024", "2024-13"])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.jsonl"])
def test_an_article_with_a_date_that_cannot_be_is_undated(
    tmp_path: Path, date: str, name: str
) -> None:
    """It is kept, and the date is named as what is to be corrected."""
    text = {
        "a.txt": "It rained.",
        "a.md": f"---\ndate: {date}\n---\nIt rained.",
        "a.jsonl": json.dumps({"id": "a", "text": "It rained.", "date": date}),
    }[name]
    toml = {"a.toml": f'date = "{date}"'} if name == "a.txt" else {}
    problem, document = read_all(write(tmp_path, {name: text, **toml}))
    reason = f"the date '{date}' of 'a' is no day and is left out; correct it"
    assert problem == Problem(name, reason)
    assert isinstance(document, Document)
    assert (document.id, document.date) == ("a", None)


def test_front_matter_gives_metadata_and_is_no_text(tmp_path: Path) -> None:
    """The text stays whole, so that offsets hold; no paragraph holds the front matter."""
    head = (
        '---\ntitle: "Rain: a \\"history\\""\nDate: 12 July 2024\n# a comment\ntags:\n  - weather\n'
        "source: 'Saltby''s News'\nlicence: |\n  many lines\nurl: https://x.test/a\n---\n"
    )
    text = f"{head}# Heading\nIt rained.\n\nIt snowed.\n"
    document = read_one(tmp_path, "a.md", text)
    assert not isinstance(document, Problem)
    assert document.text == text
    assert document.title == 'Rain: a "history"'
    assert (document.date, document.url) == ("2024-07-12", "https://x.test/a")
    assert (document.source, document.licence) == ("Saltby's News", None)
    paragraphs = [text[b.start : b.end] for b in document.blocks if b.paragraph]
    assert paragraphs == make_paragraphs(text.removeprefix(head))
    assert document.blocks[0].end == len(head) - 1


def make_paragraphs(text: str) -> list[str]:
    """The paragraphs of a text that has no front matter."""
    return [text[b.start : b.end] for b in make_document("any", text).blocks if b.paragraph]


def test_metadata_beside_the_article_counts_for_more(tmp_path: Path) -> None:
    """What the .toml leaves open, the front matter says."""
    write(tmp_path, {"a.md": "---\ntitle: One\ndate: 2024-07-12\n---\nIt rained."})
    write(tmp_path, {"a.toml": 'title = "Two"'})
    [document] = read_corpus(tmp_path)
    assert (document.title, document.date) == ("Two", "2024-07-12")


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nIt rained.\n\n---\n\nIt snowed.",
        "---\n- one\n- two\n---\nIt rained.",
        "---\ntitle: Never closed.\n\nIt rained.",
        "----\ntitle: A\n---\nIt rained.",
        "It rained.\n---\ntitle: A\n---\n",
        "---\ntitle: A\n" + "key: value\n" * 300 + "---\nIt rained.",
        "---",
    ],
)
def test_a_rule_across_the_page_is_no_front_matter(text: str) -> None:
    """Only fields between two such lines at the very top are."""
    assert front_matter(text) == (0, {})


def test_front_matter_in_a_text_file_is_text(tmp_path: Path) -> None:
    """It is a custom of .md files."""
    document = read_one(tmp_path, "a.txt", "---\ntitle: One\n---\nIt rained.")
    assert not isinstance(document, Problem)
    assert document.title != "One"


@given(texts())
def test_front_matter_never_fails(text: str) -> None:
    """It ends inside the text, behind a whole line."""
    end, found = front_matter(f"---\nkey: x\n{text}")
    assert 0 <= end <= len(text) + 11
    assert all(isinstance(value, str) for value in found.values())


@pytest.mark.parametrize(
    ("files", "named", "message"),
    [
        ({"a.txt": b"It rained\xff."}, "a.txt", "not UTF-8 at byte 9; save it as UTF-8"),
        ({"a.txt": "It rained.".encode("utf-16")}, "a.txt", "not UTF-8 at byte 0"),
        ({"a.txt": "It rained.".encode("utf-16-le")}, "a.txt", "holds a NUL at character 1; save"),
        ({"a.md": b"It rained.\n\0"}, "a.md", "holds a NUL at character 11; save it as UTF-8"),
        ({"a.jsonl": b'{"text": "It \\u0000rained."}'}, "a.jsonl:1", "holds a NUL at character 3"),
        ({"a.jsonl": b'{"text": "It rained.\0"}'}, "a.jsonl:1", "holds a NUL at character 20"),
        ({"a.txt": b""}, "a.txt", "holds no text; remove it or write it anew"),
        ({"a.txt": BOM + b" \r\n\t"}, "a.txt", "holds no text"),
        ({"a.txt": b"# Only a heading"}, "a.txt", "holds no text"),
        ({"a.md": b"---\ntitle: A\n---\n"}, "a.md", "holds no text"),
        ({"a.txt": b"It rained.", "a.toml": b"title = Rain"}, "a.toml", "not valid TOML"),
        ({"a.txt": b"It rained.", "a.toml": b'title = "\xff"'}, "a.toml", "not valid TOML"),
        ({"a.txt": b"It rained.", "a.toml": b"a=" + b"[" * 9999}, "a.toml", "not valid TOML"),
        (
            {"a.txt": b"It rained.", "a.toml": b"title = 1"},
            "a.toml",
            "'title' must be text in quotation marks",
        ),
        (
            {"a.txt": b"It rained.", "a.toml": b'author = "A"'},
            "a.toml",
            "'author' must be one of title",
        ),
        ({"a.txt": b"It rained.", "a.toml": b'questions = "Q"'}, "a.toml", "'questions'"),
        ({"a.txt": b"It rained.", "a.toml": b"questions = [1]"}, "a.toml", "'questions'"),
    ],
)
def test_problems_name_the_file_and_the_mend(
    tmp_path: Path, files: dict[str, bytes], named: str, message: str
) -> None:
    """Whoever reads it knows which file to open and what to do to it."""
    [problem] = read_all(write(tmp_path, files))
    assert isinstance(problem, Problem)
    assert problem.name == named
    assert message in problem.reason
    assert "\n" not in problem.reason
