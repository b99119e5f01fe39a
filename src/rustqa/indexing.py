"""Makes the index of articles, brings it up to date, and opens it checked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from rustqa.checking import known_files, sources_of, stored
from rustqa.encoder import open_passage_encoder, weights_fingerprint
from rustqa.errors import CorpusError, StoreError
from rustqa.passages import split_document, splitter_name
from rustqa.settings import Settings, data_root
from rustqa.sources.duplicates import MARK
from rustqa.sources.files import KINDS, Problem, find_files
from rustqa.sources.reading import read_file
from rustqa.store.builder import Builder
from rustqa.store.folder import (
    Origin,
    load_store,
    read_marks,
    read_origin,
    remembered_origin,
    save_store,
    spare_fault,
)
from rustqa.store.local import FaissStore
from rustqa.store.replacing import locked
from rustqa.types import Document, Encoder, Vectors
from rustqa.updating import Update


@dataclass(frozen=True, slots=True)
class Indexed:
    """An index as it was made: the store, what could not be used, which articles repeat others,
    the same of files that are as they were, and how many articles were read, taken over from the
    old index, and left it."""

    store: FaissStore
    problems: Sequence[Problem]
    repeats: Sequence[Problem]
    old_problems: Sequence[Problem]
    old_repeats: Sequence[Problem]
    read: int
    kept: int
    gone: int


def build_in_memory(
    documents: Iterable[Document], encoder: Encoder, before: FaissStore | None = None
) -> FaissStore:
    """Splits and encodes documents into a store that lies on no disk; what stands in the store of
    `before` is not encoded again."""
    builder = Builder(encoder, split_document, splitter_name(), before)
    for document in documents:
        builder.add(document)
    return builder.finish()


def build_index(
    settings: Settings,
    sources: Sequence[Path] = (),
    add: Sequence[Path] = (),
    remove: Collection[str] = (),
    fresh: bool = False,
) -> Indexed:
    """Brings the index up to date with its articles and puts it in place of the old one.

    `sources` are folders and files to index instead of those known; `add` are further ones, and
    `remove` are ids of articles, or sources, to leave out from now on. With `fresh` nothing is
    taken over from the old index. Raises CorpusError or StoreError if nothing can be made of it.
    """
    with locked(settings.index):
        return _build(settings, sources, add, remove, fresh)


def _build(
    settings: Settings,
    sources: Sequence[Path],
    add: Sequence[Path],
    remove: Collection[str],
    fresh: bool,
) -> Indexed:
    before = None if fresh else _old_store(settings.index)
    old = remembered_origin(settings.index) or Origin(())
    origin = _origin(settings, old, before, sources, add, remove)
    builder = Builder(PassageEncoder(settings), split_document, splitter_name(), before)
    known = known_files(old, origin.sources) if builder.can_keep() else {}
    again = [path.resolve() for path in add]
    marks = read_marks(settings.index) if before else np.zeros(0, MARK)
    settled = old.sources == origin.sources and old.removed == origin.removed
    update = Update(builder, before, origin, known, again, marks, settled)
    files = tuple(update.take_all())
    if not len(builder):
        raise CorpusError(nothing(origin.sources, update.problems))
    store = builder.finish()
    origin = replace(origin, removed=origin.removed - update.returned, files=files)
    is_other = before is None or before.id != store.id or before.recipe != store.recipe
    if is_other or old != origin or spare_fault(settings.index):
        save_store(store, settings.index, origin, np.array(update.marks, MARK))
    gone = sum(name not in update.ids for name in before.documents) if before else 0
    return Indexed(
        store, update.problems, update.repeats, update.old_problems, update.old_repeats,
        update.read, update.kept, gone,
    )  # fmt: skip


def read_documents(settings: Settings, ids: Collection[str]) -> dict[str, Document]:
    """Those articles as they are now: from their files where they are, else from the index; or
    from the collection that is set."""
    if settings.store:
        documents = stored(settings).documents
        return {name: documents[name] for name in set(ids) if name in documents}
    store = load_store(settings.index)
    origin = read_origin(settings.index) or Origin(())
    sources = sources_of(settings, origin)
    found = {}
    for name in set(ids):
        number = store.articles.number(name)
        if number is None:
            continue
        file = next((file for file in origin.files if file.first <= number < file.after), None)
        source = sources[file.source] if file and file.source < len(sources) else None
        if file is None or source is None or not source.exists():
            found[name] = store.documents[name]
            continue
        for now in find_files(source)[0]:
            if now.name == file.name:
                items = read_file(now)
                found |= {i.id: i for i in items if isinstance(i, Document) and i.id == name}
    return found


class PassageEncoder:
    """The encoder of passages, which is opened when there is something to encode."""

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self._settings = settings
        self.name = settings.encoder
        self.fingerprint = weights_fingerprint(settings.encoder)

    @cached_property
    def _opened(self) -> Encoder:
        return open_passage_encoder(self._settings.encoder, self._settings.cache)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32."""
        return self._opened.encode(texts)

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""
        return self._opened.knows(word)


def _articles_at(path: Path, name: str, old: Origin, before: FaissStore) -> set[str]:
    """The ids of the articles of a file or a folder, or else the article with this id."""
    inside = [
        file
        for file in old.files
        if Path(old.sources[file.source], file.name).resolve().is_relative_to(path)
        or Path(old.sources[file.source]).resolve() == path
    ]
    found = {before.articles.id_of(n) for file in inside for n in range(file.first, file.after)}
    return found or ({name} if name in before.documents else set())


def nothing(sources: Sequence[Path], problems: Sequence[Problem]) -> str:
    """Why no article could be taken from there."""
    where = ", ".join(map(str, sources))
    if problems:
        name, reason = problems[0]
        return f"{where}: no article there can be used; {name}: {reason}"
    return f"{where}: no articles there; put {KINDS} files into it"


def _old_store(folder: Path) -> FaissStore | None:
    try:
        return load_store(folder)
    except StoreError:
        return None


def _origin(
    settings: Settings,
    old: Origin,
    before: FaissStore | None,
    sources: Sequence[Path],
    add: Sequence[Path],
    remove: Collection[str],
) -> Origin:
    """What the index is to be made from; raises CorpusError or StoreError if that cannot be."""
    shipped = data_root()
    known = [*sources] or [*sources_of(settings, old)]
    if not known and not add and settings.index == shipped / "index":
        known = [shipped / "corpus"]
    paths = list(dict.fromkeys(path.resolve() for path in known))
    # What lies in a folder that is known is not a source of its own.
    paths += [
        path
        for path in dict.fromkeys(path.resolve() for path in add)
        if not any(path.is_relative_to(folder) for folder in paths)
    ]
    if not paths:
        raise StoreError(
            "no articles are known for this index; name them: rustqa index FOLDER --index "
            f"{settings.index}"
        )
    removed = set() if sources else set(old.removed)
    for name in remove:
        path = Path(name).resolve()
        if path in paths:
            paths.remove(path)
        elif before is not None and (inside := _articles_at(path, name, old, before)):
            removed |= inside
        else:
            raise StoreError(
                f"{name!r} is neither an article nor a source of this index; see: rustqa index list"
            )
    for path in paths:
        if not path.exists():
            indexed = path in map(Path.resolve, old.sources)
            mend = f"put it back, or: rustqa index remove {path}" if indexed else "name another"
            raise CorpusError(f"{path}: no such file or folder; {mend}")
    return Origin(tuple(paths), frozenset(removed))
