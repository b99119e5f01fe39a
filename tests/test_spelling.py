"""Spelling: slips are mended towards the articles' words, and nothing else is touched."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa.spelling import Speller
from rustqa.types import Document

WORDS = (
    "Baldwin’s armorer Gutierrez. The armorer loaded the gun; the judge dismissed the case. "
    "The trial, the TRIAL, the trial. Santa Fe. The fire and the firm, the firm. Über-Café."
)
ENGLISH = frozenset(
    {"who", "did", "what", "why", "was", "were", "the", "judge", "trail", "dismiss"}
)


def counting(text: str) -> Callable[[], Counter[str]]:
    """How often each word of three letters or more stands in the text."""
    return lambda: Counter(re.findall(r"[^\W\d_]{3,}", text))


@pytest.fixture
def speller() -> Speller:
    """Knows the words above and a little English."""
    return Speller(counting(WORDS), ENGLISH.__contains__)


@pytest.mark.parametrize(
    ("asked", "mended"),
    [
        ("armerer", "armorer"),
        ("baldwn", "Baldwin"),
        ("baldwiin", "Baldwin"),
        ("bladwin", "Baldwin"),
        ("GUTIEREZ", "Gutierrez"),
        ("guttierez", "Gutierrez"),
        ("dissmised", "dismissed"),
        ("gnu", "gun"),
        ("triall", "trial"),
    ],
)
def test_slips_are_mended(speller: Speller, asked: str, mended: str) -> None:
    """A letter wrong, missing, doubled or swapped gives the word as the articles write it."""
    assert speller.correct(asked) == mended


@pytest.mark.parametrize(
    "word",
    [
        "judge",
        "Judge",
        "BALDWIN",
        "trail",
        "dismiss",
        "judges",
        "judged",
        "dismissing",
        "zeppelin",
        "gut",
        "gum",
        "fe",
        "x1y2z3",
        "café",
    ],
)
def test_known_far_and_short_words_stay(speller: Speller, word: str) -> None:
    """Words of the articles or the language, words near none, and short ones are left alone."""
    assert speller.correct(word) == word


def test_the_rest_of_the_question_is_kept_to_the_byte(speller: Speller) -> None:
    """Only the misspelt word changes; spaces, punctuation and case around it stay."""
    asked = "  WHO was\tthe “armerer”,\u00a0and why?? \N{PISTOL} Judge's baldwn-case! "
    assert speller.correct(asked) == asked.replace("armerer", "armorer").replace(
        "baldwn", "Baldwin"
    )


def test_the_commoner_of_equally_near_words_is_taken(speller: Speller) -> None:
    """A slip that could be "fire", said once, or "firm", said twice, is the latter."""
    assert speller.correct("firn") == "firm"


def test_the_nearest_word_is_taken_before_the_commonest() -> None:
    """Distance counts before frequency."""
    speller = Speller(counting("dismissed despised despised despised"), lambda _: False)
    assert speller.correct("dismised") == "dismissed"


def test_the_commonest_case_is_shown() -> None:
    """A word that stands once at the start of a sentence is not capitalised in the question."""
    assert (
        Speller(counting("Harbour harbour harbour"), lambda _: False).correct("harbuor")
        == "harbour"
    )


@given(
    st.lists(
        st.sampled_from([*re.findall(r"[^\W\d_]+", WORDS), *ENGLISH])
        | st.sampled_from(["12", "’s", "?", "\u2028", "ab", "\N{FAMILY}", "_", "\x85"])
    ),
    st.sampled_from([" ", "\t", " - ", "\u00a0"]),
)
def test_a_question_of_known_words_is_unchanged(words: list[str], space: str) -> None:
    """Whatever stands between them, known words are neither mended nor recased."""
    question = space.join(words)
    assert Speller(counting(WORDS), ENGLISH.__contains__).correct(question) == question


@given(st.text("aegmnoru "))
def test_mending_twice_changes_nothing_more(text: str) -> None:
    """What has been mended is known."""
    speller = Speller(counting(WORDS), ENGLISH.__contains__)
    once = speller.correct(text)
    assert speller.correct(once) == once


def test_slips_are_mended_against_the_shipped_article(article: Document) -> None:
    """Names of the article are found however they are typed."""
    speller = Speller(counting(article.text), {"who", "is", "the", "of", "in"}.__contains__)
    asked = "who is the armerer of alec baldwn in santa fe"
    assert speller.correct(asked) == "who is the armorer of alec Baldwin in santa fe"


def test_without_articles_nothing_is_mended() -> None:
    """There is nothing to mend towards."""
    assert Speller(dict, lambda _: False).correct("armerer") == "armerer"
