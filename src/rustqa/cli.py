"""The `rustqa` command: asks, searches, indexes, serves, scores, compares, verifies."""

from __future__ import annotations

import argparse
import io
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rustqa import __version__
from rustqa.asking_cli import (
    ask_arguments,
    chat_arguments,
    run_ask,
    run_chat,
    run_search,
    search_arguments,
    text_of,
)
from rustqa.errors import InputError, RustQAError
from rustqa.evaluation_cli import compare_arguments, eval_arguments, run_compare, run_eval
from rustqa.index_cli import index_arguments, run_index
from rustqa.serving_cli import run_serve, serve_arguments
from rustqa.settings import Settings, probability

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
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    # argparse takes the paths before an option alone.
    if rest and not (hasattr(options, "what") and not any(word.startswith("-") for word in rest)):
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.what = [*getattr(options, "what", ()), *rest]
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
    ask_arguments(ask)
    _abstaining(ask)

    chat = _command(commands, "chat", _chat, "ask question after question", "rustqa chat")
    chat_arguments(chat)
    _abstaining(chat)

    search = _command(
        commands, "search", _search, "list the best passages", "rustqa search bullets"
    )
    search_arguments(search)

    index = _command(
        commands, "index", _index, "build the index, or bring it up to date",
        "rustqa index my-articles/ --index my-index/",
    )  # fmt: skip
    index_arguments(index)

    serve = _command(commands, "serve", _serve, "serve the chat page and the API", "rustqa serve")
    serve_arguments(serve)
    _abstaining(serve)

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
        add_to=getattr(options, "add_to", None),
    )


def _ask(options: argparse.Namespace) -> int:
    return run_ask(options, _settings(options))


def _chat(options: argparse.Namespace) -> int:
    return run_chat(options, _settings(options))


def _search(options: argparse.Namespace) -> int:
    return run_search(options, _settings(options))


def _index(options: argparse.Namespace) -> int:
    return run_index(options, _settings(options))


def _serve(options: argparse.Namespace) -> int:
    return run_serve(options, _settings(options))


def _eval(options: argparse.Namespace) -> int:
    run_eval(options, _settings(options))
    return ANSWERED


def _compare(options: argparse.Namespace) -> int:
    run_compare(options)
    return ANSWERED


def _verify(options: argparse.Namespace) -> int:
    from rustqa.citations import broken_quotations, cited_documents, read_records
    from rustqa.indexing import read_documents

    records = read_records(text_of(options.file, file=True))
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
