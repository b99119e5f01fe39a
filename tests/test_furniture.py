"""Furniture: what is told from prose by general rules, and the shipped article's blocks."""

from __future__ import annotations

import gzip
import json

import pytest

from fakes import REPOSITORY
from rustqa.corpus import find_blocks
from rustqa.types import Document

NEWS = REPOSITORY.parent / "shared" / "data" / "news_train.jsonl.gz"

FURNITURE = [
    "Related: Council approves new bus lanes in the old town",
    "Related stories | The week in pictures",
    "Watch: Moment the chimney comes down.",
    "ALSO READ: Ten charts that explain the budget.",
    "Read more: How the dam was built.",
    "Don’t miss: our guide to the festival.",
    "Photo: The Regal in 2016",
    "File photo: The Regal as it stood in 2016.",
    "Fire crews at the mill on Sunday. Picture by Jane Roe.",
    "Photograph courtesy Halvergate Museum.",
    "(Photo by Jane Roe/Getty Images)",
    "AP Photo/Jane Roe",
    "© 2024 The Daily Example.",
    "Sign up for our morning newsletter.",
    "Subscribe now to read on.",
    "Advertisement",
    "Storm closes coastal road for third day",
    "'We want answers': families speak outside the court",
    "Bridge reopens after repairs | Reuters",
    "Bridge reopens after repairs. | Example News",
    "## What happens next",
    "# The bridge reopens after nine months of repairs.",
    "Is this the end of the high street?",
    "* * *",
    "—",
]
PROSE = [
    "“No.”",
    "“I did not know,” she said.",
    "“Why did nobody tell us?”",
    "“Why me?” she asked.",
    "She said: “It is over.”",
    "The rules are these:",
    "The dam held (just).",
    "It was the third such fire.[3]",
    "It was the third such fire.12",
    "Nobody answered…",
    "The verdict? Eight out of ten.",
    "- Twelve houses were damaged",
    "• The coast road is closed",
    "1. Check the smoke alarm",
    "Norwich City 2 Leeds United 1",
    "Video evidence was shown to the jury.",
    "Subscribers were told on Monday.",
    "Related claims were settled last year.",
    "He sent the pictures by post on Tuesday.",
    "The firm improved its image by giving to charity.",
    "An exhibition of photographs by Ansel Adams opened in Leeds on Friday.",
    "Getty Images sued the company on Monday.",
]


def _paragraphs(*blocks: str) -> list[str]:
    text = "\n\n".join(blocks)
    return [text[block.start : block.end] for block in find_blocks(text) if block.paragraph]


@pytest.mark.parametrize("block", FURNITURE)
def test_furniture_between_paragraphs_is_dropped(block: str) -> None:
    """Labels, credits, solicitations, headlines and teasers are not part of the article."""
    assert _paragraphs("It rained.", block, "It snowed.") == ["It rained.", "It snowed."]


@pytest.mark.parametrize("block", PROSE)
def test_prose_between_paragraphs_stays(block: str) -> None:
    """Short quotations, list items, scores and sentences, however they end, are kept."""
    assert _paragraphs("It rained.", block, "It snowed.") == ["It rained.", block, "It snowed."]


def test_a_long_paragraph_is_prose_whatever_it_starts_with() -> None:
    """More than a caption's words are kept, even behind a label or without a full stop."""
    long = "Live: " + "the water rose and " * 10 + "fell"
    assert _paragraphs("It rained.", long) == ["It rained.", long]


def test_an_article_without_full_stops_keeps_its_paragraphs() -> None:
    """Where no block ends like a sentence, a missing full stop is no sign of a headline."""
    blocks = ["the river rose in the night", "nobody was hurt", "the bridge is closed"]
    assert _paragraphs(*blocks) == blocks


def test_certain_furniture_goes_even_without_full_stops() -> None:
    """A label is furniture in a text without full stops as well."""
    assert _paragraphs("the river rose", "Related: more floods", "the bridge is closed") == [
        "the river rose",
        "the bridge is closed",
    ]


def test_the_shipped_article_is_the_one_given(article: Document) -> None:
    """The stored bytes are the article's, unchanged."""
    assert article.sha256 == "a99fc124dabb84c28849a418fc2cb31f2acbd35b975a3a0dc6b44d88b563c484"
    assert article.bytes == 3295


def test_the_shipped_article_has_eleven_paragraphs(article: Document) -> None:
    """Of sixteen blocks the five link captions are furniture."""
    furniture = [article.text[b.start : b.end] for b in article.blocks if b.paragraph is None]
    assert len(article.blocks) == 16
    assert [caption.split()[0] for caption in furniture] == ["Alec", "'He", "How", "Alec", "Alec"]
    assert [b.paragraph for b in article.blocks if b.paragraph] == list(range(1, 12))


@pytest.mark.skipif(not NEWS.exists(), reason="the labelled articles are not here")
def test_labelled_answers_seldom_lie_in_furniture() -> None:
    """Of thousands of labelled answers at most a handful stand in what is called furniture."""
    labels = lost = 0
    with gzip.open(NEWS, "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            blocks = list(find_blocks("\n\n".join(row["paragraphs"])))
            assert len(blocks) == len(row["paragraphs"])
            answers = (answer for qa in row["qas"] for answer in qa.get("answers", ()))
            kept = [blocks[answer["p"]].paragraph is not None for answer in answers]
            labels += len(kept)
            lost += kept.count(False)
    assert labels > 5000
    assert lost <= 5
