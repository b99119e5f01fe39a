"""How the server's log is written: as text for people or as JSON for programs, each line with the
id of the request it belongs to."""

from __future__ import annotations

import datetime as dt
import json
import logging
from contextvars import ContextVar
from typing import Any, Literal

Format = Literal["text", "json"]

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered, None outside of one."""

QUESTIONS = logging.getLogger("rustqa.questions")
"""Where questions are logged, if they are to be."""

# Whose messages the log holds: what goes wrong in the server is not told by rustqa alone.
_LOGGERS = ("rustqa", "uvicorn", "asyncio")
# What every record has; whatever else it has was given with `extra`.
_OWN = frozenset({*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"})


def set_up(format: Format, questions: bool = False) -> None:
    """Logs to stderr: warnings and worse, as JSON each request, too, and with `questions` each
    question, whatever the format."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(logging.WARNING)
    if format == "json":
        logging.getLogger("rustqa").setLevel(logging.INFO)
    QUESTIONS.setLevel(logging.INFO if questions else logging.CRITICAL)


class TextFormatter(logging.Formatter):
    """`rustqa: message name='value' [request id]`, an exception below it."""

    def __init__(self) -> None:
        super().__init__("rustqa: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """The line without the exception."""
        # By repr, what a client sent cannot begin a line of its own.
        given = [f"{name}={value!r}" for name, value in _given(record).items()]
        number = request_id.get()
        return " ".join([super().formatMessage(record), *given, *([f"[{number}]"] * bool(number))])


class JsonFormatter(logging.Formatter):
    """One object a line, in ASCII, so that nothing in it can end the line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as an object; what was given with it stands beside what every line has."""
        time = dt.datetime.fromtimestamp(record.created, dt.UTC)
        line: dict[str, Any] = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := request_id.get():
            line["request_id"] = number
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps({**line, **_given(record), **line}, default=str)


def _given(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OWN}
