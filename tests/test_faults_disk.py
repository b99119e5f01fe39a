"""A disk that is full or may not be written: what was there stays whole, and what to do is said."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faults import few_bytes_left, in_turn
from folder_fixtures import beside
from indexing_fixtures import write_articles
from rustqa import encoder
from rustqa.drafts import Draft, DraftFolder
from rustqa.encoder import PACKAGED, PACKAGED_SHA256, open_question_encoder
from rustqa.errors import AddingError, FeedbackError, InputError, StoreError
from rustqa.feedback import FeedbackFile
from rustqa.indexing import build_index
from rustqa.onnx_cache import keep, open_cached
from rustqa.settings import Settings
from rustqa.sources.reading import read_corpus
from rustqa.store.folder import load_store
from rustqa.store.replacing import previous
from tiny_bert import tiny_exported

STORM = Draft("Storm fells oak", "A storm felled the oak.\n\nNobody was hurt.")
LINE = {"question": "Who?", "answers": ["Ada Quill"]}


@contextmanager
def longest_file(size: int) -> Iterator[None]:
    """No longer file may be written by this process."""
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.fixture
def may_not_be_written(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody may write to, root neither."""
    folder = tmp_path / "fixed"
    folder.mkdir()
    for name in ("corpus", "cache", "added"):
        (folder / name).mkdir()
    (folder / "corpus" / "rain.txt").write_text("It rained on Monday.")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)
    folder.chmod(0o755)


