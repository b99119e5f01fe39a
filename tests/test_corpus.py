"""Corpus: blocks that tile the text, ids fit for a URL, and titles."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes import texts
from rustqa.corpus import document_id, find_blocks, make_document


@given(texts())
@example("\ufeff\n\n\ufeff")
@example("one.\r\rtwo.\r\n\r\nthree.\u2028\u2028four.")
def test_blocks_tile_the_text(text: str) -> None:
    """Every character but white space lies in exactly one block; blocks are in order."""
    blocks = list(find_blocks(text))
    held = Counter(place for block in blocks for place in range(block.start, block.end))
    assert all(held[place] == 1 for place, char in enumerate(text) if not char.isspace())
    ends = [place for block in blocks for place in (block.start, block.end)]
    assert ends == sorted(set(ends))
    for block in blocks:
        piece = text[block.start : block.end]
        assert piece == piece.strip()


@given(texts())
def test_paragraphs_are_numbered_from_one(text: str) -> None:
    """Page furniture is not counted and leaves no gap."""
    numbers = [block.paragraph for block in find_blocks(text) if block.paragraph is not None]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\u2028"])
def test_blocks_are_parted_by_blank_lines_of_any_kind(end: str) -> None:
    """A line end inside a block does not part it; a line of spaces does."""
    text = f"It rained{end}all day.{end} \t{end}It snowed.{end}"
    assert [text[b.start : b.end] for b in find_blocks(text)] == [
        f"It rained{end}all day.",
        "It snowed.",
    ]


@pytest.mark.parametrize("around", ["", "\n", "\n\n\n"])
def test_without_blank_lines_each_line_is_a_paragraph(around: str) -> None:
    """Blank lines before and behind the text part nothing and do not count."""
    text = f"{around}It rained.\nIt snowed.\nIt froze.\n{around}"
    assert [text[b.start : b.end] for b in find_blocks(text)] == [
        "It rained.",
        "It snowed.",
        "It froze.",
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2024/07 Rust: Case dismissed!", "2024-07-rust-case-dismissed"),
        ("Łódź_ÜBER", "łódź-über"),
        ("???", "article"),
    ],
)
def test_ids_are_fit_for_a_url(name: str, expected: str) -> None:
    """Letters and digits of any script stay; all else becomes hyphens."""
    assert document_id(name) == expected


@given(st.text())
def test_making_an_id_twice_changes_nothing(name: str) -> None:
    """An id is its own id, is never empty, and holds no separator of a path or query."""
    made = document_id(name)
    assert made
    assert document_id(made) == made
    assert not set(made) & set("/?#&% \n")


def test_a_long_name_makes_an_id_of_bounded_length() -> None:
    """Names that differ only far behind still make different ids."""
    one, two = document_id("storm " * 100), document_id("storm " * 100 + "again")
    assert max(len(one), len(two)) <= 200
    assert one != two
    assert document_id(one) == one


def test_a_name_makes_the_same_id_however_its_accents_are_written() -> None:
    """One computer writes é as one character, another as two."""
    assert document_id("caf\N{LATIN SMALL LETTER E WITH ACUTE}") == "café"
    assert document_id("cafe\N{COMBINING ACUTE ACCENT} noir") == "café-noir"


@given(texts(), st.integers(0, 200))
def test_what_stands_before_the_body_is_furniture(text: str, body: int) -> None:
    """It is one block; the blocks behind it are those of the body alone."""
    head, *rest = [None, *find_blocks(text, body)]
    if text[:body].strip():
        head, *rest = rest
        assert head is not None
        assert (head.paragraph, text[head.start : head.end]) == (None, text[:body].strip())
    alone = [
        replace(block, start=block.start + body, end=block.end + body)
        for block in find_blocks(text[body:])
    ]
    assert rest == alone


def test_a_title_is_looked_for_in_the_body() -> None:
    """What stands before it is not the heading."""
    text = "---\nkey: value\n---\n# Rain\n\nIt rained."
    assert make_document("id", text, body=text.index("#")).title == "Rain"


def test_an_article_that_starts_with_prose_is_called_by_its_id() -> None:
    """Prose is no title."""
    assert make_document("rain", "It rained.\n\nIt snowed.").title == "rain"
