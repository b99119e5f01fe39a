"""Examines an installation and says what to mend."""

from __future__ import annotations

import argparse
import os
import shlex
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from rustqa import machine
from rustqa.checking import find_changes, open_store
from rustqa.encoder import open_passage_encoder, open_question_encoder, weights_fingerprint
from rustqa.errors import CorpusError, InputError, RustQAError, StoreError
from rustqa.onnx_cache import open_cached
from rustqa.opening import open_pipeline
from rustqa.reader import open_reader
from rustqa.serving import check_workers
from rustqa.serving_cli import serve_arguments, serving_of
from rustqa.settings import Settings, data_root
from rustqa.sources.files import KINDS, find_files
from rustqa.store.folder import present, spare_fault
from rustqa.torch_encoder import TorchEncoder

# Without these no question is answered.
_NEEDED = frozenset({"articles", "index", "reader", "questions"})


class Finding(NamedTuple):
    """What was looked at, whether it is in order, and how it is or how to mend it."""

    what: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Looks at articles, models and machine, at what serving takes, and asks one question."""
    found = [*chain(_kept(settings), _given(settings), _served(settings))]
    broken = [finding.what for finding in found if not finding.ok and finding.what in _NEEDED]
    if broken:
        tried = Finding("answer", False, f"not tried; mend first: {', '.join(broken)}")
    else:
        tried = _find("answer", lambda: _answer(settings))
    return [*found, tried]


def _kept(settings: Settings) -> Iterator[Finding]:
    """What rustqa reads."""
    yield _find("articles", lambda: _articles(settings))
    yield (index := _find("index", lambda: _index(settings)))
    if index.ok and not settings.store:
        yield _find("manifest", lambda: _manifest(settings.index))
    yield _find("encoder", lambda: _weights(settings))
    yield _find("reader", lambda: open_reader(settings.reader).name)
    yield _find("cache", lambda: _cache(settings))
    yield _find("questions", lambda: _question_encoder(settings))


def _given(settings: Settings) -> Iterator[Finding]:
    """What the machine gives."""
    yield _find("threads", machine.threads)
    if not settings.store:
        size = _size_of(present(settings.index))
        yield _find("memory", lambda: machine.memory(size))
        yield _find("disk", lambda: machine.disk(settings.index, size))
        yield _find("writing", lambda: _writing(settings.index))
    extras = ["qdrant"] if settings.store else []
    yield _find("libraries", lambda: machine.libraries(extras))


def _served(settings: Settings) -> Iterator[Finding]:
    """What is set for the server."""
    yield _find("serving", lambda: _serving(settings))
    if feedback := settings.feedback:
        yield _find("feedback", lambda: _feedback(feedback))
    if add_to := settings.add_to:
        yield _find("adding", lambda: _adding(add_to))


def _find(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, True, look())
    except (RustQAError, OSError) as error:
        return Finding(what, False, str(error))


def _articles(settings: Settings) -> str:
    if settings.store:
        return "kept in the collection"
    if settings.corpus and not find_files(settings.corpus)[0]:
        raise CorpusError(f"{settings.corpus}: no articles there; put {KINDS} files into it")
    new, changed, gone = find_changes(settings)
    if new or changed or gone:
        raise StoreError(
            f"{len(new)} new, {len(changed)} changed, {len(gone)} gone since they were indexed; "
            f"run: rustqa index --index {settings.index}"
        )
    return "as they were indexed"


def _index(settings: Settings) -> str:
    store = open_store(settings)
    if settings.store:
        return f"{settings.store}, {len(store)} passages, matches encoder"
    return f"{settings.index}, {len(store)} passages, matches articles and encoder"


def _manifest(index: Path) -> str:
    """Not of the index itself, which answers without the copy."""
    if fault := spare_fault(index):
        raise StoreError(fault)
    return "kept twice"


def _weights(settings: Settings) -> str:
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    return f"{encoder.name}, weights {encoder.fingerprint[:12]}"


def _question_encoder(settings: Settings) -> str:
    encoder = open_question_encoder(settings.encoder, settings.cache)
    slow = isinstance(encoder, TorchEncoder)
    return "encoded by sentence-transformers (slow to start)" if slow else "encoded by ONNX Runtime"


def _cache(settings: Settings) -> str:
    folder, encoder = settings.cache, settings.encoder
    try:
        machine.try_writing(folder, "set RUSTQA_CACHE, as every start is slow so")
    except machine.MachineError:
        # As in a container, where all that is to be kept was kept when it was built.
        if open_cached(folder, encoder, weights_fingerprint(encoder)) is None:
            raise
        return f"{folder}, not to be written, holds the encoder"
    return str(folder)


def _size_of(folder: Path) -> int:
    try:
        return sum(file.stat().st_size for file in folder.iterdir())
    except OSError:
        return 0


def _writing(index: Path) -> str:
    try:
        return machine.replaceable(index)
    except RustQAError:
        # Nobody indexes there: it is one of the program's own files.
        if index.resolve() != data_root() / "index":
            raise
        return "not needed: the index comes with rustqa"


def _serving(settings: Settings) -> str:
    """What `rustqa serve` does by the variables alone; of keys never what they are."""
    parser = argparse.ArgumentParser()
    serve_arguments(parser)
    serving = serving_of(parser.parse_args([]), os.environ)
    check_workers(settings, serving)
    file = Path(os.environ.get("RUSTQA_API_KEYS", ""))
    if file.is_file() and file.stat().st_mode & 0o007:
        raise InputError(
            f"{file} can be read by everybody here; run: chmod o-rwx {shlex.quote(str(file))}"
        )
    policy = serving.policy
    rate = f"{policy.rate:,} requests a minute" if policy.rate else "any rate"
    return (
        f"{_counted(serving.workers, 'worker')}, {policy.queue:,} may wait, {rate}, "
        f"{_counted(len(policy.keys or ()), 'key')}, log as {serving.log}"
    )


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number > 1)}"


def _feedback(file: Path) -> str:
    otherwise = "name another file with RUSTQA_FEEDBACK"
    there = file.exists()
    usable = file.is_file() and os.access(file, os.W_OK) if there else file.parent.is_dir()
    if not usable:
        raise InputError(f"{file} cannot be written; {otherwise}")
    # Of a file that is there the folder need take no other.
    if not there or os.access(file.parent, os.W_OK):
        machine.try_writing(file.parent, otherwise)
    return str(file)


def _adding(folder: Path) -> str:
    machine.try_writing(folder, "name another folder with RUSTQA_ADD_TO")
    return str(folder)


def _answer(settings: Settings) -> str:
    """Asks twice, as the first question loads what those after it find loaded."""
    pipeline = open_pipeline(settings)
    article = pipeline.first()
    question = (*article.questions, "What happened?")[0]
    first, again = (pipeline.ask(question, documents=[article.id]) for _ in range(2))
    times = f"{again.timings_ms['total']:.0f} ms, the first time {first.timings_ms['total']:.0f} ms"
    return f"{question!r} takes {times} ({again.status})"
