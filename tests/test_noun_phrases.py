"""Noun phrases: the subject before a verb, the noun after it, and whom a sentence begins with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.noun_phrases import (
    clause_start,
    ends_with_name,
    first_subject,
    noun_after,
    subject_before,
)
from rustqa.quotations import QUOTED, masked
from rustqa.types import Span


def _words(text: str, span: Span | None) -> str | None:
    return text[slice(*span)] if span else None


@pytest.mark.parametrize(
    ("head", "subject"),
    [
        ("Ada Quill", "Ada Quill"),
        ("The harbour master", "The harbour master"),
        ("Saltby’s council", "Saltby’s council"),
        ("Police", "Police"),
        ("The wall fell, and she", "she"),
        ("The ferry left because the wall", "the wall"),
        ("“It fell,” harbour master Ada Quill", "harbour master Ada Quill"),
        ("Quill and Ek", "Quill and Ek"),
        ("Quill walked along the wall and Ek", "Ek"),
        ("Quill spoke and", "Quill"),
        ("The harbour master, Ada Quill,", "Ada Quill"),
        ("Ada Quill, the harbour master,", "Ada Quill"),
        ("Ada Quill, 61,", "Ada Quill"),
        ("Ada Quill, who runs the harbour,", "Ada Quill"),
        ("The wall was built by Bo Ek, who", "Bo Ek"),
        ("The bolts came from a diver who", "a diver"),
        ("It fell on the father of a pupil who", "a pupil"),
        ("In March the council", "the council"),
        ("On Monday Ada Quill", "Ada Quill"),
        ("On 3 March a judge", "a judge"),
        ("On Tuesday evening the council of Saltby", "the council of Saltby"),
        ("A judge in Saltby on Friday", "A judge in Saltby"),
        ("The council last week", "The council"),
        ("LISBON, 3 June - Ada Quill", "Ada Quill"),
        ("NEW YORK (Reuters) – The engineers", "The engineers"),
    ],
)
def test_the_subject_before_a_verb(head: str, subject: str | None) -> None:
    """The noun phrase that ends there, without its clause's dates, places and asides."""
    text = f"{masked(head)} said"
    assert _words(text, subject_before(text, len(head))) == subject


@pytest.mark.parametrize(
    "head",
    [
        "",
        "walked",
        "In spring",
        "a theory that is",
        "It was an institute that advises the ministry",
        "the first of all the many old people and of all the young ones at the harbour wall",
        "old, broken, heavy,",
    ],
)
def test_what_is_no_subject(head: str) -> None:
    """Neither words without a noun, nor a verb's, nor too many of them, are a subject."""
    assert subject_before(f"{head} said", len(head)) is None


def test_a_participle_belongs_to_the_first_subject() -> None:
    """“…, saying” tells of whom the sentence began with."""
    text = "Ada Quill went to the harbour, saying"
    assert _words(text, subject_before(text, len(text) - 7, participle=True)) == "Ada Quill"


@pytest.mark.parametrize(
    ("rest", "noun"),
    [
        (" Ada Quill, the harbour master.", "Ada Quill"),
        (" the harbour master, Ada Quill.", "Ada Quill"),
        (" its chairman, Bastien Morel-Kaya.", "Bastien Morel-Kaya"),
        (" Mr Quill, Bo Ek, and others.", "Mr Quill"),
        (" Dr. Ada Quill.", "Dr. Ada Quill"),
        (" J. R. Ewing.", "J. R. Ewing"),
        (" Ada Quill Jr.", "Ada Quill Jr"),
        (" Ada Quill. The wall fell.", "Ada Quill"),
        (" the court in Saltby on Friday", "the court"),
        (" Ada Quill who runs it", "Ada Quill"),
        (" the council: it fell", "the council"),
        (f" Ada Quill. {QUOTED * 9}", "Ada Quill"),
        (f" Ada Quill {QUOTED * 9}", "Ada Quill"),
        (" police the driver fell", None),
        (" old and broken", None),
        (" …", None),
        ("", None),
    ],
)
def test_the_noun_after_a_verb(rest: str, noun: str | None) -> None:
    """It ends at a comma, a stop or the next phrase; a name tells more than what it explains."""
    text = f"said{rest}"
    assert _words(text, noun_after(text, 4)) == noun


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Ada Quill gave nothing on Monday.", "Ada Quill"),
        ("Ada Quill, 61, won.", "Ada Quill"),
        ("The harbour master, Ada Quill, was away.", "Ada Quill"),
        ("The harbour is closed.", "The harbour"),
        ("She has not answered.", "She"),
        ("After the storm, the council asked for help.", "the council"),
        ("In 2023 Ada Quill told the council.", "Ada Quill"),
        ("LISBON, 3 June - The council closed the harbour.", "The council"),
        ("Nothing at all.", None),
        ("", None),
    ],
)
def test_whom_a_sentence_begins_with(text: str, subject: str | None) -> None:
    """The subject of its first verb."""
    assert _words(text, first_subject(text)) == subject


@pytest.mark.parametrize(
    ("phrase", "named"),
    [
        ("Quill", True),
        ("the harbour master Ada Quill", True),
        ("Mr van der Berg", True),
        ("Bogumiła Zaręba", True),
        ("Quill’s lawyer", False),
        ("the harbour", False),
        ("", False),
    ],
)
def test_names(phrase: str, named: bool) -> None:
    """A noun phrase is a name if its last words are."""
    assert ends_with_name(phrase) is named


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("It fell, the council", "the council"),
        ("It cost 2,400 pounds", "It cost 2,400 pounds"),
        ("Ek left but Quill", "Quill"),
        ("Ek and Quill", "Ek and Quill"),
        ("The wall had fallen and Quill", "Quill"),
    ],
)
def test_clauses(text: str, clause: str) -> None:
    """They begin behind commas and conjunctions; numbers and pairs of nouns are not parted."""
    assert text[clause_start(text, len(text)) :] == clause


@given(texts(), st.integers(0, 200))
def test_phrases_lie_in_the_text(text: str, place: int) -> None:
    """Whatever the text, what is found is a stretch of it with words at both ends."""
    place = min(place, len(text))
    found = [first_subject(text), noun_after(text, place)]
    found += [subject_before(text, place, participle) for participle in (True, False)]
    for span in filter(None, found):
        assert 0 <= span.start < span.end <= len(text)
        assert text[slice(*span)].strip(" \t\n.,;:’'“”\"-–—()") == text[slice(*span)]
