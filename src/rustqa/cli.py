"""The `rustqa` command: asks, searches, indexes, serves, scores, compares, verifies."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rustqa import __version__
from rustqa.errors import InputError, RustQAError
from rustqa.evaluation_cli import compare_arguments, eval_arguments, run_compare, run_eval
from rustqa.index_cli import index_arguments, run_index
from rustqa.settings import Settings, probability

if TYPE_CHECKING:
    from rustqa.types import Turn

ANSWERED, NO_ANSWER, INTERRUPTED = 0, 1, 130

_EXIT_CODES = """\
exit codes:
  0  done; for ask: answered
  1  ask: the article does not say; verify: a quotation no longer holds; index: a file could not
     be used; index check, doctor: something to mend
  2  the command, the question or a file given cannot be used
  3  the articles or the index cannot be used (the message says how to mend them)
  4  the encoder or the reader cannot be used
  5  a quotation did not stand in its article and was held back: a defect
  130  interrupted
"""

_EXAMPLES = f"""\
examples:
  rustqa ask "why was the case dismissed?"
  rustqa ask --json "who loaded the gun?" > answer.json
  rustqa verify answer.json
  rustqa index my-articles/ --index my-index/
  rustqa index add more.jsonl --index my-index/
  rustqa chat --index my-index/
  rustqa serve

