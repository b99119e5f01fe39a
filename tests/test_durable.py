"""What is written is on the disk before anything relies on it: a power cut costs nothing."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rustqa.drafts import Draft, DraftFolder
from rustqa.durable import make_folder, settle, settle_all, writing
from rustqa.feedback import FeedbackFile
from rustqa.onnx_cache import cached_folder, keep
from rustqa.store.folder import Origin, save_store
from rustqa.store.local import FaissStore
from rustqa.store.replacing import previous
from tiny_bert import tiny_exported

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").is_dir(), reason="what is open is looked up in /proc"
)

Event = tuple[str, Path]


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    """What is brought to the disk, what is renamed to which name, and what is removed, in order."""
    found: list[Event] = []
    fsync, rename, replace, rmtree = os.fsync, os.rename, os.replace, shutil.rmtree

    def record_fsync(handle: int) -> None:
        fsync(handle)
        found.append(("fsync", Path(os.readlink(f"/proc/self/fd/{handle}"))))

    def record_rename(source: Path, target: Path) -> None:
        found.append(("rename", Path(target)))
        rename(source, target)

    def record_replace(source: Path, target: Path) -> None:
        found.append(("rename", Path(target)))
        replace(source, target)

    def record_rmtree(path: Path, **options: Any) -> None:
        found.append(("remove", Path(path)))
        rmtree(path, **options)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "rename", record_rename)
    monkeypatch.setattr(os, "replace", record_replace)
    monkeypatch.setattr(shutil, "rmtree", record_rmtree)
    return found


def test_an_index_is_on_the_disk_before_the_old_one_is_let_go(
    folder: Path, other_store: FaissStore, events: list[Event]
) -> None:
    """Its files and their folder before either is renamed, the new name before the old index is
    removed."""
    save_store(other_store, folder, Origin(()))
    first = events.index(("rename", previous(folder)))
    settled = [path for what, path in events[:first] if what == "fsync"]
    [made] = {path.parent for path in settled if path.name == "vectors.npy"}
    assert {path.name for path in folder.iterdir()} == {p.name for p in settled if p.parent == made}
    assert made in settled
    assert [event for event in events[first:] if event[1] != made.parent] == [
        ("rename", previous(folder)),
        ("rename", folder),
        ("fsync", folder.parent),
        ("remove", previous(folder)),
    ]


def test_the_folders_of_a_first_index_are_on_the_disk(
    tmp_path: Path, other_store: FaissStore, events: list[Event]
) -> None:
    """Each in that which it lies in."""
    folder = tmp_path / "a" / "b" / "index"
    save_store(other_store, folder, Origin(()))
    settled = [path for what, path in events if what == "fsync"]
    assert set(settled[:2]) == {tmp_path, tmp_path / "a"}
    assert ("rename", folder) in events
    assert events.index(("rename", folder)) + 1 == events.index(("fsync", folder.parent), 3)


def test_an_article_added_is_on_the_disk(tmp_path: Path, events: list[Event]) -> None:
    """Its metadata first; each file before it has its name, and its name before it is relied on."""
    folder = DraftFolder(tmp_path)
    file = folder.write(Draft("Storm", "A storm felled the oak."), lambda _: False)
    whats = [(what, path.name) for what, path in events]
    scratch = [path.name for what, path in events if what == "fsync" and path.parent == tmp_path]
    assert whats == [
        ("fsync", scratch[0]),
        ("rename", "storm.toml"),
        ("fsync", tmp_path.name),
        ("fsync", scratch[1]),
        ("rename", "storm.txt"),
        ("fsync", tmp_path.name),
    ]
    assert file.name == "storm.txt"


def test_what_people_say_is_on_the_disk(tmp_path: Path, events: list[Event]) -> None:
    """The file's name when it is made, a line before it is kept."""
    file = tmp_path / "kept.jsonl"
    kept = FeedbackFile(file)
    assert events == [("fsync", tmp_path)]
    kept.keep({"number": 1})
    assert events[1:] == [("fsync", file)]


def test_an_encoder_kept_is_on_the_disk(tmp_path: Path, events: list[Event]) -> None:
    """Its files before they have their place."""
    keep(tmp_path / "cache", "a" * 64, tiny_exported())
    place = cached_folder(tmp_path / "cache", "a" * 64)
    renamed = events.index(("rename", place))
    settled = {path.name for what, path in events[:renamed] if what == "fsync"}
    assert settled >= {"model.onnx", "tokenizer.json", "checksums.json", "model"}
    assert events[renamed + 1] == ("fsync", place.parent)


def test_the_checksum_is_that_of_what_was_written(tmp_path: Path) -> None:
    """Of whatever kinds, in whatever parts; arrays are written as numpy writes them."""
    with writing(tmp_path / "file") as file:
        assert file.write(b"It ") == 3
        file.write(memoryview(b"rained."))
        file.write(np.arange(3, dtype=np.uint8).data)
    data = (tmp_path / "file").read_bytes()
    assert data == b"It rained.\x00\x01\x02"
    assert file.sha256 == hashlib.sha256(data).hexdigest()


def test_where_folders_cannot_be_settled_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with some file systems of other machines; any other error is one."""
    (tmp_path / "file").write_text("")
    fsync, code = os.fsync, errno.EINVAL

    def fail(handle: int) -> None:
        if Path(os.readlink(f"/proc/self/fd/{handle}")).is_dir():
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fail)
    settle_all(tmp_path)
    code = errno.EIO
    with pytest.raises(OSError, match="Input/output error"):
        settle_all(tmp_path)
    settle(tmp_path / "file")


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path, events: list[Event]) -> None:
    """Nothing is brought to the disk for it."""
    make_folder(tmp_path)
    assert events == []
