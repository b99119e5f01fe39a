"""Takes up an index that was replaced on disk while it is served."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from threading import Event, Thread
from typing import NamedTuple

from rustqa.checking import open_index
from rustqa.errors import NotReadyError, RustQAError
from rustqa.settings import Settings
from rustqa.shelf import Shelf
from rustqa.store.folder import present, read_manifest
from rustqa.types import PassageStore

log = logging.getLogger(__name__)

# Seconds between two looks.
_PAUSE = 1.0


class Stamp(NamedTuple):
    """The number of the index's folder, which is another once the index is replaced as a whole, and
    number, time of change and size of its files."""

    folder: int
    files: tuple[tuple[int, int, int], ...]


class IndexOnDisk:
    """The index that a server follows: whether it is another by now, and how it is opened."""

    def __init__(self, settings: Settings) -> None:
        """Opens nothing yet."""
        self._settings = settings

    def stamp(self) -> Stamp | None:
        """Equal as long as the index is the same; None while there is none."""
        try:
            folder = present(self._settings.index)
            # Of every file, as they may be copied there one after the other.
            with os.scandir(folder) as entries:
                found = [(folder / "manifest.json").stat(), *(entry.stat() for entry in entries)]
            number = folder.stat().st_ino
        except OSError:
            return None
        files = sorted((file.st_ino, file.st_mtime_ns, file.st_size) for file in found)
        return Stamp(number, tuple(files))

    def id(self) -> str:
        """The id of the index; raises StoreError if it cannot be read."""
        return str(read_manifest(self._settings.index)["id"])

    def open(self) -> PassageStore:
        """The index, checked; raises StoreError or EncoderError."""
        return open_index(self._settings)


class Follower:
    """Looks after the index in a thread of its own; a request keeps the index it began with."""

    def __init__(
        self, index: IndexOnDisk, shelf: Shelf, reloaded: Callable[[bool], None], wake: Event,
        seen: Stamp | None,
    ) -> None:  # fmt: skip
        """Begins at once. `reloaded` is told whether an index could be taken up, `wake`, once it
        is set, makes it be looked at even if it seems to be the same, and `seen` is its stamp
        before the shelf was opened."""
        self._index = index
        self._shelf = shelf
        self._reloaded = reloaded
        self._wake = wake
        self._stop = False
        self._seen = seen
        # Whether it was damaged last: then what is mapped of it may be, even if its id is the same.
        self._failed = False
        self._thread = Thread(target=self._run, name="following", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the following; an index that is being loaded is not waited for."""
        self._stop = True
        self._wake.set()
        self._thread.join(_PAUSE)

    def _run(self) -> None:
        while True:
            told = self._wake.wait(_PAUSE)
            self._wake.clear()
            if self._stop:
                return
            stamp = self._index.stamp()
            if told and stamp is None:
                log.error("the articles are served as they were before: there is no index any more")
                self._reloaded(False)
            elif (told or stamp != self._seen) and stamp is not None and self._take_up(stamp, told):
                self._seen = stamp

    def _take_up(self, stamp: Stamp, told: bool) -> bool:
        """Whether it was looked at; while the first is loading it is too early. Who has
        `told` to look is answered even if the index is the same."""
        try:
            pipeline = self._shelf.library().pipeline
        except NotReadyError:
            return False
        except RustQAError:
            # What could not be loaded before may be in order now.
            self._shelf.open()
            return True
        try:
            replaced = self._seen is not None and self._seen.folder != stamp.folder
            sound = replaced and not told and not self._failed
            # As by the server's own upkeep, which serves it already.
            if sound and self._index.id() == pipeline.store.id:
                return True
            store = self._index.open()
            if store.id == pipeline.store.id and not self._failed:
                if told:
                    log.warning("the index is whole, and is the one that is served already")
                return True
            self._shelf.replace(pipeline.on(store))
        except RustQAError as error:
            log.error("the articles are served as they were before: %s", error)
            self._failed = True
        except Exception:
            log.exception("the articles are served as they were before")
            self._failed = True
        else:
            log.warning("serving %s articles now", f"{len(store.documents):,}")
            self._failed = False
        self._reloaded(not self._failed)
        return True
