"""Words: what counts as the same term, and which words stand in a text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from rustqa.words import surface_words, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Judge’s CASES", ["judg", "case"]),
        ("judge's", ["judg"]),
        ("Café CAFE\u0301 cafe", ["cafe", "cafe", "cafe"]),
        ("\N{LATIN SMALL LIGATURE FI}re STRASSE straße", ["fire", "strass", "strass"]),
        ("dismissed, dismissing; dismisses", ["dismiss"] * 3),
        ("of the and", []),
        ("?!", []),
    ],
)
def test_terms_fold_what_means_the_same(text: str, expected: list[str]) -> None:
    """Case, accents, possessives, ligatures and inflections do not part words."""
    assert terms(text) == expected


def test_threads_do_not_share_a_stemmer() -> None:
    """Terms are the same whoever asks at the same time."""
    texts = ["dismissed cases", "The judges' rulings", "flying harbours"] * 200
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(terms, texts)) == list(map(terms, texts))


def test_surface_words_are_as_they_stand() -> None:
    """Of three letters or more, without digits, signs and short words."""
    assert surface_words("Ada’s 3rd visit to é-mail, naïve_ly") == ["Ada", "visit", "mail", "naïve"]
