"""Keeps the index up to date while it is served: as articles change, and as one is added."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread

from rustqa.checking import find_changes, sources_of
from rustqa.drafts import Draft, DraftFolder, article_id, checked
from rustqa.errors import ArticleError, RepeatedArticleError, RustQAError, StoreError
from rustqa.indexing import Indexed, build_index
from rustqa.settings import Settings
from rustqa.shelf import Shelf
from rustqa.store.folder import Origin, read_origin
from rustqa.types import Document

log = logging.getLogger(__name__)

# Milliseconds: changes that follow one another so closely are taken up together, and where no
# change is reported, as of a folder on another machine, it is looked for so often.
_PAUSE = 400
_LONGEST_PAUSE = 5_000
_LOOKED_FOR = 60_000


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What keeping an index up to date takes: `build` makes it anew, with further articles, and
    `sources` and `is_stale` look at what it is made from."""

    build: Callable[[Sequence[Path]], Indexed]
    sources: Callable[[], Sequence[Path]]
    is_stale: Callable[[], bool]
    watch: bool = False
    add_to: DraftFolder | None = None


def upkeep_of(settings: Settings, watch: bool, add_to: Path | None) -> Upkeep:
    """The upkeep of the index on disk; raises InputError if nothing can be added to the folder."""

    def sources() -> Sequence[Path]:
        return sources_of(settings, read_origin(settings.index) or Origin(()))

    return Upkeep(
        build=lambda add: build_index(settings, add=add),
        sources=sources,
        is_stale=lambda: any(find_changes(settings)),
        watch=watch,
        add_to=DraftFolder(add_to) if add_to else None,
    )


class Keeper:
    """Brings what a shelf holds up to date, one update at a time."""

    def __init__(self, upkeep: Upkeep, shelf: Shelf) -> None:
        """Begins to watch if that is wanted."""
        self._upkeep = upkeep
        self._shelf = shelf
        self._lock = Lock()
        self._stop = Event()
        # Set when what is watched may be another.
        self._changed = Event()
        self._thread = Thread(target=self._watch, name="watching", daemon=True)
        if upkeep.watch:
            self._thread.start()

    def close(self) -> None:
        """Ends the watching; an index that is being made is not waited for."""
        self._stop.set()
        self._changed.set()
        if self._upkeep.watch:
            self._thread.join(2 * _PAUSE / 1000)

    def add(self, draft: Draft) -> Document:
        """Writes an article into the folder, indexes and serves it, and gives it as it is stored.

        Raises ArticleError if it is none or is there already, AddingError if it cannot be kept.
        """
        folder = self._upkeep.add_to
        if folder is None:
            raise StoreError("no folder is known that articles can be added to")
        draft = checked(draft)
        with self._lock:
            known = self._shelf.library().documents
            file = folder.write(draft, lambda name: self._id_of(folder.path / name) in known)
            try:
                indexed = self._upkeep.build(self._to_add(folder.path))
                added = _taken(indexed, self._id_of(file.with_suffix("")), file.name)
            except BaseException as error:
                folder.remove(file)
                if isinstance(error, ArticleError):
                    self._serve(self._upkeep.build(()))
                raise
            self._serve(indexed)
            return added

    def update(self) -> None:
        """Serves the articles as they are now, if they have changed."""
        with self._lock:
            if self._upkeep.is_stale():
                self._serve(self._upkeep.build(()))

    def _id_of(self, path: Path) -> str:
        """The id of the article in a file of the folder, by its path without the suffix."""
        return article_id(path, self._upkeep.sources())

    def _to_add(self, folder: Path) -> list[Path]:
        """The folder, unless it is indexed as it is."""
        inside = (
            folder.resolve().is_relative_to(source.resolve()) for source in self._upkeep.sources()
        )
        return [] if any(inside) else [folder]

    def _serve(self, indexed: Indexed) -> None:
        for name, reason in indexed.problems:
            log.warning("%s is not used: %s", name, reason)
        self._changed.set()
        pipeline = self._shelf.library().pipeline
        if indexed.store.id != pipeline.store.id:
            self._shelf.replace(pipeline.on(indexed.store))
            log.warning("serving %s articles now", f"{len(indexed.store.documents):,}")

    def _watch(self) -> None:
        while not self._shelf.opened.wait(_PAUSE / 1000):
            if self._stop.is_set():
                return
        while not self._stop.is_set():
            try:
                self.update()
            except RustQAError as error:
                log.error("the articles are served as they were before: %s", error)
            except Exception:
                log.exception("the articles are served as they were before")
            try:
                self._wait()
            except OSError as error:
                log.error("the articles cannot be watched (%s); looked for in a minute", error)
                self._stop.wait(_LOOKED_FOR / 1000)

    def _wait(self) -> None:
        """Returns when something changes in the folders."""
        from watchfiles import watch

        self._changed.clear()
        if self._stop.is_set():
            return
        # Looked up each time, as a file that was replaced is another one, too.
        folders = [source for source in self._upkeep.sources() if source.exists()]
        changes = watch(
            *folders,
            stop_event=self._changed,
            step=_PAUSE,
            debounce=_LONGEST_PAUSE,
            rust_timeout=_PAUSE,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for quiet, found in enumerate(changes):
            # What changed before the watch began is not told of.
            missed = quiet == 0 and self._upkeep.is_stale()
            if found or missed or quiet * _PAUSE >= _LOOKED_FOR:
                return


def _taken(indexed: Indexed, added: str, name: str) -> Document:
    """The article with the id `added`, of the file `name`; raises ArticleError if it is not in the
    index, or has driven out an older one with the same text."""
    for place, reason in indexed.repeats:
        same = re.fullmatch(r"the same text as the article '(.*)'; left out", reason)
        if same and (same[1] == added or _is_file(place, name)):
            raise RepeatedArticleError("the same text is there already, as another article")
    for place, reason in indexed.problems:
        if _is_file(place, name):
            raise ArticleError(f"this cannot be added: {reason}")
    found = indexed.store.documents.get(added)
    if found is None:
        raise ArticleError("an article of this title was removed before; choose another title")
    return found


def _is_file(place: str, name: str) -> bool:
    return place == name or place.endswith(f"/{name}")
