"""What the README shows is what a reader gets."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fakes import REPOSITORY
from rustqa.cli import main

README = (REPOSITORY / "README.md").read_text()
CONFIDENCE = re.compile(r"(?<=confidence )\d+(?=%)")
SHOWN = re.findall(r"^\$ rustqa (ask .*)\n((?:.*\n)*?)(?=\n\$|```)", README, re.MULTILINE)


def test_it_is_short() -> None:
    """A newcomer reads it in one go."""
    assert len(README.splitlines()) < 150


def test_its_links_lead_somewhere() -> None:
    """Every file it links to is there."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


@pytest.mark.model
@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_its_transcript_is_true(
    command: str,
    output: str,
    model_cache: Path,
    question_encoder: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each question shown gets, word for word, the answer shown; only the confidence may differ a
    little, as eight bits round otherwise on another processor."""
    monkeypatch.setenv("RUSTQA_CACHE", str(model_cache))
    monkeypatch.setenv("COLUMNS", "80")
    main(shlex.split(command))
    shown = capsys.readouterr().out
    assert CONFIDENCE.sub("", shown).rstrip() == CONFIDENCE.sub("", output).rstrip()
    pairs = zip(CONFIDENCE.findall(shown), CONFIDENCE.findall(output), strict=True)
    assert all(abs(int(one) - int(other)) <= 3 for one, other in pairs)


def test_it_shows_an_answer_and_a_silence() -> None:
    """One question that the article answers and one that it does not."""
    assert len(SHOWN) == 2
    assert "The article does not say." in SHOWN[1][1]
