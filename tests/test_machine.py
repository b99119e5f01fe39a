"""The machine: what it gives, and what to do where that is too little."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from shutil import disk_usage

import pytest

from faults import told
from rustqa import machine
from rustqa.machine import (
    MachineError,
    available_memory,
    disk,
    libraries,
    memory,
    replaceable,
    try_writing,
)


@pytest.mark.parametrize(
    ("variables", "usable", "fault"),
    [
        ({}, 4, None),
        ({"OMP_NUM_THREADS": "4", "OPENBLAS_NUM_THREADS": "1"}, 4, None),
        ({"OMP_NUM_THREADS": "many"}, 4, None),
        ({"OMP_NUM_THREADS": "8"}, 4, "OMP_NUM_THREADS=8 starts more threads than the 4"),
        ({"OMP_NUM_THREADS": "9" * 5000}, 4, "; export OMP_NUM_THREADS=4"),
        ({"OMP_NUM_THREADS": "2,8"}, 4, None),
        ({"OPENBLAS_NUM_THREADS": "5"}, 4, "; export OPENBLAS_NUM_THREADS=4"),
        ({}, 2, "libraries start 4 threads; export OMP_NUM_THREADS=2"),
        ({"OMP_NUM_THREADS": "2"}, 2, None),
    ],
)
def test_threads(
    variables: dict[str, str], usable: int, fault: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more are started than there are processors, nor than a container has the time of."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(machine, "allowed_processors", lambda: 4)
    monkeypatch.setattr(machine, "processors", lambda: usable)
    if fault is None:
        assert machine.threads().startswith(f"{usable} of the machine's")
    else:
        with pytest.raises(MachineError) as error:
            machine.threads()
        assert fault in str(error.value)
        assert len(str(error.value)) < 200


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Program and index have to fit into what is free; where that is not known nothing is amiss."""
    monkeypatch.setattr(machine, "available_memory", lambda: 300 << 20)
    assert "300 MiB free" in memory(100 << 20)
    with pytest.raises(MachineError, match="give the machine or the container more"):
        memory(101 << 20)
    monkeypatch.setattr(machine, "available_memory", lambda: None)
    assert "cannot be told" in memory(1 << 50)


def test_a_container_may_have_less_memory_than_its_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The lesser counts."""
    monkeypatch.setattr(machine, "memory_left", lambda: 12345)
    assert available_memory() == 12345
    monkeypatch.setattr(machine, "memory_left", lambda: 1 << 62)
    free = available_memory()
    assert free is not None
    assert free < 1 << 62 or not Path("/proc/meminfo").exists()


def test_disk(tmp_path: Path) -> None:
    """A new index has to fit beside the old one, also where there is none yet."""
    assert disk(tmp_path / "new" / "index", 1 << 20).endswith("1 MiB to index anew")
    with pytest.raises(MachineError, match="make room or name another place with --index"):
        disk(tmp_path / "index", disk_usage(tmp_path).total)


def test_an_index_can_be_replaced(tmp_path: Path) -> None:
    """Trying it leaves nothing, and the index as it was."""
    index = tmp_path / "index"
    index.mkdir()
    (index / "manifest.json").write_text("{}")
    assert replaceable(index) == f"{index} can be replaced"
    assert replaceable(tmp_path / "new" / "other").endswith("can be replaced")
    assert [path.name for path in tmp_path.rglob("*")] == ["index", "manifest.json"]


@pytest.mark.parametrize("failing", ["mkdtemp", "rename"])
def test_an_index_that_cannot_be_replaced(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether nothing can be made there or nothing renamed, it is said how to mend it."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    where = {"mkdtemp": "tempfile.mkdtemp", "rename": "pathlib.Path.rename"}[failing]
    monkeypatch.setattr(where, refuse)
    with pytest.raises(MachineError, match=r"\(Read-only file system\).*: chmod u\+w"):
        replaceable(tmp_path / "index")
    assert list(tmp_path.iterdir()) == []


def test_a_mount_point_cannot_be_replaced() -> None:
    """As the folder of a container's volume, in whose place nothing can be moved."""
    mounted = next(
        (Path(line.split()[4]) for line in _mounts() if line.split()[4] != "/"), Path("/")
    )
    with pytest.raises(MachineError, match="is a mount point"):
        replaceable(mounted)


