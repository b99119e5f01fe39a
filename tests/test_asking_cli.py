"""`rustqa ask`, `chat` and `search` of some articles alone: by their ids and by their dates."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable

import pytest

from fakes import FakeEncoder, FakeReader
from rustqa import opening
from rustqa.cli import main
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline

COMMANDS = (["ask", "Who sails?"], ["search", "sails"], ["ask", "--batch", "-"], ["chat"])

Serve = Callable[..., Pipeline]


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Opens a pipeline over articles of these dates, for every command."""

    def articles(*dates: str | None) -> Pipeline:
        documents = [
            make_document(
                f"sea-{number}",
                f"Nobody sails on day {number}.",
                metadata={"title": f"Sea {number}", "date": date},
            )
            for number, date in enumerate(dates)
        ]
        encoder = FakeEncoder()
        pipeline = Pipeline(build_in_memory(documents, encoder), encoder, FakeReader(), 0.5)
        monkeypatch.setattr(opening, "open_pipeline", lambda *_args, **_options: pipeline)
        return pipeline

    return articles


def say(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Puts a text on standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ([], {"sea-0", "sea-1", "sea-2"}),
        (["--since", "2024"], {"sea-1"}),
        (["--until", "2024-07-12"], {"sea-0", "sea-1"}),
        (["--since", "2023-05", "--until", "2023-05"], {"sea-0"}),
        (["-d", "sea-2", "-d", "sea-0"], {"sea-0", "sea-2"}),
        (["-d", "sea-1", "--since", "2024-07-12"], {"sea-1"}),
    ],
)
def test_only_the_articles_chosen_are_asked(
    serve: Serve,
    options: list[str],
    asked: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By every command that asks."""
    serve("2023-05-31", "2024-07-12", None)
    for command in COMMANDS:
        say(monkeypatch, '"Who sails?"\n' if "--batch" in command else "Who sails?\n\n")
        assert main([*command, *options, "--json"]) == 0
        record = json.loads(capsys.readouterr().out)
        found = record if isinstance(record, list) else record["citations"]
        assert {item["document_id"] for item in found} == asked, command


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--since", "12.7.2024"], "--since is no date: '12.7.2024'; write it as 2024-07-12"),
        (["--until", ""], "--until is no date: ''; write it as"),
        (["--since", "2024", "--until", "2023"], "since (2024-01-01) is after until (2023-12-31)"),
    ],
)
def test_dates_that_are_none(
    serve: Serve,
    options: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One line says what to change; no traceback, exit code 2."""
    serve("2024")
    for command in (["ask", "Who sails?"], ["search", "sails"], ["chat"]):
        say(monkeypatch, "\n")
        assert main([*command, *options]) == 2
        captured = capsys.readouterr()
        assert captured.err.startswith(f"rustqa: {message}")
        assert captured.err.count("\n") == 1
        assert captured.out == ""


def test_nothing_in_the_span_of_time_is_said(
    serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is no answer, and no article was looked into."""
    serve("2024", None)
    assert main(["ask", "Who sails?", "--since", "2025"]) == 1
    assert "None of the articles asked is dated in that span of time." in capsys.readouterr().out


def greeting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str
) -> list[str]:
    """The lines a chat begins with."""
    say(monkeypatch, "\n")
    assert main(["chat", *options]) == 0
    return capsys.readouterr().err.splitlines()


def test_a_chat_begins_with_the_titles(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest first, with their dates."""
    serve(None, "2023-05", "2024-07-12")
    end = "Ask; an empty line or Ctrl-D ends."
    assert greeting(monkeypatch, capsys) == [
        "Sea 2, 12 July 2024", "Sea 1, May 2023", "Sea 0", end,
    ]  # fmt: skip
    assert greeting(monkeypatch, capsys, "-d", "sea-0") == ["Sea 0", end]


def test_of_many_articles_a_chat_names_the_newest(
    serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how many there are, of those that are asked."""
    serve(*(f"{1000 + number}" for number in range(1200)))
    lines = greeting(monkeypatch, capsys)
    assert lines[:2] == ["1,200 articles; the newest:", "Sea 1199, 2199"]
    assert len(lines) == 5
    assert greeting(monkeypatch, capsys, "--until", "1009")[0] == "10 articles; the newest:"
    assert greeting(monkeypatch, capsys, "--until", "1001")[:2] == ["Sea 1, 1001", "Sea 0, 1000"]
