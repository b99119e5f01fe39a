"""The commands `rustqa ask`, `chat` and `search`: their arguments and what they print."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustqa.errors import InputError, RustQAError
from rustqa.limits import MAX_HISTORY, check_question, read_day
from rustqa.settings import Settings

if TYPE_CHECKING:
    from rustqa.pipeline import Pipeline
    from rustqa.types import Turn

_ANSWERED, _NO_ANSWER = 0, 1
# Of so many articles all are named when a chat begins, of more the newest few.
_NAMED, _NEWEST = 5, 3


def ask_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa ask` can be told."""
    parser.add_argument("question", nargs="?", help="the question; - reads it from standard input")
    parser.add_argument(
        "--after", action="append", default=[], metavar="QUESTION",
        help="an earlier question that this one follows up; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--batch", metavar="FILE",
        help="answer each line of a JSONL file (- for standard input), one JSON answer a line",
    )  # fmt: skip
    _asking(parser, 3)


def chat_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa chat` can be told."""
    _asking(parser, 3)


def search_arguments(parser: argparse.ArgumentParser) -> None:
    """What `rustqa search` can be told."""
    parser.add_argument("question", metavar="query", help="words to search for; - reads them")
    _asking(parser, 5)


def _asking(parser: argparse.ArgumentParser, top_k: int) -> None:
    parser.add_argument("-j", "--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-k", "--top-k", type=int, default=top_k, metavar="N", help="at most N (%(default)s)"
    )
    asked = parser.add_argument_group("which articles are asked")
    asked.add_argument(
        "-d", "--document", action="append", metavar="ID", help="only this article; may repeat"
    )
    asked.add_argument("--since", metavar="DATE", help="only those from this day, month or year on")
    asked.add_argument("--until", metavar="DATE", help="only those up to this day, month or year")


def _scope(options: argparse.Namespace) -> dict[str, Any]:
    """Which articles are asked, as the pipeline takes it."""
    return {
        "documents": options.document,
        "since": read_day(options.since, "--since"),
        "until": read_day(options.until, "--until", last=True),
    }


def run_ask(options: argparse.Namespace, settings: Settings) -> int:
    """Answers one question or a batch; returns the exit code."""
    from rustqa.opening import open_pipeline

    if (options.question is None) == (options.batch is None):
        raise InputError('give one question, as in: rustqa ask "who was the judge?", or --batch')
    scope = _scope(options)
    if options.batch is not None:
        return _batch(options, settings, scope)
    question = text_of(options.question)
    check_question(question)
    pipeline = open_pipeline(settings)

    # What imports NumPy waits until the networks are loading.
    from rustqa.terminal import show_answer, to_json
    from rustqa.types import Turn

    history = [Turn(earlier) for earlier in options.after]
    answer = pipeline.ask(question, history, options.top_k, **scope)
    print(to_json(answer) if options.json else show_answer(answer))
    return _ANSWERED if answer.status == "answered" else _NO_ANSWER


def _batch(options: argparse.Namespace, settings: Settings, scope: dict[str, Any]) -> int:
    """Answers every line; a bad line becomes an error record and the exit code, nothing is lost."""
    from tqdm import tqdm

    from rustqa.opening import open_pipeline
    from rustqa.runtime import side_by_side
    from rustqa.terminal import to_json

    # Split at line feeds alone: JSON may hold other line separators inside a string.
    numbered = enumerate(text_of(options.batch, file=True).split("\n"), 1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    pipeline = open_pipeline(settings)

    def answered(numbered: tuple[int, str]) -> tuple[str, int]:
        number, line = numbered
        try:
            question, history = _batch_line(line)
            answer = pipeline.ask(question, history, options.top_k, **scope)
            return to_json(answer, indent=None), _ANSWERED
        except RustQAError as error:
            record = {"line": number, "error": str(error)}
            return json.dumps(record, ensure_ascii=False), error.exit_code

    code = _ANSWERED
    records = side_by_side(answered, lines)
    for record, problem in tqdm(records, "asking", len(lines), unit=" questions", disable=None):
        print(record)
        code = problem or code
    return code


def _batch_line(line: str) -> tuple[str, list[Turn]]:
    from rustqa.types import Turn

    try:
        row = json.loads(line)
        if isinstance(row, str):
            return row, []
        turns = [Turn(turn["question"], turn.get("answer")) for turn in row.get("history") or ()]
        if not isinstance(row["question"], str):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            'not a question; write {"question": "…"} or a JSON string on each line'
        ) from None
    return row["question"], turns


def run_chat(options: argparse.Namespace, settings: Settings) -> int:
    """Asks question after question; returns the exit code."""
    from rustqa.opening import open_pipeline

    scope = _scope(options)
    pipeline = open_pipeline(settings)

    from rustqa.terminal import show_answer, to_json
    from rustqa.types import Turn

    print(_greeting(pipeline, scope), file=sys.stderr)
    history: list[Turn] = []
    for question in _questions():
        try:
            answer = pipeline.ask(question, history[-MAX_HISTORY:], options.top_k, **scope)
        except RustQAError as error:
            print(f"rustqa: {error}", file=sys.stderr)
            continue
        print(to_json(answer, indent=None) if options.json else show_answer(answer))
        history.append(Turn(question, answer.answer))
    return _ANSWERED


def _greeting(pipeline: Pipeline, scope: dict[str, Any]) -> str:
    """The titles of the articles that are asked, or their number and the newest; how to end."""
    from rustqa.terminal import heading

    found = pipeline.listing(count=_NAMED, **scope)
    titles = [heading(document.title, document.date) for document in found.documents]
    if found.total > _NAMED:
        titles = [f"{found.total:,} articles; the newest:", *titles[:_NEWEST]]
    return "\n".join([*titles, "Ask; an empty line or Ctrl-D ends."])


def _questions() -> Iterator[str]:
    prompt = "\n? " if sys.stdin.isatty() else ""
    if prompt:
        import readline  # noqa: F401  (arrow keys and recall in input)
    while True:
        try:
            question = input(prompt)
        except EOFError:
            return
        if not question.strip():
            return
        yield question


def run_search(options: argparse.Namespace, settings: Settings) -> int:
    """Lists the best passages; returns the exit code."""
    from rustqa.opening import open_pipeline

    query = text_of(options.question)
    check_question(query)
    scope = _scope(options)
    pipeline = open_pipeline(settings)

    from rustqa.terminal import show_citation, to_json

    found = pipeline.search(query, options.top_k, **scope)
    print(to_json(found) if options.json else "\n\n".join(map(show_citation, found)))
    return _ANSWERED


def text_of(argument: str, file: bool = False) -> str:
    """The argument itself, what standard input holds for `-`, or with `file` a file's content."""
    if argument != "-" and not file:
        return argument
    name = "standard input" if argument == "-" else argument
    if argument == "-" and sys.stdin is None:
        raise InputError("standard input is closed; give the text or the name of a file")
    try:
        data = sys.stdin.buffer.read() if argument == "-" else Path(argument).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}; name a file that can be read") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 at byte {error.start}; save it as UTF-8") from None
