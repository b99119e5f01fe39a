"""The index folder is replaced whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from folder_fixtures import beside, sources_of
from rustqa.durable import Written, writing
from rustqa.errors import StoreError
from rustqa.store import folder as folder_module
from rustqa.store.folder import (
    Origin,
    load_store,
    save_store,
)
from rustqa.store.local import FaissStore
from rustqa.store.replacing import locked, previous


def test_a_save_replaces_the_old_index(folder: Path, other_store: FaissStore) -> None:
    """The new index stands in its place and nothing is left beside it."""
    save_store(other_store, folder, Origin((folder,)))
    assert load_store(folder).id == other_store.id
    assert beside(folder) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_old_index(
    folder: Path,
    fake_store: FaissStore,
    other_store: FaissStore,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    """A full disk or an impatient user costs nothing but the new index."""

    @contextmanager
    def fail(file: Path) -> Iterator[Written]:
        if file.name == "documents.jsonl":
            raise error
        with writing(file) as written:
            yield written

    monkeypatch.setattr(folder_module, "writing", fail)
    expected = StoreError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        save_store(other_store, folder, Origin((folder,)))
    assert load_store(folder).id == fake_store.id
    assert beside(folder) == []


@pytest.fixture
def cut_off(folder: Path, other_store: FaissStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose replacement was cut off between the two renames."""
    rename = Path.rename

    def crash(source: Path, target: Path) -> Path:
        if target == folder:
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            save_store(other_store, folder, Origin((folder.parent,)))
    assert not folder.exists()
    return folder


def test_a_crash_between_the_renames_is_recovered(cut_off: Path, fake_store: FaissStore) -> None:
    """The old index serves on from where it was put aside, and still knows its articles."""
    assert load_store(cut_off).id == fake_store.id
    assert sources_of(cut_off) == (cut_off.parents[1] / "corpus",)


def test_a_save_after_a_crash_leaves_nothing_behind(cut_off: Path, other_store: FaissStore) -> None:
    """The next index takes its place and the one put aside is removed."""
    save_store(other_store, cut_off, Origin((cut_off,)))
    assert load_store(cut_off).id == other_store.id
    assert beside(cut_off) == []


def test_a_crash_before_the_clearing_up_is_no_hindrance(
    folder: Path, other_store: FaissStore
) -> None:
    """An index put aside earlier does not stand in the way of the next save."""
    shutil.copytree(folder, folder.with_name(".index-previous"))
    save_store(other_store, folder, Origin((folder,)))
    assert load_store(folder).id == other_store.id
    assert beside(folder) == []


def test_a_link_to_an_index_stays_a_link(folder: Path, other_store: FaissStore) -> None:
    """The index a link points at is replaced, time and again."""
    link = folder.parents[1] / "link"
    link.symlink_to(folder)
    for _ in range(2):
        save_store(other_store, link, Origin((folder.parent,)))
    assert link.is_symlink()
    assert load_store(folder).id == other_store.id
    assert sources_of(link) == (folder.parent,)
    assert beside(folder) == []


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path, fake_store: FaissStore) -> None:
    """--index pointed at the wrong folder destroys nothing; an empty folder will do."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="holds other files; name an empty or new folder"):
        save_store(fake_store, tmp_path, Origin((tmp_path,)))
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    save_store(fake_store, tmp_path / "empty", Origin((tmp_path,)))
    assert load_store(tmp_path / "empty").id == fake_store.id


def test_a_place_under_a_file_is_refused(tmp_path: Path, fake_store: FaissStore) -> None:
    """The error names the place and the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write the index at .*file/index .*with --index"):
        save_store(fake_store, tmp_path / "file" / "index", Origin((tmp_path,)))


def test_a_read_only_place_is_refused(
    folder: Path, fake_store: FaissStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on and the index that is there stays."""

    def refuse(**_: object) -> str:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(StoreError, match=r"Read-only file system.*make the folder writable"):
        save_store(fake_store, folder, Origin((folder,)))
    assert load_store(folder).id == fake_store.id


def test_what_the_system_hides_in_a_folder_is_no_hindrance(
    folder: Path, other_store: FaissStore
) -> None:
    """As file managers do."""
    (folder / ".DS_Store").write_text("")
    save_store(other_store, folder, Origin(()))
    assert load_store(folder).id == other_store.id


def test_an_index_that_is_replaced_while_it_is_opened_is_opened_anew(
    folder: Path, other_store: FaissStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are of one index, whenever the other came."""
    opened = folder_module._checked

    def replace_behind(place: Path, digests: dict[str, str]) -> dict[str, bytes | None]:
        data = opened(place, digests)
        monkeypatch.undo()
        monkeypatch.setattr(folder_module, "_READ", 0)
        save_store(other_store, folder, Origin(()))
        return data

    monkeypatch.setattr(folder_module, "_READ", 0)
    monkeypatch.setattr(folder_module, "_checked", replace_behind)
    loaded = load_store(folder)
    assert loaded.id == other_store.id
    assert dict(loaded.documents) == dict(other_store.documents)


def test_an_index_that_is_put_aside_while_it_is_opened_is_opened_from_there(
    folder: Path, fake_store: FaissStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its two renames a save leaves no moment at which there is no index."""

    def put_aside(place: Path) -> FaissStore:
        place.rename(previous(place))
        monkeypatch.undo()
        raise StoreError("vectors.npy: missing")

    monkeypatch.setattr(folder_module, "_load", put_aside)
    assert load_store(folder).id == fake_store.id


def test_what_stands_beside_an_index_is_left_alone(folder: Path, tmp_path: Path) -> None:
    """Only what this index's own saves left there is cleared away."""
    names = (".index-2-abcdefgh/new", ".index-2-previous", ".index-notes", ".index-12345678/more")
    kept = [folder.parent / name for name in names]
    gone = [folder.parent / name for name in (".index-abc_efg8/new", ".index-87654321")]
    for path in (*kept, *gone, previous(folder)):
        path.mkdir(parents=True)
    with locked(folder):
        assert all(path.is_dir() for path in kept)
        assert not any(path.exists() for path in (*gone, previous(folder)))
    assert load_store(folder)


def test_an_index_that_was_put_aside_is_put_back(cut_off: Path, fake_store: FaissStore) -> None:
    """By the next run, even one that has nothing to write."""
    with locked(cut_off):
        assert cut_off.is_dir()
    assert load_store(cut_off).id == fake_store.id
    assert beside(cut_off) == []
