"""A small labelled file to train on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PLACES = [
    ("Saltby", "Ada Quill", "Monday", "two million", "Wrackham"),
    ("Ferrow", "Tom Reed", "Tuesday", "ninety thousand", "Holm"),
    ("Dunmouth", "Ines Marsh", "Friday", "four million", "Penhallow"),
    ("Orby", "Karl Voss", "Sunday", "six hundred", "Lower Stell"),
    ("Thornsea", "Mary O\N{RIGHT SINGLE QUOTATION MARK}Dowd", "Thursday", "12,500", "Brack"),
    ("Aldwick", "Jean-Luc Amand", "Saturday", "a million", "Great Oxley"),
]
LINK = "Related: The lighthouse of Gull Rock turns a hundred"


def write_news(folder: Path) -> Path:
    """Six articles of five paragraphs, one of them a link, each with nine questions."""
    file = folder / "news.jsonl"
    file.write_text("".join(json.dumps(_article(*place)) + "\n" for place in _PLACES))
    return file


def _article(town: str, master: str, day: str, cost: str, other: str) -> dict[str, Any]:
    return {
        "title": f"{town} harbour closed",
        "topic": "local",
        "paragraphs": [
            f"The council of {town} closed the harbour on {day}. "
            "Engineers had found a crack in the east wall.",
            LINK,
            f"“Nobody will sail before it is mended,” said {master}, the harbour master. "
            f"The work costs {cost} pounds.",
            f"Fishermen may land their catch at {other} until spring. The ferry runs from there.",
            "The council meets again in May.",
        ],
        "qas": [
            _qa("Who is the harbour master?", "who", (2, master)),
            _qa(f"When was the harbour of {town} closed?", "when", (0, f"on {day}"), (0, day)),
            _qa("What had engineers found?", "what", (0, "a crack in the east wall")),
            _qa("How much does the work cost?", "how much", (2, f"{cost} pounds")),
            _qa("Where may fishermen land their catch?", "where", (3, other)),
            _qa(
                "And the ferry?", "followup", (3, "from there"), asked="Where is the catch landed?"
            ),
            _qa("Which council closed the harbour?", "what", (0, f"The council of {town}")),
            _qa("Who designed the bridge?", "unanswerable"),
            _qa("Which lighthouse turns a hundred?", "furniture", (1, "Gull Rock")),
        ],
    }


def _qa(question: str, kind: str, *answers: tuple[int, str], asked: str = "") -> dict[str, Any]:
    return {
        "q": question,
        "kind": kind,
        "history": [asked] if asked else [],
        "answers": [{"p": paragraph, "text": text} for paragraph, text in answers],
    }
