"""How answers look at a terminal."""

from __future__ import annotations

import re
import sys

import pytest

from fakes import FakeEncoder, FakeReader
from rustqa.corpus import make_document
from rustqa.pipeline import Pipeline, build_in_memory
from rustqa.terminal import show_answer


def ask(text: str) -> str:
    """What is shown for an answer from a one-paragraph article."""
    encoder = FakeEncoder()
    store = build_in_memory([make_document("any", text)], encoder)
    return show_answer(Pipeline(store, encoder, FakeReader(), 0.5).ask("Who sails?"))


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
    """Control characters of an article, such as escape sequences, do not reach the terminal."""
    shown = ask("Nobody\x1b[2J\x07 sails\x9b31m today\ue000.")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\ue000]", shown)
    assert "Nobody[2J sails31m today." in shown


def test_wraps_long_sentences() -> None:
    """No line is wider than 88 columns."""
    shown = ask(f"Nobody sails {'far and wide ' * 40}today.")
    assert max(map(len, shown.splitlines())) <= 88
