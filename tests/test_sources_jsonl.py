"""JSON lines: an article on each line, whatever the other lines are."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.passages import split_document
from rustqa.sources import jsonl
from rustqa.sources.files import Problem
from rustqa.types import Document
from sources_fixtures import read_all, read_one, write


def _read(folder: Path, *lines: object) -> list[Document | Problem]:
    text = "".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines)
    return read_all(write(folder, {"Old News.jsonl": text}))


def _one(folder: Path, **fields: Any) -> Document:
    [found] = _read(folder, {"text": "It rained.", **fields})
    assert isinstance(found, Document), found
    return found


def test_each_line_is_an_article(tmp_path: Path) -> None:
    """Its fields are the document's; its digest is that of its text."""
    fields = {
        "title": "Rain",
        "url": "https://x.test",
        "source": "Saltby News",
        "date": "2024-07-12T10:00:00Z",
        "licence": "free",
        "questions": ["Did it rain?"],
    }
    document = _one(tmp_path, id="NEWS/7", **fields, words=2, tags=["weather"], author=None)
    assert document.id == "news-7"
    expected = {**fields, "date": "2024-07-12", "questions": ("Did it rain?",)}
    assert {name: getattr(document, name) for name in fields} == expected
    assert document.sha256 == hashlib.sha256(b"It rained.").hexdigest()
    assert document.bytes == 10


def test_a_line_without_an_id_is_called_by_its_text(tmp_path: Path) -> None:
    """So that it keeps its id when lines come and go before it."""
    lines = [{"text": "It rained."}, {"text": "It snowed.", "id": ""}, {"text": "A.", "id": 7}]
    found = [item.id for item in _read(tmp_path, *lines) if isinstance(item, Document)]
    again = [item.id for item in _read(tmp_path, *lines[1:]) if isinstance(item, Document)]
    assert all(name.startswith("old-news-") for name in found[:2])
    assert len(set(found)) == 3
    assert again == found[1:] == [found[1], "7"]


def test_paragraphs_are_parted_by_blank_lines(tmp_path: Path) -> None:
    """Where the text is given as a list."""
    [found] = _read(tmp_path, {"paragraphs": ["It rained.\nAll day.", "It snowed."]})
    assert isinstance(found, Document)
    assert found.text == "It rained.\nAll day.\n\nIt snowed."


def test_other_names_of_the_fields_are_known(tmp_path: Path) -> None:
    """Those that exports use; rustqa's own name comes first, and an alias counts if it is text."""
    for name in ("body", "content", "article"):
        [found] = _read(tmp_path, {name: "It rained.", "text": None})
        assert isinstance(found, Document)
    names = {"headline": "Rain", "link": "https://x.test", "publisher": "News"}
    document = _one(tmp_path, **names, published=1720778400, date_published="July 12, 2024")
    assert (document.title, document.url, document.source) == ("Rain", "https://x.test", "News")
    assert document.date == "2024-07-12"
    assert _one(tmp_path, title="Rain", headline="Snow", body="It snowed.").title == "Rain"


def test_the_metadata_file_fills_what_a_line_leaves_open(tmp_path: Path) -> None:
    """What a line says of itself counts for more."""
    write(tmp_path, {"Old News.toml": 'source = "Saltby News"\nlicence = "free"'})
    document = _one(tmp_path, source="Others")
    assert (document.source, document.licence) == ("Others", "free")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON (Expecting property name"),
        ("{}", "holds no 'text' and no 'paragraphs'; give one of them"),
        ("[]", "not an object; write"),
        ("7", "not an object; write"),
        ("9" * 5000, "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"text": 7}', "'text' must be text"),
        ('{"text": ""}', "holds no text; remove it or write it anew"),
        ('{"paragraphs": "It rained."}', "'paragraphs' must be a list of texts"),
        ('{"paragraphs": [1]}', "'paragraphs' must be a list of texts"),
        ('{"text": "It rained.", "title": ["Rain"]}', "'title' must be text"),
        ('{"text": "It rained.", "questions": "Q?"}', "'questions' must be a list of texts"),
        ('{"text": "It rained.", "id": {}}', "'id' must be text or a number"),
        ('{"text": "It rained.", "id": true}', "'id' must be text or a number"),
        ('{"text": "It rained \\ud83c."}', "holds half a character"),
        ('{"text": "It rained.", "title": "\\udf55"}', "holds half a character"),
        ('{"text": "It rained.", "questions": ["\\udf55"]}', "holds half a character"),
    ],
)
def test_a_bad_line_costs_that_line_alone(tmp_path: Path, line: str, reason: str) -> None:
    """Its problem names the line and the mend."""
    before, problem, after = _read(tmp_path, {"text": "It rained."}, line, {"text": "It snowed."})
    assert isinstance(before, Document)
    assert isinstance(after, Document)
    assert isinstance(problem, Problem)
    assert problem.name == "Old News.jsonl:2"
    assert problem.reason.startswith(reason) or reason in problem.reason
    assert "\n" not in problem.reason


def test_a_line_that_is_not_utf_8_costs_that_line_alone(tmp_path: Path) -> None:
    """The line's number and the byte in it are named."""
    content = b'\xef\xbb\xbf{"text": "It rained."}\r\n{"text": "\xff"}\n{"text": "It snowed."}'
    found = read_all(write(tmp_path, {"a.jsonl": content}))
    assert [isinstance(item, Document) and item.text for item in found] == [
        *("It rained.", False, "It snowed.")
    ]
    assert found[1] == ("a.jsonl:2", "not UTF-8 at byte 10; save it as UTF-8 and index again")


def test_lines_end_at_line_feeds_alone(tmp_path: Path) -> None:
    """Other line ends may stand in a JSON text as they are."""
    text = "It rained.\u2028It snowed.\x85It froze."
    [found] = _read(tmp_path, json.dumps({"text": text}, ensure_ascii=False))
    assert isinstance(found, Document)
    assert found.text == text


def test_a_long_line_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not kept in memory; the lines behind it are read."""
    monkeypatch.setattr(jsonl, "MAX_BYTES", 50)
    long = {"text": "It rained. " * 100}
    first, second, third = _read(tmp_path, long, {"text": "It snowed."}, long)
    reason = "longer than 50 bytes; split the article"
    assert [first, third] == [("Old News.jsonl:1", reason), ("Old News.jsonl:3", reason)]
    assert isinstance(second, Document)


def test_a_large_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a whole."""
    monkeypatch.setattr(jsonl, "MAX_FILE_BYTES", 20)
    [found] = _read(tmp_path, {"text": "It rained all day."})
    assert found == ("Old News.jsonl", "larger than 20 bytes; split it")


def test_an_empty_file_holds_no_articles(tmp_path: Path) -> None:
    """And has no problem."""
    assert _read(tmp_path) == _read(tmp_path, "", " \t") == []


@given(st.text(), st.text(max_size=20))
def test_any_text_is_kept_or_reported(
    tmp_path_factory: pytest.TempPathFactory, text: str, id: str
) -> None:
    """What is not holds a NUL or half a character; what is kept can be split and written down."""
    folder = tmp_path_factory.getbasetemp() / "any-text"
    text = f"It rained.\n\n{text}"
    found = read_one(folder, "a.jsonl", json.dumps({"text": text, "id": id}))
    if isinstance(found, Document):
        assert found.text == text
        assert found.id
        assert list(split_document(found))
        found.text.encode()
    else:
        assert re.search("half a character|holds a NUL", found.reason)
