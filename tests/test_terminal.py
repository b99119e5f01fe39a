"""How answers look at a terminal."""

from __future__ import annotations

import re
import sys
from dataclasses import replace

import pytest

from fakes import FakeEncoder, FakeReader
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.terminal import heading, show_answer
from rustqa.types import Answer

NOBODY = "Nobody sails."
PARAGRAPHS = f"{NOBODY}\n\n“I sail,” said Ada Quill.\n\nThe sea is rough."
CONTROL = "[\x00-\x09\x0b-\x1f\x7f-\x9f\ue000]"


def answer(text: str, *confidences: float, question: str = "Who sails?") -> Answer:
    """The answer from an article."""
    encoder = FakeEncoder()
    store = build_in_memory([make_document("any", text)], encoder)
    return Pipeline(store, encoder, FakeReader(confidences or (0.9,)), 0.5).ask(question)


def ask(text: str) -> str:
    """What is shown for an answer from an article."""
    return show_answer(answer(text))


def test_marks_the_answer_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours appear on a terminal, the marked words are the answer's; NO_COLOR turns them off."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b" not in ask("Nobody sails.")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    assert re.search("“\x1b\\[1;33mN\x1b\\[0mobody sails.”", ask("Nobody sails."))
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in ask("Nobody sails.")


def test_an_article_cannot_drive_the_terminal() -> None:
    """Control characters of an article, such as escape sequences, are spelt out."""
    shown = ask("Nobody\x1b[2J\x07 sails\x9b31m today\ue000.")
    assert not re.search(CONTROL, shown)
    assert r"Nobody\x1b[2J\x07 sails\x9b31m today." in shown


def test_a_name_or_a_suggestion_cannot_drive_the_terminal() -> None:
    """What an article calls people, and what it suggests, is shown so too."""
    given = answer(PARAGRAPHS)
    claim = replace(given.claims[0], speaker="Ada\x1b[2J\x9b Quill\ue000")
    shown = show_answer(replace(given, claims=(claim,)))
    assert r"— Ada\x1b[2J\x9b Quill, in any, paragraph" in shown
    own = replace(given, message="Ask.", suggestions=("Who\x1b[2J\x07 sails?",))
    for text in (shown, show_answer(own)):
        assert not re.search(CONTROL, text)
    assert r"    Who\x1b[2J\x07 sails?" in show_answer(own)


def test_an_article_turns_nothing_round() -> None:
    """What reorders or hides text is spelt out, in titles, names and questions, too."""
    given = answer(PARAGRAPHS)
    claim = replace(given.claims[0], speaker="Ada\u202e Quill")
    shown = show_answer(replace(given, claims=(claim,), question_used="Who\u2067?"))
    assert r"Understood as: Who\u2067?" in shown
    assert r"— Ada\u202e Quill, in any" in shown
    assert r"“Nobody\u202e sails\u200f." in ask("Nobody\u202e sails\u200f.")
    assert heading("Sea\U000e0041", None) == r"Sea\U000e0041"


def test_wraps_long_sentences() -> None:
    """No line is wider than 88 columns."""
    shown = ask(f"Nobody sails {'far and wide ' * 40}today.")
    assert max(map(len, shown.splitlines())) <= 88


def test_says_whose_words_they_are() -> None:
    """The speaker stands before the place; what the article says itself has no name beside it."""
    shown = ask(PARAGRAPHS)
    assert "  “I sail,” said Ada Quill.\n    — Ada Quill, in any, paragraph 2, characters" in shown
    assert "  “Nobody sails.”\n    — any, paragraph 1, characters 0–13, confidence 90%" in shown


def test_less_likely_claims_have_a_heading() -> None:
    """One heading above the first that is more likely wrong than right."""
    shown = show_answer(answer(PARAGRAPHS, 0.9, 0.4, 0.2))
    assert shown.count("Less likely:") == 1
    assert shown.index("90%") < shown.index("Less likely:") < shown.index("40%")
    assert "Less likely:" not in show_answer(answer(PARAGRAPHS, 0.9, 0.8, 0.7))


def test_differing_accounts_have_a_heading() -> None:
    """Above all of them; none is set apart as less likely."""
    shown = show_answer(replace(answer(PARAGRAPHS, 0.9, 0.4), contested=True))
    assert shown.startswith("  The article gives differing accounts:\n\n  N\n\n  “Nobody sails.”")
    assert shown.count("confidence") == 3
    assert "Less likely:" not in shown


def test_what_rustqa_says_itself_looks_like_no_quotation() -> None:
    """No quotation marks, no place; below it what can be asked, if anything can."""
    text = "It rained all day."
    own = replace(answer(text), message="Hello. " + "Ask me. " * 20, suggestions=("Did it rain?",))
    shown = show_answer(own)
    assert shown.startswith("  Hello. Ask me.")
    assert shown.endswith("\n\n  Ask, for instance:\n\n    Did it rain?")
    assert max(map(len, shown.splitlines())) <= 88
    for part in ("“", "rained", "confidence", "does not say"):
        assert part not in shown
    assert show_answer(replace(own, message="Hello.", suggestions=())) == "  Hello."


def test_silence_shows_what_is_near() -> None:
    """Labelled as no answer, without a confidence."""
    shown = show_answer(answer(NOBODY, 0.1))
    assert shown.startswith(
        "  The article does not say.\n\n  Closest passages, which do not answer"
    )
    assert "“Nobody sails.”\n    — any, paragraph 1, characters 0–13" in shown
    assert "confidence" not in shown


def test_says_how_a_question_was_understood() -> None:
    """Only where that is not what was typed."""
    given = answer(NOBODY)
    assert "Understood as" not in show_answer(given)
    used = replace(given, question_used="Who sails? And when?")
    assert show_answer(used).startswith("  Understood as: Who sails? And when?\n\n")


def _several(*dates: str | None) -> Answer:
    """An answer that as many articles give as there are dates, and the last one twice."""
    documents = [
        make_document(f"a{number}", NOBODY, metadata={"title": f"Sea {number}", "date": date})
        for number, date in enumerate(dates)
    ]
    encoder = FakeEncoder()
    given = Pipeline(build_in_memory(documents, encoder), encoder, FakeReader()).ask("Who sails?")
    last = given.citations[-1]
    twice = replace(last, id=len(dates) + 1, paragraph=5)
    claim = replace(given.claims[0], citations=(*given.claims[0].citations, twice.id))
    return replace(given, claims=(claim,), citations=(*given.citations, twice))


def test_says_which_article_and_of_what_day() -> None:
    """The date stands behind the title, where there is one."""
    assert "    — Sea 0, 12 July 2024, paragraph 1, characters 0–13" in show_answer(
        _several("2024-07-12")
    )
    assert "    — Sea 0, paragraph 1, characters 0–13" in show_answer(_several(None))


def test_says_where_else_the_same_is_said() -> None:
    """Under the quotation, a line for each; in the article that is quoted only the paragraph."""
    shown = show_answer(_several("2024-07-12", "2023")).splitlines()
    assert shown[3:] == [
        "    — Sea 0, 12 July 2024, paragraph 1, characters 0–13, confidence 90%",
        "      also in Sea 1, 2023, paragraph 1, characters 0–13",
        "      also in Sea 1, 2023, paragraph 5, characters 0–13",
    ]
    assert show_answer(_several(None)).endswith("\n      also in paragraph 5, characters 0–13")


def test_a_heading_is_one_line() -> None:
    """Whatever stands in a title."""
    assert heading("Sea\n\x1b[2J  rough", "2024-07") == r"Sea \x1b[2J rough, July 2024"
