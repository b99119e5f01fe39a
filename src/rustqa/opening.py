"""Opens the pipeline: its networks load while everything else is imported and read."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from rustqa.errors import StoreError

if TYPE_CHECKING:
    from rustqa.pipeline import Pipeline
    from rustqa.settings import Settings

log = logging.getLogger(__name__)


def open_pipeline(settings: Settings, build: bool = False) -> Pipeline:
    """The pipeline over the index on disk, which with `build` is made anew if it is missing or
    stale, or over the collection that is set.

    Raises StoreError, EncoderError or ReaderError if a part of it cannot be used.
    """
    from rustqa.encoder import open_question_encoder
    from rustqa.reader import open_reader
    from rustqa.runtime import import_runtime

    # What the networks need of Python comes first, so that they load beside the rest. One thread,
    # as two would hold both files in memory at once.
    import_runtime()
    with ThreadPoolExecutor(1, "opening") as pool:
        reader = pool.submit(open_reader, settings.reader)
        encoder = pool.submit(open_question_encoder, settings.encoder, settings.cache)

        from rustqa.checking import open_store
        from rustqa.pipeline import Pipeline
        from rustqa.store.folder import spare_fault

        try:
            store = open_store(settings)
        except StoreError as error:
            if not (build and _can_be_made(settings)):
                pool.shutdown(cancel_futures=True)
                raise
            # What may have to be prepared for both is prepared once.
            encoder.result()
            log.warning("%s; building it now", str(error).partition(";")[0])
            from rustqa.indexing import build_index

            store = build_index(settings).store
        if not settings.store and (fault := spare_fault(settings.index, needed=False)):
            log.warning(fault)
        return Pipeline(store, encoder.result(), reader.result(), settings.threshold)


def check_settings(settings: Settings) -> None:
    """Raises InputError, EncoderError or ReaderError for what is set and can never be opened."""
    from rustqa.encoder import model_folder
    from rustqa.reader import DESCRIPTION, open_reader

    if settings.store:
        from rustqa.store.address import parse_address

        parse_address(settings.store)
    model_folder(settings.encoder)
    if not (settings.reader / DESCRIPTION).is_file():
        open_reader(settings.reader)


def _can_be_made(settings: Settings) -> bool:
    """Whether it is known what the index is made from; of a mistyped folder it is not."""
    from rustqa.settings import data_root
    from rustqa.store.folder import read_origin

    if settings.store:
        return False
    shipped = settings.index == data_root() / "index"
    return shipped or settings.corpus is not None or read_origin(settings.index) is not None
