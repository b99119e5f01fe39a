"""Upkeep: the index follows its articles while it is served, and one can be added."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest

from fakes import FakeEncoder
from rustqa import upkeep as upkeep_module
from rustqa.drafts import Draft
from rustqa.errors import ArticleError, RepeatedArticleError, StoreError
from rustqa.indexing import Indexed
from rustqa.settings import Settings
from rustqa.shelf import Shelf
from rustqa.upkeep import Keeper, Upkeep, upkeep_of
from web_fixtures import FARM, kept_up, wait_until

FROST = "The river froze on Tuesday."
STORM = Draft("Storm fells oak", "A storm felled the oak of Saltby.", date="2024-07-14")


@contextmanager
def keeping(
    folder: Path, monkeypatch: pytest.MonkeyPatch, watch: bool = False
) -> Iterator[tuple[Keeper, Shelf, Upkeep]]:
    """A keeper of two articles, its shelf, and the upkeep."""
    pipeline, upkeep = kept_up(folder, monkeypatch, watch)
    shelf = Shelf(lambda: pipeline)
    assert shelf.opened.wait(10)
    keeper = Keeper(upkeep, shelf)
    yield keeper, shelf, upkeep
    keeper.close()


def ids(shelf: Shelf) -> list[str]:
    """The ids of the articles that are served."""
    return sorted(shelf.library().documents)


def test_an_article_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is written, indexed and served; the next start finds it, too."""
    with keeping(tmp_path, monkeypatch) as (keeper, shelf, upkeep):
        added = keeper.add(STORM)
        assert (added.id, added.title, added.date) == ("storm-fells-oak", STORM.title, STORM.date)
        assert ids(shelf) == ["farm", "storm-fells-oak", "town"]
        answer = shelf.library().pipeline.ask("What felled the oak?")
        assert answer.citations[0].document_id == added.id
        assert keeper.add(replace(STORM, text="Another storm came.")).id == "storm-fells-oak-2"
        assert not upkeep.is_stale()
        assert [source.name for source in upkeep.sources()] == ["articles", "added"]


def test_articles_are_added_inside_a_folder_that_is_indexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand in the index once, under the name they have there."""
    pipeline, _ = kept_up(tmp_path, monkeypatch)
    settings = replace(Settings.from_env({}), index=tmp_path / "index", encoder=FakeEncoder().name)
    upkeep = upkeep_of(settings, watch=False, add_to=tmp_path / "articles" / "new")
    shelf = Shelf(lambda: pipeline)
    assert shelf.opened.wait(10)
    assert Keeper(upkeep, shelf).add(STORM).id == "new-storm-fells-oak"
    assert ids(shelf) == ["farm", "new-storm-fells-oak", "town"]
    assert len(upkeep.sources()) == 1


@pytest.mark.parametrize("title", ["Harvest lost", "A harvest lost", "Zebra"])
def test_a_text_that_is_there_already_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, title: str
) -> None:
    """Whatever it is called; nothing is left of it, and the article that was there stays."""
    with keeping(tmp_path, monkeypatch) as (keeper, shelf, upkeep):
        before = shelf.library().pipeline.store.id
        with pytest.raises(RepeatedArticleError, match="the same text is there already"):
            keeper.add(Draft(title, FARM.upper()))
        assert shelf.library().pipeline.store.id == before
        assert list((tmp_path / "added").iterdir()) == []
        keeper.add(STORM)
        with pytest.raises(RepeatedArticleError):
            keeper.add(replace(STORM, title="A" if title == "Zebra" else "Z"))
        assert ids(shelf) == ["farm", "storm-fells-oak", "town"]
        assert not upkeep.is_stale()


def test_what_is_no_article_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder stays as it was."""
    with keeping(tmp_path, monkeypatch) as (keeper, shelf, _):
        with pytest.raises(ArticleError, match="no text"):
            keeper.add(replace(STORM, text=" "))
        assert list((tmp_path / "added").iterdir()) == []
        assert ids(shelf) == ["farm", "town"]


def test_an_article_that_cannot_be_indexed_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old index is served on."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)

    def fail(_: Sequence[Path]) -> Indexed:
        raise StoreError("the disk is full")

    shelf = Shelf(lambda: pipeline)
    assert shelf.opened.wait(10)
    with pytest.raises(StoreError, match="the disk is full"):
        Keeper(replace(upkeep, build=fail), shelf).add(STORM)
    assert list((tmp_path / "added").iterdir()) == []
    assert shelf.library().pipeline is pipeline


