"""Targets of those who ask: questions, conversations, requests, commands and saved answers."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

from pydantic import ValidationError

from fuzz.asgi import request
from fuzz.promises import check_line, check_record
from rustqa import indexing, opening, schema
from rustqa.citations import broken_quotations, cited_documents, read_records
from rustqa.cli import main
from rustqa.conversation import leans
from rustqa.corpus import make_document
from rustqa.errors import RustQAError
from rustqa.library import Library
from rustqa.pipeline import Pipeline
from rustqa.small_talk import small_talk
from rustqa.terminal import show_answer
from rustqa.types import Document, Turn
from rustqa.web import Pages
from web_fixtures import farm, make_pipeline, serve, town

EXIT_CODES = {0, 1, 2, 3, 4, 5}
# Commands that only read; the others change what the machine holds.
_COMMANDS = ("ask", "search", "verify", "chat", "compare", "")
_NETWORK = {"--store", "--encoder"}


@cache
def _documents() -> dict[str, Document]:
    return {document.id: document for document in (town(), farm())}


@cache
def _pipeline() -> Pipeline:
    return make_pipeline(*_documents().values())


@cache
def _app() -> Any:
    with serve(_pipeline()) as client:
        return client.app


def _asked(pipeline: Pipeline, known: dict[str, Document], question: str, **more: Any) -> None:
    """Asks, and checks the answer as JSON, in the terminal and on the page."""
    try:
        answer = pipeline.ask(question, **more)
    except RustQAError as error:
        check_line(str(error))
        return
    check_record(json.loads(schema.ANSWER.dump_json(answer)), known)
    show_answer(answer)
    page = Pages().turn(Library(pipeline), answer)
    assert "<script" not in page


def question(data: bytes) -> None:
    """A question by itself."""
    asked = data.decode(errors="surrogateescape")
    leans(asked)
    small_talk(asked)
    _asked(_pipeline(), _documents(), asked)


def conversation(data: bytes) -> None:
    """The body of a request to /ask."""
    try:
        parsed = json.loads(data)
    except (ValueError, RecursionError):  # FastAPI answers these itself: see http
        return
    try:
        body = schema.AskRequest.model_validate(parsed)
        chosen = body.scope()
    except ValidationError as error:
        check_line(schema.explain(error.errors()))
        return
    except RustQAError as error:
        check_line(str(error))
        return
    more = {"history": body.turns(), "top_k": body.top_k, "documents": chosen.documents}
    _asked(_pipeline(), _documents(), body.question, **more)


def article(data: bytes) -> None:
    """An article that is indexed, shown and asked about; its first line is the question."""
    asked, _, text = data.decode(errors="replace").partition("\n")
    try:
        document = make_document("any", text[:20_000], metadata={"title": asked[:300].strip()})
    except RustQAError as error:
        check_line(str(error))
        return
    pipeline = make_pipeline(document)
    library = Library(pipeline)
    page = Pages().article(library, document)
    assert "<script" not in page
    library.suggestions("any")
    _asked(pipeline, {"any": document}, asked, history=[Turn("Who said so?")])


def http(data: bytes) -> None:
    """A request: a line with method and address, headers, a blank line, the body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    method, _, target = first.partition(" ")
    headers = [
        (name, value.strip()) for name, found, value in (x.partition(":") for x in lines) if found
    ]
    # Servers refuse a target that is not in ASCII; browsers encode it.
    target = quote(target, safe="".join(map(chr, range(0x21, 0x7F))), encoding="latin-1")
    response = request(_app(), method or "GET", target or "/", headers, body)
    assert response.status < 500, response
    kind = response.headers.get("content-type", "")
    if response.status >= 400 and kind == "application/json":
        check_line(json.loads(response.body)["error"])


def command(data: bytes) -> None:
    """A command line: its arguments parted by line feeds, then NUL and standard input."""
    line, _, given = data.partition(b"\0")
    first, *rest = line.decode(errors="surrogateescape").split("\n")
    if any(word[:5] == option[:5] for word in rest for option in _NETWORK):
        return
    name = first if first in _COMMANDS else _COMMANDS[len(first) % len(_COMMANDS)]
    code, said = run_command([name, *rest], given)
    assert code in EXIT_CODES, code
    assert "Traceback" not in said
    # A batch says beside the answers which of its lines could not be asked.
    assert code <= 1 or said.strip() or "--b" in line.decode(errors="replace"), "says nothing"


def run_command(arguments: list[str], given: bytes) -> tuple[int, str]:
    """The exit code of a command over small articles, and what it says on standard error."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    stdin = io.TextIOWrapper(io.BytesIO(given), encoding="utf-8")
    with (
        patch.object(sys, "stdin", stdin),
        patch.object(opening, "open_pipeline", lambda *_: _pipeline()),
        patch.object(indexing, "read_documents", lambda *_: _documents()),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            code = main(arguments)
        except SystemExit as left:  # argparse's way to end
            code = left.code if isinstance(left.code, int) else 1
        err.flush()
    return code, err.buffer.getvalue().decode(errors="replace")


def saved(data: bytes) -> None:
    """A saved answer that is to be verified."""
    try:
        records = read_records(data.decode(errors="replace"))
        cited_documents(records)
        for record in records:
            for line in broken_quotations(record, _documents()):
                check_line(line)
    except RustQAError as error:
        check_line(str(error))
