"""Examines an installation and says what to mend."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from rustqa.checking import find_changes, open_store
from rustqa.encoder import open_passage_encoder, open_question_encoder
from rustqa.errors import CorpusError, RustQAError, StoreError
from rustqa.reader import open_reader
from rustqa.settings import Settings
from rustqa.sources.files import KINDS, find_files
from rustqa.torch_encoder import TorchEncoder


class Finding(NamedTuple):
    """What was looked at, whether it is in order, and how it is or how to mend it."""

    what: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Finding]:
    """Looks at corpus, index, models and cache."""
    return [
        _find("articles", lambda: _articles(settings)),
        _find("index", lambda: _index(settings)),
        _find("encoder", lambda: _weights(settings)),
        _find("reader", lambda: open_reader(settings.reader).name),
        _cache(settings.cache),
        _find("questions", lambda: _question_encoder(settings)),
    ]


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
            "run: rustqa index"
        )
    return "as they were indexed"


def _index(settings: Settings) -> str:
    store = open_store(settings)
    if settings.store:
        return f"{settings.store}, {len(store)} passages, matches encoder"
    return f"{settings.index}, {len(store)} passages, matches articles and encoder"


def _weights(settings: Settings) -> str:
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    return f"{encoder.name}, weights {encoder.fingerprint[:12]}"


def _question_encoder(settings: Settings) -> str:
    encoder = open_question_encoder(settings.encoder, settings.cache)
    slow = isinstance(encoder, TorchEncoder)
    return "encoded by sentence-transformers (slow to start)" if slow else "encoded by ONNX Runtime"


def _cache(folder: Path) -> Finding:
    try:
        existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        writable = existing.is_dir() and os.access(existing, os.W_OK)
    except OSError:
        writable = False
    mend = "cannot be written, so every start is slow; make it writable or set RUSTQA_CACHE"
    return Finding("cache", writable, str(folder) if writable else f"{folder} {mend}")
