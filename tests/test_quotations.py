"""Quotations: what stands in marks is masked, apostrophes are not marks, and it takes no time."""

from __future__ import annotations

import re
from time import process_time

import pytest
from hypothesis import given

from fakes import texts
from rustqa.quotations import QUOTED, masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("“It fell,” she said.", "_ she said."),
        ('"It fell," she said, "on Monday."', "_ she said, _"),
        ("'It fell,' she said.", "_ she said."),
        ("‘It isn’t Quill’s,’ she said.", "_ she said."),
        ("“She said ‘no’ twice,” he wrote.", "_ he wrote."),
        ("“It fell.” It was Quill’s.", "_ It was Quill’s."),
        ("The boys’ club and Quill’s wall", "The boys’ club and Quill’s wall"),
        ("It fell in the ’90s, and the boys' club", "It fell in the ’90s, and the boys' club"),
        ("“It fell. It was old.", "_"),
        ("” It fell.", "” It fell."),
        ("", ""),
    ],
)
def test_quotations_are_masked(text: str, shown: str) -> None:
    """With their marks, each character; one without an end goes on to the paragraph's."""
    assert re.sub(f"{QUOTED}+", "_", masked(text)) == shown


@given(texts())
def test_the_article_keeps_its_places(text: str) -> None:
    """What is not masked stands where it stood."""
    hidden = masked(text)
    assert len(hidden) == len(text)
    assert all(shown in (char, QUOTED) for char, shown in zip(text, hidden, strict=True))


@pytest.mark.parametrize("unit", ["“", "”", '"', "'", "’", "'a ", "‘a, ", "a' ", "“a” "])
def test_masking_takes_time_in_proportion(unit: str) -> None:
    """Nothing but marks, 200,000 characters of them, is done at once."""
    text = unit * (200_000 // len(unit))
    began = process_time()
    masked(text)
    assert process_time() - began < 1
