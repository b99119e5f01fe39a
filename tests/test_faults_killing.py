"""An index that is being made when its process is killed: the old or the new one, never a mix."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import NamedTuple

import pytest

from fakes import FakeEncoder
from faults import Nursery
from indexing_fixtures import write_articles
from rustqa.errors import StoreError
from rustqa.store.folder import load_store
from rustqa.types import Document

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")

KILLS = 50
Whole = tuple[str, Mapping[str, Document]]


class Place(NamedTuple):
    """An index of three articles, of which one has changed since and another is gone; further
    articles; the index as it was, put aside; and what is in it before and after each command."""

    folder: Path
    kept: Path
    commands: Mapping[str, list[str | Path]]
    before: Whole
    after: Mapping[str, Whole]

    def reset(self) -> None:
        """Puts the index as it was in place, and nothing beside it."""
        for path in self.folder.parent.iterdir():
            if path.name.startswith(".index") or path == self.folder:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.kept, self.folder)

    def beside(self) -> list[str]:
        """What lies beside the index that does not belong there."""
        known = {self.folder.name, "corpus", "more", "kept"}
        return sorted(path.name for path in self.folder.parent.iterdir() if path.name not in known)


def _whole(index: Path) -> Whole:
    """The id and the articles of the index, which is checked as it is loaded."""
    store = load_store(index)
    assert len(store.search(FakeEncoder().encode(["rain"]), [["rain"]], 5).passages)
    return store.id, dict(store.documents)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, nursery: Nursery) -> Place:
    """One for the tests of this module."""
    root = tmp_path_factory.mktemp("killing")
    corpus, more, index = root / "corpus", root / "more", root / "index"
    rain = {f"rain{day}": f"It rained on day {day}. Ada slept.\n\nNo one left." for day in range(9)}
    write_articles(corpus, frost="It froze in May.", **rain)
    write_articles(more, **{f"snow{day}": f"It snowed on day {day}." for day in range(9)})
    of_all: list[str | Path] = ["--index", index, "--encoder", "fake"]
    [made] = nursery.run(["index", corpus, *of_all])
    assert made.code == 0, made.printed
    shutil.copytree(index, root / "kept")
    write_articles(corpus, rain1="It rained no more.", thaw="It thawed in June.")
    (corpus / "frost.txt").unlink()
    commands = {"index": ["index", *of_all], "add": ["index", "add", more, *of_all]}
    before = _whole(index)
    after: dict[str, Whole] = {}
    found = Place(index, root / "kept", commands, before, after)
    for name, command in commands.items():
        found.reset()
        [made] = nursery.run(command)
        assert made.code == 0, made.printed
        after[name] = _whole(index)
    assert len({before[0], *(whole[0] for whole in after.values())}) == 3
    return found


def _is_survived(place: Place, nursery: Nursery, name: str) -> str:
    """Checks what a kill left, and that the same command then works; says which index it left."""
    left = _whole(place.folder)
    assert left in (place.before, place.after[name])
    [again] = nursery.run(place.commands[name])
    assert again.code == 0, again.printed
    assert _whole(place.folder) == place.after[name]
    assert place.beside() == []
    return "old" if left == place.before else "new"


def test_a_kill_at_any_moment_leaves_the_old_index_or_the_new(
    place: Place, nursery: Nursery
) -> None:
    """Fifty times, bringing it up to date and adding to it; the next run clears what is left."""
    chance = random.Random(7)  # noqa: S311
    took = {}
    for name, command in place.commands.items():
        place.reset()
        took[name] = nursery.run(command)[0].seconds
    found: Counter[str] = Counter()
    for number in range(KILLS):
        name = ("index", "add")[number % 2]
        place.reset()
        moment = chance.uniform(0, 1.2 * took[name])
        [ended] = nursery.run(place.commands[name], after=moment)
        found["killed" if ended.code == -9 else "too late"] += 1
        found["with leftovers"] += bool(place.beside())
        found[_is_survived(place, nursery, name)] += 1
    assert found["killed"] > KILLS / 2
    assert found["with leftovers"] > 0
    assert found["old"] > 0


@pytest.mark.parametrize(("name", "every"), [("index", 3), ("add", 7)])
def test_a_kill_before_each_step_leaves_the_old_index_or_the_new(
    place: Place, nursery: Nursery, name: str, every: int
) -> None:
    """Each file opened, written, brought to the disk, renamed or removed, in turn."""
    found: Counter[str] = Counter()
    for step in range(1, 500, every):
        place.reset()
        [ended] = nursery.run(place.commands[name], step=step)
        if ended.code == 0:
            break
        assert ended.code == -9, ended.printed
        found[_is_survived(place, nursery, name)] += 1
    assert found["old"] > 20 / every
    assert found["new"] > 5 / every


def test_a_kill_before_each_step_of_the_first_index_leaves_none_or_a_whole_one(
    place: Place, nursery: Nursery
) -> None:
    """And the next run makes it."""
    command: list[str | Path] = [
        "index",
        place.folder.parent / "more",
        "--index",
        place.folder,
        "--encoder",
        "fake",
    ]
    none = whole = 0
    for step in range(1, 500, 5):
        place.reset()
        shutil.rmtree(place.folder)
        [ended] = nursery.run(command, step=step)
        if ended.code == 0:
            break
        assert ended.code == -9, ended.printed
        try:
            _whole(place.folder)
            whole += 1
        except StoreError as error:
            assert f"no index at {place.folder}; build it" in str(error)  # noqa: PT017
            none += 1
        [again] = nursery.run(command)
        assert again.code == 0, again.printed
        assert len(_whole(place.folder)[1]) == 9
        assert place.beside() == []
    assert none > 5
    assert none + whole > 10


def test_of_two_that_index_at_once_one_waits_for_its_turn(place: Place, nursery: Nursery) -> None:
    """Twenty times, one is told that another is at it or both come one after the other; the index
    is whole, and holds what the last of them made."""
    refused = 0
    for _ in range(20):
        place.reset()
        both = nursery.run(place.commands["index"], place.commands["index"])
        for ended in both:
            assert ended.code in (0, 3), ended.printed
            if ended.code == 3:
                refused += 1
                assert f"another process is making the index at {place.folder}" in ended.printed
                assert "try again when it is done" in ended.printed
        assert min(ended.code for ended in both) == 0
        assert _whole(place.folder) == place.after["index"]
        assert place.beside() == []
    assert refused > 0


def test_whoever_opens_the_index_meanwhile_finds_a_whole_one(
    place: Place, nursery: Nursery
) -> None:
    """At any moment of twenty replacements, the old one or the new."""
    found: Counter[str] = Counter()
    stop = Event()

    def open_again_and_again() -> None:
        while not stop.is_set():
            found[load_store(place.folder).id] += 1

    place.reset()
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(open_again_and_again)
        for _ in range(10):
            for name in ("index", "add"):
                sources = ["corpus", "more"] if name == "add" else ["corpus"]
                paths = [place.folder.parent / source for source in sources]
                [ended] = nursery.run(["index", *paths, *place.commands["index"][1:]])
                assert ended.code == 0, ended.printed
        stop.set()
        opening.result()
    assert found.keys() <= {place.before[0], *(whole[0] for whole in place.after.values())}
    assert len(found) > 1