def _mounts() -> list[str]:
    file = Path("/proc/self/mountinfo")
    return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def stated(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[str]], None]:
    """States what rustqa needs; of numpy there is 2.0, of qdrant-client 0.1, of no other any."""
    installed = {"numpy": "2.0", "qdrant-client": "0.1", "rustqa": "1"}

    def version(name: str) -> str:
        if name not in installed:
            raise PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(machine, "version", version)
    return lambda lines: monkeypatch.setattr(machine, "requires", lambda _name: lines)


def test_libraries(stated: Callable[[list[str]], None]) -> None:
    """Those of versions that were not tried are named with what installs others; those of extras
    that are not used and of other systems are left aside."""
    extra = "qdrant-client>=1; extra == 'qdrant'"
    stated(["numpy<3,>=1", extra, "pywin32; sys_platform == 'never'"])
    assert libraries() == "of the versions that rustqa 1 works with"
    with pytest.raises(MachineError) as error:
        libraries(["qdrant"])
    assert str(error.value) == "qdrant-client 0.1; run: pip install 'qdrant-client>=1'"
    stated(["numpy<2,>=1", "faiss-cpu<2"])
    with pytest.raises(MachineError) as error:
        libraries()
    assert str(error.value) == (
        "numpy 2.0, faiss-cpu is missing; run: pip install 'numpy<2,>=1' 'faiss-cpu<2'"
    )


def test_a_folder_is_written_to(tmp_path: Path) -> None:
    """Nothing is left there, and nothing that goes for an article was there."""
    names: list[str] = []
    settled = os.fsync

    def seen(handle: int) -> None:
        names.extend(path.name for path in tmp_path.iterdir())
        settled(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", seen)
        try_writing(tmp_path, "name another")
    assert [name[:8] for name in names] == [".rustqa-"]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_yet_is_named(tmp_path: Path) -> None:
    """Though it is tried where it would be made, even below what may not be looked at."""
    (tmp_path / "file").write_text("")
    try_writing(tmp_path / "a" / "b", "name another")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(MachineError, match="file/b cannot be written") as error:
        try_writing(tmp_path / "file" / "b", "name another")
    assert str(error.value).endswith("; make it writable or name another")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "stat", refuse)
        assert machine.nearest(tmp_path / "a") == tmp_path


def test_a_full_disk_is_found(small_disk: Path) -> None:
    """Though its permissions say that it can be written."""
    try_writing(small_disk, "name another")
    with suppress(OSError), (small_disk / "ballast").open("wb") as ballast:
        ballast.write(bytes(1 << 20))
    with pytest.raises(MachineError) as error:
        try_writing(small_disk, "name another")
    assert str(error.value) == (
        f"{small_disk} cannot be written (No space left on device); make room there or name another"
    )
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("step", ["open", "fsync"])
@pytest.mark.parametrize(
    ("code", "said"),
    [
        (errno.EROFS, "(Read-only file system); make it writable or name another"),
        (errno.EDQUOT, "(Disk quota exceeded); make room there or name another"),
    ],
)
def test_what_the_system_says_is_passed_on(step: str, code: int, said: str, tmp_path: Path) -> None:
    """Whether the file cannot be made or not be brought to the disk."""

    def fail(what: str) -> None:
        if what == step:
            raise OSError(code, os.strerror(code))

    with told(fail), pytest.raises(MachineError) as error:
        try_writing(tmp_path, "name another")
    assert str(error.value).endswith(said)
    assert list(tmp_path.iterdir()) == []
