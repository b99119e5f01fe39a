"""The library that is served: opened in a thread of its own, and replaced whole while serving."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, Thread

from rustqa.errors import LoadingError, NotReadyError, RustQAError
from rustqa.library import Library
from rustqa.pipeline import Pipeline

log = logging.getLogger(__name__)


class Shelf:
    """Holds one library at a time; a request keeps the one that it began with."""

    def __init__(self, open_pipeline: Callable[[], Pipeline]) -> None:
        """Begins to open the pipeline at once, so that the server can listen meanwhile."""
        self._open_pipeline = open_pipeline
        self._library: Library | None = None
        self._failed = False
        self.opened = Event()
        # Set once it is opened, or cannot be.
        self.settled = Event()
        self.open()

    def open(self) -> None:
        """Begins to open the pipeline, again if that failed before."""
        self._failed = False
        Thread(target=self._run, name="loading", daemon=True).start()

    def library(self) -> Library:
        """The articles; raises NotReadyError before they are loaded, LoadingError if they cannot
        be."""
        if self._library is not None:
            return self._library
        if self._failed:
            raise LoadingError
        raise NotReadyError(
            "the articles are still being loaded; try again in a moment", {"Retry-After": "2"}
        )

    def held(self) -> Library | None:
        """The articles, if there are any yet."""
        return self._library

    def replace(self, pipeline: Pipeline) -> None:
        """Serves this one from now on."""
        library = Library(pipeline)
        self._library = library
        self._find_suggestions(library)

    def _run(self) -> None:
        try:
            self._library = Library(self._open_pipeline())
        except RustQAError as error:
            log.error("loading failed: %s", error)
            self._failed = True
        # A panic in a compiled library is no Exception, and must not leave the page waiting.
        except BaseException:
            log.exception("loading failed")
            self._failed = True
        else:
            self.opened.set()
        finally:
            self.settled.set()
        if self.opened.is_set():
            self._find_suggestions(self.library())

    def _find_suggestions(self, library: Library) -> None:
        """They are asked for soon, and take longer than an answer."""
        try:
            library.suggestions(library.first.id)
        except RustQAError as error:
            log.error("no questions can be suggested: %s", error)
