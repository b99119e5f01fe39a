"""Opens what is indexed, checked against its encoder and its articles, and tells what changed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rustqa.encoder import weights_fingerprint
from rustqa.errors import StoreError
from rustqa.passages import splitter_name
from rustqa.settings import Settings
from rustqa.sources.files import SourceFile, find_files
from rustqa.store.folder import (
    IndexedFile,
    Origin,
    check_recipe,
    load_store,
    read_origin,
    spare_fault,
)
from rustqa.store.local import FaissStore, Recipe, make_recipe
from rustqa.types import PassageStore

Key = tuple[int, str]
"""A file: the place of its source and its name below that."""


class Changes(NamedTuple):
    """Names of files that are not as they were indexed."""

    new: list[str]
    changed: list[str]
    gone: list[str]


def open_store(settings: Settings) -> PassageStore:
    """The index from disk, checked against the encoder and the articles, or the collection that
    is set, checked against the encoder; raises StoreError."""
    if settings.store:
        from rustqa.store.qdrant import open_collection

        return open_collection(settings.store, settings.store_key, _recipe(settings))
    store = open_index(settings)
    new, changed, gone = find_changes(settings)
    if new or changed or gone:
        what = (
            f"{(*new, *changed)[0]} is new or changed" if new or changed else f"{gone[0]} is gone"
        )
        raise StoreError(
            f"the index is older than its articles ({what}); run: rustqa index, with the same "
            "--index"
        )
    return store


def open_index(settings: Settings) -> FaissStore:
    """The index from disk, checked against the encoder, whatever became of the articles since;
    raises StoreError."""
    store = load_store(settings.index)
    check_recipe(store, _recipe(settings))
    return store


def stored(settings: Settings) -> PassageStore:
    """What is indexed, whatever made it; raises StoreError if it cannot be used."""
    if settings.store:
        from rustqa.store.qdrant import open_collection

        return open_collection(settings.store, settings.store_key)
    return load_store(settings.index)


def sources_of(settings: Settings, origin: Origin) -> Sequence[Path]:
    """Where the articles lie: the folder that is set, unless it is one of those that are known."""
    corpus = settings.corpus
    if corpus is None or corpus.resolve() in map(Path.resolve, origin.sources):
        return origin.sources
    return (corpus,)


def find_changes(settings: Settings) -> Changes:
    """The files that are not as they were indexed; sources that are not there are left aside."""
    changes = Changes([], [], [])
    origin = read_origin(settings.index)
    if origin is None:
        return changes
    sources = sources_of(settings, origin)
    known = known_files(origin, sources)
    for place, source in enumerate(sources):
        if not source.exists():
            known = {key: file for key, file in known.items() if key[0] != place}
            continue
        for file in find_files(source)[0]:
            indexed = known.pop((place, file.name), None)
            if indexed is None:
                changes.new.append(file.name)
            elif not is_unchanged(indexed, file):
                changes.changed.append(file.name)
    changes.gone.extend(name for _, name in known)
    return changes


def check_index(settings: Settings) -> dict[str, list[str]]:
    """What is amiss, by kind: `new`, `changed` and `gone` files, those `not used`, sources that are
    `not there`, and what is `to mend` though the index can be used.

    Raises StoreError if the index is damaged or made by another encoder.
    """
    open_index(settings)
    origin = read_origin(settings.index) or Origin(())
    wrong = [f"{name}: {reason}" for file in origin.files for name, reason in file.problems]
    away = [str(source) for source in sources_of(settings, origin) if not source.exists()]
    fault = spare_fault(settings.index)
    return {
        **find_changes(settings)._asdict(),
        "not used": wrong,
        "not there": away,
        "to mend": [fault] if fault else [],
    }


def known_files(origin: Origin, sources: Sequence[Path]) -> dict[Key, IndexedFile]:
    """The files as they were indexed, by the places that their sources have now.

    A source that is another folder now is known by its place, and its files by their content.
    """
    places = {path.resolve(): place for place, path in enumerate(sources)}
    now = {place: places.get(path.resolve()) for place, path in enumerate(origin.sources)}
    free = set(range(len(sources))) - set(now.values())
    known = {}
    for file in origin.files:
        place = now[file.source]
        if place is not None:
            known[place, file.name] = file
        elif file.source in free:
            known[file.source, file.name] = replace(file, stamp="")
    return known


def is_unchanged(indexed: IndexedFile, file: SourceFile) -> bool:
    """Whether the file, with its metadata, is as it was indexed."""
    stamp = stamp_of(file)
    return bool(stamp) and (stamp == indexed.stamp or digest_of(file) == indexed.sha256)


def stamp_of(file: SourceFile) -> str:
    """The sizes and times of change of a file and of its metadata; empty if it is gone."""
    try:
        found = [path.stat() for path in _parts(file)]
    except OSError:
        return ""
    return " ".join(f"{item.st_size}:{item.st_mtime_ns}" for item in found)


def digest_of(file: SourceFile) -> str:
    """Hex SHA-256 of the file's content, then its metadata's; empty if it cannot be read."""
    digest = hashlib.sha256()
    try:
        for path in _parts(file):
            with path.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    except OSError:
        return ""
    return digest.hexdigest()


def _parts(file: SourceFile) -> list[Path]:
    return [file.path, *filter(None, [file.metadata])]


def _recipe(settings: Settings) -> Recipe:
    return make_recipe(settings.encoder, weights_fingerprint(settings.encoder), splitter_name())