def _forbid(folder: Path) -> None:
    if os.geteuid():
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        return
    for options in (["--bind"], ["-o", "remount,bind,ro"]):
        mount = ["mount", *options, str(folder), str(folder)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("permissions do not bind root, and nothing can be mounted here")


@pytest.fixture
def changed(settings: Settings, corpus: Path) -> tuple[str, str]:
    """The ids of an index and of that which its changed articles make."""
    old = build_index(settings).store.id
    kept = settings.index.with_name("kept")
    shutil.copytree(settings.index, kept)
    write_articles(corpus, rain="It rained on Tuesday.", snow="It snowed.")
    new = build_index(settings).store.id
    shutil.rmtree(settings.index)
    kept.rename(settings.index)
    return old, new


def _again(settings: Settings, kept: Path) -> None:
    for left in (settings.index, previous(settings.index)):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(kept, settings.index)


@pytest.mark.parametrize(("code", "every"), [(errno.ENOSPC, 1), (errno.EDQUOT, 7), (errno.EIO, 7)])
def test_without_room_at_any_step_the_old_index_stays(
    settings: Settings, changed: tuple[str, str], tmp_path: Path, code: int, every: int
) -> None:
    """Or the new one is there whole, where all that failed was to make it last; nothing is left
    beside it once there is room."""
    old, new = changed
    kept = tmp_path / "kept"
    shutil.copytree(settings.index, kept)
    mend = "make the folder writable" if code == errno.EIO else "make room there or name another"
    found = []
    messages: set[str] = set()

    def update() -> None:
        try:
            build_index(settings)
        except StoreError as error:
            messages.add(str(error))

    for disk in in_turn(update, code, every, lambda: _again(settings, kept)):
        found.append(load_store(settings.index).id)
        assert found[-1] in (old, new), disk.first
        # Where no more than one step failed it stands in its place.
        assert settings.index.is_dir() or not disk.alone
        if found[-1] == old:
            assert not (set(beside(settings.index)) - {"corpus", "kept", ".index-previous"})
        if disk.first % 5 == 0:
            build_index(settings)
            assert load_store(settings.index).id == new
            assert beside(settings.index) == ["corpus", "kept"]
    assert found.count(old) > 100 / every
    assert found.count(new) <= 2
    [message] = messages
    assert message.startswith(f"cannot write the index at {settings.index} ({os.strerror(code)}); ")
    assert mend in message


def test_on_a_small_disk_the_old_index_stays(
    settings: Settings, changed: tuple[str, str], small_disk: Path
) -> None:
    """However little room there is, until there is enough."""
    old, new = changed
    place = small_disk / "index"
    shutil.copytree(settings.index, place)
    shutil.copytree(settings.index.with_name("corpus"), small_disk / "corpus")
    settings = settings.override(index=place, corpus=small_disk / "corpus")
    messages = set()

    def update() -> bool:
        try:
            return build_index(settings).store.id == new
        except StoreError as error:
            messages.add(str(error))
            return False

    tries = 0
    for _ in few_bytes_left(small_disk, update):
        tries += 1
        assert load_store(place).id == old
        assert beside(place) == ["corpus"]
    assert load_store(place).id == new
    assert tries > 10
    assert messages == {
        f"cannot write the index at {place} (No space left on device); make room there or name "
        "another with --index"
    }


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_where_files_may_not_be_so_long_the_old_index_stays(
    settings: Settings, changed: tuple[str, str]
) -> None:
    """At every length up to that of the longest, by turns of a hundred bytes."""
    old, new = changed
    messages = set()
    tries = 0
    while load_store(settings.index).id == old:
        try:
            with longest_file(101 * tries):
                build_index(settings)
        except StoreError as error:
            messages.add(str(error).partition("(")[2])
            assert beside(settings.index) == ["corpus"]
        tries += 1
    assert load_store(settings.index).id == new
    assert messages == {"File too large); make room there or name another with --index"}
    assert tries > 10


def test_without_room_no_half_of_an_article_is_added(tmp_path: Path) -> None:
    """The message is for who added it; what was there is as it was."""
    folder = DraftFolder(tmp_path / "added")
    first = folder.write(STORM, lambda _: False)
    before = {file.name: file.read_bytes() for file in folder.path.iterdir()}
    messages = set()

    def add() -> None:
        try:
            folder.remove(folder.write(STORM, lambda _: False))
        except AddingError as error:
            messages.add(str(error))

    tries = sum(1 for _ in in_turn(add))
    assert tries > 20
    assert {file.name: file.read_bytes() for file in folder.path.iterdir()} == before
    assert first.read_text() == f"{STORM.text}\n"
    assert messages == {
        "the article could not be written (No space left on device); tell who runs this server to "
        "make room"
    }


def test_on_a_small_disk_no_half_of_an_article_is_added(small_disk: Path) -> None:
    """Until there is room for all of it."""
    folder = DraftFolder(small_disk / "added")
    draft = Draft("Storm", "A storm felled the oak. " * 1000, source="Saltby News")

    def add() -> bool:
        try:
            folder.write(draft, lambda _: False)
        except AddingError:
            return False
        return True

    tries = 0
    for _ in few_bytes_left(small_disk, add):
        tries += 1
        assert list(folder.path.iterdir()) == []
    assert tries > 3
    [document] = read_corpus(folder.path)
    assert (document.text, document.source) == (f"{draft.text}\n", "Saltby News")


def test_without_room_no_half_of_a_line_is_kept(tmp_path: Path) -> None:
    """What people said before is as it was."""
    kept = FeedbackFile(tmp_path / "kept.jsonl")
    messages: set[str] = set()
    written = [tries for tries, _ in enumerate(in_turn(lambda: _try(kept, messages)), start=1)]
    assert len(written) > 4
    # Of each of the two turns the last try finds room.
    assert (tmp_path / "kept.jsonl").read_text().count('"Ada Quill"]}\n') == 2
    assert (tmp_path / "kept.jsonl").read_text().count("\n") == 2
    assert messages == {
        "the feedback could not be written (No space left on device); tell who runs this server to "
        "make room"
    }


def _try(kept: FeedbackFile, messages: set[str]) -> bool:
    try:
        kept.keep(LINE)
    except FeedbackError as error:
        messages.add(str(error))
        return False
    return True


def test_on_a_small_disk_no_half_of_a_line_is_kept(small_disk: Path) -> None:
    """A line that is longer than what is left is taken back whole."""
    file = small_disk / "kept.jsonl"
    kept = FeedbackFile(file)
    kept.keep(LINE)
    first = file.read_text()
    long = {"question": "Who? " * 3000}

    def add() -> bool:
        try:
            kept.keep(long)
        except FeedbackError:
            return False
        return True

    tries = 0
    for _ in few_bytes_left(small_disk, add):
        tries += 1
        assert file.read_text() == first
    assert tries > 2
    assert file.read_text().count("\n") == 2


def test_half_a_line_that_a_kill_left_spoils_no_other(tmp_path: Path) -> None:
    """The next line begins a line."""
    file = tmp_path / "kept.jsonl"
    file.write_text('{"question": "Wh')
    FeedbackFile(file).keep(LINE)
    half, line = file.read_text().splitlines()
    assert half == '{"question": "Wh'
    assert line.startswith('{"question": "Who?"')


def test_without_room_no_half_of_an_encoder_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is used all the same, and what to do is logged."""
    monkeypatch.setattr(encoder, "packaged", lambda eight_bits: tiny_exported())
    cache = tmp_path / "cache"
    steps = 0

    def prepare() -> None:
        shutil.rmtree(cache, ignore_errors=True)
        assert open_question_encoder(PACKAGED, cache).encode(["w1"]).shape[0] == 1

    with caplog.at_level(logging.WARNING):
        for _ in in_turn(prepare):
            steps += 1
            assert (
                f"No space left on device; make room in {cache} or set RUSTQA_CACHE" in caplog.text
            )
            assert "the encoder cannot be kept: [Errno 28]" in caplog.text
            caplog.clear()
            opened = open_cached(cache, PACKAGED, PACKAGED_SHA256)
            files = [file.name for file in cache.rglob("*") if file.is_file()]
            assert (opened is None) == (files == [])
    assert steps > 20


def test_on_a_small_disk_an_encoder_is_kept_whole_or_not(small_disk: Path) -> None:
    """Nothing is left of what found no room."""
    cache = small_disk / "cache"

    def put() -> bool:
        try:
            keep(cache, PACKAGED_SHA256, tiny_exported())
        except OSError:
            return False
        return True

    tries = 0
    for _ in few_bytes_left(small_disk, put):
        tries += 1
        assert [file for file in cache.rglob("*") if file.is_file()] == []
    assert tries > 3
    assert open_cached(cache, "tiny", PACKAGED_SHA256) is not None


def test_a_place_that_may_not_be_written_serves_and_says_so(
    settings: Settings,
    may_not_be_written: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The index there is opened and the encoder used; whatever is to be written is refused."""
    place = may_not_be_written
    settings = settings.override(index=place / "index", corpus=place / "corpus")
    made = build_index(settings).store.id
    folder = DraftFolder(place / "added")
    kept = FeedbackFile(place / "kept.jsonl")
    _forbid(place)
    assert load_store(place / "index").id == made
    with pytest.raises(StoreError, match=r"cannot write the index .*; make the folder writable or"):
        build_index(settings, fresh=True)
    assert load_store(place / "index").id == made
    with pytest.raises(InputError, match=r"articles cannot be added there .*; name another folder"):
        DraftFolder(place / "added")
    with pytest.raises(AddingError, match=r"could not be written .*; tell who runs this server"):
        folder.write(STORM, lambda _: False)
    with pytest.raises(FeedbackError, match=r"could not be written .*; tell who runs this server"):
        kept.keep(LINE)
    with pytest.raises(InputError, match=r"feedback cannot be kept there .*; name another file"):
        FeedbackFile(place / "other.jsonl")
    monkeypatch.setattr(encoder, "packaged", lambda eight_bits: tiny_exported())
    with caplog.at_level(logging.WARNING):
        assert open_question_encoder(PACKAGED, place / "cache").encode(["w1"]).shape[0] == 1
    assert "the encoder cannot be kept" in caplog.text
    assert list((place / "added").iterdir()) == []
    assert (place / "kept.jsonl").read_text() == ""
