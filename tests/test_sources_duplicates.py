"""Duplicates: the same text again, nearly the same text, and texts that only share words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

from fakes import documents
from rustqa.corpus import make_document
from rustqa.sources.duplicates import Duplicate, Duplicates
from rustqa.types import Document

_WORDS = [f"word{number}" for number in range(3000)]


def _article(seed: int, words: int = 400) -> list[str]:
    return random.Random(seed).choices(_WORDS, k=words)  # noqa: S311


def _document(id: str, words: list[str], furniture: str = "") -> Document:
    half = len(words) // 2
    paragraphs = [f"{' '.join(part)}." for part in (words[:half], words[half:])]
    return make_document(id, "\n\n".join([furniture, *paragraphs]))


def test_the_same_text_is_noticed() -> None:
    """Whatever its white space and its capitals; the first of the articles is named."""
    seen = Duplicates()
    assert seen.seen(make_document("a", "It rained.\n\nIt snowed.")) is None
    assert seen.seen(make_document("b", " it rained.\r\n\r\n  IT SNOWED.")) == ("a", True)
    assert seen.seen(make_document("c", "It rained.\nIt snowed.")) == ("a", True)
    assert seen.seen(make_document("d", "It rained. It froze.")) is None


@given(documents())
def test_an_article_is_new_once(document: Document) -> None:
    """The second time it is the same as itself."""
    seen = Duplicates()
    assert seen.seen(document) is None
    assert seen.seen(document) == Duplicate(document.id, exact=True)


@pytest.mark.parametrize("seed", range(20))
def test_small_changes_are_seen_through(seed: int) -> None:
    """A few words changed, a paragraph put in front, another line of page furniture."""
    words = _article(seed)
    changed = [*words]
    for place in (20, 150, 300):
        changed[place] = "other"
    seen = Duplicates()
    assert seen.seen(_document("a", words)) is None
    assert seen.seen(_document("b", changed, "Related: something else")) == ("a", False)
    assert seen.seen(_document("c", _article(-1, 10) + words)) == ("a", False)
    # A copy of the changed article is the same as that one.
    assert seen.seen(_document("d", changed, "Related: something else")) == ("b", True)


@pytest.mark.parametrize("seed", range(20))
def test_articles_on_one_matter_are_not_the_same(seed: int) -> None:
    """Nor are an article and one that quotes half of it."""
    words = _article(seed)
    seen = Duplicates()
    assert seen.seen(_document("a", words)) is None
    assert seen.seen(_document("b", words[200:] + _article(seed + 1000, 200))) is None
    shuffled = [*words]
    random.Random(seed).shuffle(shuffled)  # noqa: S311
    assert seen.seen(_document("c", shuffled)) is None


def test_short_texts_are_only_compared_whole() -> None:
    """Two notes of one line that share most words may say opposite things."""
    seen = Duplicates()
    assert (
        seen.seen(make_document("a", "The harbour at Saltby is open to all boats today.")) is None
    )
    assert seen.seen(make_document("b", "The harbour at Saltby is open to no boats today.")) is None


def test_a_long_text_is_compared_too() -> None:
    """Longer than what is looked at in one go; only a little is kept of it."""
    words = _article(1, 20_000)
    seen = Duplicates()
    assert seen.seen(_document("a", words)) is None
    assert seen.seen(_document("b", [*words[:-100], *_article(2, 100)])) == ("a", False)
