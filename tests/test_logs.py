"""Logs: one line or one object for each event, with the id of its request."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa import logs
from rustqa.logs import QUESTIONS, JsonFormatter, TextFormatter, request_id, set_up

log = logging.getLogger("rustqa.test")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leaves the loggers as they were."""
    loggers = [*map(logging.getLogger, logs._LOGGERS), QUESTIONS]
    before = [(logger, logger.level, logger.handlers) for logger in loggers]
    yield
    for logger, level, handlers in before:
        logger.setLevel(level)
        logger.handlers = handlers


@pytest.fixture
def in_request() -> Iterator[None]:
    """As if a request were being answered."""
    token = request_id.set("abc-1")
    yield
    request_id.reset(token)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What was logged, line by line."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def record(message: str, **extra: Any) -> logging.LogRecord:
    """A record with what was given beside its message."""
    return log.makeRecord("rustqa.test", logging.INFO, "file", 1, message, (), None, None, extra)


def test_text_is_one_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings are shown as they are said; what only informs is not shown."""
    set_up("text")
    log.warning("serving %s articles now", 3)
    log.info("request", extra={"ms": 3})
    assert capsys.readouterr().err == "rustqa: serving 3 articles now\n"


def test_text_names_the_request(capsys: pytest.CaptureFixture[str], in_request: None) -> None:
    """Its id ends the line, before an exception."""
    set_up("text")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("GET failed")
    first, second, *_, last = capsys.readouterr().err.splitlines()
    assert first == "rustqa: GET failed [abc-1]"
    assert second.startswith("Traceback")
    assert last == "ValueError: broken"


@given(st.text())
def test_text_keeps_a_clients_words_on_its_line(words: str) -> None:
    """What is given beside the message cannot look like another line of the log."""
    text = TextFormatter().format(record("asked", question=words))
    assert text == f"rustqa: asked question={words!r}"
    assert "\n" not in text


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str], in_request: None) -> None:
    """With the time in UTC, what was given, and the exception as text."""
    set_up("json")
    log.info("request", extra={"route": "/ask", "ms": 3.5})
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("%s failed", "GET")
    log.debug("not shown")
    seen, failed = lines(capsys)
    assert list(seen)[:4] == ["time", "level", "logger", "message"]
    time = dt.datetime.fromisoformat(seen.pop("time"))
    assert time.utcoffset() == dt.timedelta(0)
    assert abs(dt.datetime.now(dt.UTC) - time) < dt.timedelta(minutes=1)
    assert seen == {
        "level": "INFO",
        "logger": "rustqa.test",
        "message": "request",
        "request_id": "abc-1",
        "route": "/ask",
        "ms": 3.5,
    }
    assert failed["message"] == "GET failed"
    assert failed["exception"].endswith("ValueError: broken")


def test_outside_a_request_no_id_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than an empty one."""
    set_up("json")
    log.warning("loaded")
    assert "request_id" not in lines(capsys)[0]


json_values = st.recursive(st.text() | st.integers() | st.binary(), st.lists, max_leaves=5)


@given(st.text(st.characters()), json_values)
def test_json_takes_anything(message: str, value: Any) -> None:
    """Line ends, half characters and what JSON does not know leave one line that can be read, and
    what is given cannot take the place of what every line has."""
    line = JsonFormatter().format(record(message, value=value, time="never", level="none"))
    assert line.isascii()
    assert "\n" not in line
    read = json.loads(line)
    assert read["message"] == message
    assert read["level"] == "INFO"
    assert read["time"] != "never"
    assert "value" in read


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("wanted", [False, True])
def test_questions_are_logged_only_if_wanted(
    format: logs.Format, wanted: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """In either format; not even JSON, which tells of every request, holds them otherwise."""
    set_up(format, questions=wanted)
    QUESTIONS.info("asked", extra={"question": "Who loaded the gun?"})
    assert ("Who loaded the gun?" in capsys.readouterr().err) == wanted


def test_what_goes_wrong_in_the_server_is_logged_alike(capsys: pytest.CaptureFixture[str]) -> None:
    """Warnings of uvicorn and asyncio come in the same form; what they inform of does not come."""
    set_up("json")
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.error").info("Started server process")
    logging.getLogger("asyncio").error("Task exception was never retrieved")
    assert [line["logger"] for line in lines(capsys)] == ["uvicorn.error", "asyncio"]