{_EXIT_CODES}"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    # NumPy's products are small here: starting threads for them takes longer than they do.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = _parser().parse_args(arguments)
    _log_to_stderr()
    _forgive_encodings()
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except RustQAError as error:
        print(f"rustqa: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away; what is left in the buffer has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ANSWERED
    except OSError as error:
        # A path that cannot be looked at, a full disk.
        named = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or type(error).__name__
        print(f"rustqa: {named}{reason}; make it usable or name another", file=sys.stderr)
        return InputError.exit_code


def _forgive_encodings() -> None:
    """Lets no character that a terminal cannot show or a pipe sent wrong end in a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        # What is no character becomes a surrogate, which the check of the question names.
        sys.stdin.reconfigure(errors="surrogateescape")


def _log_to_stderr() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("rustqa: %(message)s"))
    logging.getLogger("rustqa").handlers = [handler]
    # Other libraries' messages mean nothing to the person who asks.
    logging.basicConfig(handlers=[logging.NullHandler()])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="rustqa",
        description="Answers questions about news articles with words cut verbatim from them.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"rustqa {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    ask = _command(commands, "ask", _ask, "answer one question", 'rustqa ask "who was the judge?"')
    ask.add_argument("question", nargs="?", help="the question; - reads it from standard input")
    ask.add_argument(
        "--after", action="append", default=[], metavar="QUESTION",
        help="an earlier question that this one follows up; may be given again",
    )  # fmt: skip
    ask.add_argument(
        "--batch", metavar="FILE",
        help="answer each line of a JSONL file (- for standard input), one JSON answer a line",
    )  # fmt: skip
    _asking(ask, 3)
    _abstaining(ask)

    chat = _command(commands, "chat", _chat, "ask question after question", "rustqa chat")
    _asking(chat, 3)
    _abstaining(chat)

    search = _command(
        commands, "search", _search, "list the best passages", "rustqa search bullets"
    )
    search.add_argument("question", metavar="query", help="words to search for; - reads them")
    _asking(search, 5)

    index = _command(
        commands, "index", _index, "build the index, or bring it up to date",
        "rustqa index my-articles/ --index my-index/",
    )  # fmt: skip
    index_arguments(index)

    serve = _command(commands, "serve", _serve, "serve the chat page and the API", "rustqa serve")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    serve.add_argument("-p", "--port", type=int, default=8000, help="port (%(default)s)")
    _abstaining(serve)
    serve.add_argument(
        "--feedback", type=Path, metavar="FILE",
        help="ask whether answers are right; keep what is said in this file (RUSTQA_FEEDBACK)",
    )  # fmt: skip
    serve.add_argument("--open", action="store_true", help="open the page in the browser")

    evaluate = _command(
        commands, "eval", _eval, "score the answers on labelled questions", "rustqa eval dev.jsonl"
    )
    eval_arguments(evaluate)

    compare = _command(
        commands, "compare", _compare, "compare two saved evaluations",
        "rustqa compare before.json after.json", with_settings=False,
    )  # fmt: skip
    compare_arguments(compare)

    verify = _command(
        commands, "verify", _verify, "check a saved answer", "rustqa verify answer.json"
    )
    verify.add_argument("file", help="what `ask --json` or POST /ask returned; - reads it")

    doctor = _command(commands, "doctor", _doctor, "check the installation", "rustqa doctor")
    doctor.add_argument("-j", "--json", action="store_true", help="print JSON")
    return parser


def _command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
    example: str,
    with_settings: bool = True,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        epilog=f"example:\n  {example}\n\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    if with_settings:
        _where(parser)
    return parser


def _where(parser: argparse.ArgumentParser) -> None:
    where = parser.add_argument_group("where things lie")
    where.add_argument("--index", type=Path, metavar="DIR", help="the index (RUSTQA_INDEX)")
    where.add_argument("--corpus", type=Path, metavar="DIR", help="the articles (RUSTQA_CORPUS)")
    where.add_argument("--encoder", metavar="NAME", help="model or folder (RUSTQA_ENCODER)")
    where.add_argument("--store", metavar="URL", help="a Qdrant collection (RUSTQA_STORE)")


def _asking(parser: argparse.ArgumentParser, top_k: int) -> None:
    parser.add_argument("-j", "--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-k", "--top-k", type=int, default=top_k, metavar="N", help="at most N (%(default)s)"
    )
    parser.add_argument(
        "-d", "--document", action="append", metavar="ID", help="only this article; may repeat"
    )


def _abstaining(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-t", "--threshold", metavar="P", help="least confidence to answer with, 0 to 1"
    )


def _settings(options: argparse.Namespace) -> Settings:
    threshold = getattr(options, "threshold", None)
    return Settings.from_env().override(
        corpus=options.corpus,
        index=options.index,
        encoder=options.encoder,
        store=options.store,
        threshold=None if threshold is None else probability(threshold),
        feedback=getattr(options, "feedback", None),
    )


def _ask(options: argparse.Namespace) -> int:
    from rustqa.limits import check_question
    from rustqa.opening import open_pipeline

    if (options.question is None) == (options.batch is None):
        raise InputError('give one question, as in: rustqa ask "who was the judge?", or --batch')
    if options.batch is not None:
        return _batch(options)
    question = _text(options.question)
    check_question(question)
    pipeline = open_pipeline(_settings(options))

    # What imports NumPy waits until the networks are loading.
    from rustqa.terminal import show_answer, to_json
    from rustqa.types import Turn

    history = [Turn(earlier) for earlier in options.after]
    answer = pipeline.ask(question, history, options.top_k, options.document)
    print(to_json(answer) if options.json else show_answer(answer))
    return ANSWERED if answer.status == "answered" else NO_ANSWER


def _batch(options: argparse.Namespace) -> int:
    """Answers every line; a bad line becomes an error record and the exit code, nothing is lost."""
    from tqdm import tqdm

    from rustqa.opening import open_pipeline
    from rustqa.runtime import side_by_side
    from rustqa.terminal import to_json

    # Split at line feeds alone: JSON may hold other line separators inside a string.
    numbered = enumerate(_text(options.batch, file=True).split("\n"), 1)
    lines = [(number, line) for number, line in numbered if line.strip()]
    pipeline = open_pipeline(_settings(options))

    def answered(numbered: tuple[int, str]) -> tuple[str, int]:
        number, line = numbered
        try:
            question, history = _batch_line(line)
            answer = pipeline.ask(question, history, options.top_k, options.document)
            return to_json(answer, indent=None), ANSWERED
        except RustQAError as error:
            record = {"line": number, "error": str(error)}
            return json.dumps(record, ensure_ascii=False), error.exit_code

    code = ANSWERED
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


def _chat(options: argparse.Namespace) -> int:
    from rustqa.limits import MAX_HISTORY
    from rustqa.opening import open_pipeline
    from rustqa.terminal import show_answer, to_json
    from rustqa.types import Turn

    pipeline = open_pipeline(_settings(options))
    for title in (document.title for document in pipeline.store.documents.values()):
        print(title, file=sys.stderr)
    print("Ask; an empty line or Ctrl-D ends.", file=sys.stderr)
    history: list[Turn] = []
    for question in _questions():
        try:
            answer = pipeline.ask(question, history[-MAX_HISTORY:], options.top_k, options.document)
        except RustQAError as error:
            print(f"rustqa: {error}", file=sys.stderr)
            continue
        print(to_json(answer, indent=None) if options.json else show_answer(answer))
        history.append(Turn(question, answer.answer))
    return ANSWERED


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


def _search(options: argparse.Namespace) -> int:
    from rustqa.limits import check_question
    from rustqa.opening import open_pipeline
    from rustqa.terminal import show_citation, to_json

    query = _text(options.question)
    check_question(query)
    found = open_pipeline(_settings(options)).search(query, options.top_k, options.document)
    print(to_json(found) if options.json else "\n\n".join(map(show_citation, found)))
    return ANSWERED


def _index(options: argparse.Namespace) -> int:
    return run_index(options, _settings(options))


def _serve(options: argparse.Namespace) -> int:
    from rustqa.server import serve

    serve(_settings(options), options.host, options.port, open_page=options.open)
    return ANSWERED


def _eval(options: argparse.Namespace) -> int:
    run_eval(options, _settings(options))
    return ANSWERED


def _compare(options: argparse.Namespace) -> int:
    run_compare(options)
    return ANSWERED


def _verify(options: argparse.Namespace) -> int:
    from rustqa.citations import broken_quotations, cited_documents, read_records
    from rustqa.indexing import read_documents

    records = read_records(_text(options.file, file=True))
    documents = read_documents(_settings(options), cited_documents(records))
    broken = [line for record in records for line in broken_quotations(record, documents)]
    print("\n".join(broken) or f"{len(records)} answer(s): every quotation holds")
    return NO_ANSWER if broken else ANSWERED


def _doctor(options: argparse.Namespace) -> int:
    from rustqa.doctor import examine

    findings = examine(_settings(options))
    if options.json:
        print(json.dumps([finding._asdict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.ok else 'MEND'}  {finding.what}: {finding.detail}")
    return ANSWERED if all(finding.ok for finding in findings) else NO_ANSWER


def _text(argument: str, file: bool = False) -> str:
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