def test_one_update_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many want one."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    running: list[int] = []
    most: list[int] = []

    def build(add: Sequence[Path]) -> Indexed:
        running.append(1)
        most.append(len(running))
        indexed = upkeep.build(add)
        running.pop()
        return indexed

    shelf = Shelf(lambda: pipeline)
    assert shelf.opened.wait(10)
    keeper = Keeper(replace(upkeep, build=build, is_stale=lambda: True), shelf)
    drafts = [Draft(f"Day {number}", f"It rained on day {number}.") for number in range(4)]
    threads = [Thread(target=keeper.add, args=[draft]) for draft in drafts]
    threads += [Thread(target=keeper.update) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert max(most) == 1
    assert len(ids(shelf)) == 6


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are taken up soon."""
    monkeypatch.setattr(upkeep_module, "_PAUSE", 50)


@pytest.mark.usefixtures("quick")
def test_changes_are_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New, changed and removed articles, one after the other, while the old library is asked."""
    folder = tmp_path / "articles"
    with keeping(tmp_path, monkeypatch, watch=True) as (keeper, shelf, _):
        old = shelf.library()
        (folder / "frost.txt").write_text(FROST)
        wait_until(lambda: ids(shelf) == ["farm", "frost", "town"])
        (folder / "frost.txt").write_text(FROST.replace("Tuesday", "Wednesday"))
        wait_until(lambda: "Wednesday" in shelf.library().documents["frost"].text)
        (folder / "town.txt").unlink()
        wait_until(lambda: ids(shelf) == ["farm", "frost"])
        assert old.pipeline.ask("What did it cost in pounds?").status == "answered"
        keeper.add(STORM)
        (tmp_path / "added" / "hail.txt").write_text("It hailed on Thursday.")
        wait_until(lambda: "hail" in shelf.library().documents)


@pytest.mark.usefixtures("quick")
def test_what_changed_before_the_watch_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As between the opening of the index and then."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch, watch=True)
    (tmp_path / "articles" / "frost.txt").write_text(FROST)
    shelf = Shelf(lambda: pipeline)
    keeper = Keeper(upkeep, shelf)
    wait_until(lambda: shelf.opened.is_set() and "frost" in shelf.library().documents)
    keeper.close()


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("error", [StoreError("the disk is full"), ZeroDivisionError("a defect")])
def test_an_update_that_fails_is_logged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """Once for each change; the old articles are served on, and the next change is taken up."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch, watch=True)
    broken, folder = Event(), tmp_path / "articles"
    broken.set()

    def build(add: Sequence[Path]) -> Indexed:
        if broken.is_set():
            raise error
        return upkeep.build(add)

    shelf = Shelf(lambda: pipeline)
    assert shelf.opened.wait(10)
    keeper = Keeper(replace(upkeep, build=build), shelf)
    with caplog.at_level(logging.ERROR):
        (folder / "frost.txt").write_text(FROST)
        wait_until(lambda: "the articles are served as they were before" in caplog.text)
    assert str(error) in caplog.text
    assert ids(shelf) == ["farm", "town"]
    broken.clear()
    (folder / "hail.txt").write_text("It hailed on Thursday.")
    wait_until(lambda: ids(shelf) == ["farm", "frost", "hail", "town"])
    keeper.close()


def test_a_file_that_cannot_be_used_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are served."""
    with keeping(tmp_path, monkeypatch) as (keeper, shelf, _):
        (tmp_path / "articles" / "bad.txt").write_bytes(b"caf\xe9")
        (tmp_path / "articles" / "frost.txt").write_text(FROST)
        keeper.update()
        assert ids(shelf) == ["farm", "frost", "town"]
    assert "bad.txt is not used: not UTF-8 at byte 3" in caplog.text


def test_without_a_folder_nothing_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which only a defect could try."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch, add=False)
    with pytest.raises(StoreError, match="no folder"):
        Keeper(upkeep, Shelf(lambda: pipeline)).add(STORM)


def test_the_corpus_that_is_set_is_watched(tmp_path: Path) -> None:
    """Not what the index was made from."""
    settings = replace(Settings.from_env({}), corpus=tmp_path, index=tmp_path / "index")
    sources: Callable[[], Sequence[Path]] = upkeep_of(settings, watch=True, add_to=None).sources
    assert list(sources()) == [tmp_path]
    assert upkeep_of(replace(settings, corpus=None), True, None).sources() == ()
