"""An index that is replaced on disk is taken up by who serves it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from time import sleep

import pytest

from fakes import FakeEncoder
from indexing_fixtures import write_articles
from rustqa import following
from rustqa.checking import open_store
from rustqa.errors import LoadingError, NotReadyError
from rustqa.following import Follower, IndexOnDisk
from rustqa.indexing import build_index
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings
from rustqa.shelf import Shelf
from rustqa.types import PassageStore
from web_fixtures import WordReader, wait_until


class Served:
    """An index on disk that is served, and what its follower says of it."""

    def __init__(self, settings: Settings) -> None:
        self.index = IndexOnDisk(settings)
        self.wake = Event()
        self.told: list[bool] = []
        seen = self.index.stamp()
        self.shelf = Shelf(lambda: self.open(settings))
        self.follower = Follower(self.index, self.shelf, self.told.append, self.wake, seen)

    def open(self, settings: Settings) -> Pipeline:
        """The pipeline over the index."""
        return Pipeline(open_store(settings), FakeEncoder(), WordReader())

    def ids(self) -> set[str]:
        """The articles that are served."""
        library = self.shelf.held()
        return set(library.documents) if library else set()


def has_failed(shelf: Shelf) -> bool:
    """Whether nothing could be loaded."""
    try:
        shelf.library()
    except NotReadyError:
        return False
    except LoadingError:
        return True
    return False


@pytest.fixture
def served(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """An index of one article, looked at often."""
    monkeypatch.setattr(following, "_PAUSE", 0.02)
    build_index(settings)
    made = Served(settings)
    wait_until(made.shelf.opened.is_set)
    yield made
    made.follower.close()


def test_a_new_index_is_taken_up(served: Served, settings: Settings, corpus: Path) -> None:
    """By itself, while who still reads the old one goes on with it."""
    old = served.shelf.library()
    write_articles(corpus, snow="It snowed on Sunday.")
    build_index(settings)
    wait_until(lambda: served.ids() == {"rain", "snow"})
    wait_until(lambda: served.told == [True])
    assert old.pipeline.ask("When was Monday?").index_id != served.shelf.library().pipeline.store.id


def test_an_index_that_is_the_same_is_left_alone(
    served: Served, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither a new time of change nor being told to look makes it be served anew; who tells is
    answered."""
    library = served.shelf.library()
    (settings.index / "manifest.json").touch()
    sleep(0.2)
    assert caplog.text == ""
    served.wake.set()
    wait_until(lambda: "the one that is served already" in caplog.text)
    served.follower.close()
    assert served.shelf.library() is library
    assert served.told == []


def test_an_index_replaced_by_its_like_is_not_read(
    served: Served, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after the server itself has added an article: the id says that it is served already."""
    library, before = served.shelf.library(), served.index.stamp()
    opened: list[PassageStore] = []
    really = served.index.open

    def counted() -> PassageStore:
        opened.append(really())
        return opened[-1]

    monkeypatch.setattr(served.index, "open", counted)
    (settings.index / ".manifest.json").unlink()
    wait_until(lambda: len(opened) == 1)
    opened.clear()
    build_index(settings)
    sleep(0.2)
    assert before is not None
    after = served.index.stamp()
    assert after is not None
    assert after.folder != before.folder
    assert (opened, served.shelf.library()) == ([], library)


@pytest.mark.parametrize("told", [False, True])
def test_an_index_that_is_damaged_while_it_is_served(
    served: Served, settings: Settings, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Told to look or not, the log names what is damaged; whoever tells hears it again. Once the
    command has mended it, it is served anew, as what was mapped of the old one is damaged."""
    library = served.shelf.library()
    file = settings.index / "texts.txt"
    file.write_bytes(file.read_bytes()[::-1])
    if told:
        served.wake.set()
    wait_until(lambda: served.told[:1] == [False])
    assert "the articles are served as they were before" in caplog.text
    assert f"{file} is damaged; build it again: rustqa index --index" in caplog.text
    assert served.shelf.library() is library
    seen = len(served.told)
    served.wake.set()
    wait_until(lambda: len(served.told) > seen)
    assert "served already" not in caplog.text
    build_index(settings)
    wait_until(lambda: served.told[-1])
    assert served.shelf.library() is not library
    assert served.shelf.library().edition == library.edition


def test_an_index_that_comes_file_by_file(
    served: Served, settings: Settings, corpus: Path, tmp_path: Path
) -> None:
    """As when it is copied there: it is taken up once the last file has come."""
    write_articles(corpus, snow="It snowed on Sunday.")
    elsewhere = replace(settings, index=tmp_path / "elsewhere")
    build_index(elsewhere)
    files = sorted(elsewhere.index.iterdir(), key=lambda file: file.name != "manifest.json")
    for file in files:
        shutil.copy(file, settings.index / file.name)
        if file is files[0]:
            wait_until(lambda: served.told[:1] == [False])
    wait_until(lambda: served.ids() == {"rain", "snow"})


def test_nothing_ends_the_following(
    served: Served, settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """Not even a defect: the next index is taken up."""

    def fail() -> None:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(served.index, "open", fail)
        write_articles(corpus, snow="It snowed on Sunday.")
        build_index(settings)
        wait_until(lambda: served.told == [False])
        assert "ZeroDivisionError: a defect" in caplog.text
    write_articles(corpus, hail="It hailed on Friday.")
    build_index(settings)
    wait_until(lambda: served.ids() == {"rain", "snow", "hail"})


def test_a_damaged_index_is_not_taken_up(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """The log names what is damaged, and the articles are served as before until it is mended."""
    monkeypatch.setattr(following, "_PAUSE", 60)
    build_index(settings)
    made = Served(settings)
    try:
        wait_until(made.shelf.opened.is_set)
        write_articles(corpus, snow="It snowed on Sunday.")
        build_index(settings)
        (settings.index / "texts.txt").write_bytes(b"rain")
        made.wake.set()
        wait_until(lambda: made.told == [False])
        assert "served as they were before" in caplog.text
        assert "texts.txt is damaged; build it again: rustqa index --index" in caplog.text
        assert made.ids() == {"rain"}
        build_index(settings)
        made.wake.set()
        wait_until(lambda: made.ids() == {"rain", "snow"})
    finally:
        made.follower.close()


def test_what_could_not_be_loaded_is_tried_again(
    settings: Settings, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once there is an index, without the server being started anew."""
    monkeypatch.setattr(following, "_PAUSE", 0.02)
    made = Served(settings)
    try:
        wait_until(lambda: has_failed(made.shelf))
        build_index(settings)
        wait_until(lambda: made.ids() == {"rain"})
    finally:
        made.follower.close()
