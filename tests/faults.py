"""What the tests of faults share: what is done to the disk, step by step, and who does it."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from fakes import REPOSITORY

Step = Callable[[str], None]
"""Is told what is about to be done to the disk; what it raises happens instead."""

_CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.truncate"}
_GROWS = {"open", "write", "fsync", "os.mkdir", "os.rename"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# Of a small disk what is left is taken so many bytes at a time: a page.
PAGE = 4096
# Python lets no audit hook be removed, so one serves whichever step is meant.
_steps: list[Step] = []
_hooked = False


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _steps and (event in _CHANGES or (event == "open" and _is_writing(*arguments))):
        _steps[-1](event)


def _is_writing(path: object, mode: object, flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & _WRITES) and path != os.devnull


@contextmanager
def told(step: Step) -> Iterator[None]:
    """Tells of each file that is opened to be written, written, brought to the disk, renamed or
    removed, and of each folder made or removed."""
    global _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    fsync, write = os.fsync, os.write

    def told_fsync(handle: int) -> None:
        step("fsync")
        fsync(handle)

    def told_write(handle: int, data: bytes) -> int:
        step("write")
        return write(handle, data)

    from rustqa.durable import Written

    written = Written.write

    def told_written(self: Written, data: bytes) -> int:
        step("write")
        return written(self, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", told_fsync)
        patch.setattr(os, "write", told_write)
        patch.setattr(Written, "write", told_written)
        _steps.append(step)
        try:
            yield
        finally:
            _steps.pop()


class FullDisk:
    """A step that finds no room from the `first` step on that needs some, or at that alone."""

    def __init__(self, first: int, alone: bool, code: int = errno.ENOSPC) -> None:
        """`seen` counts such steps, and `failed` those that found no room."""
        self.first = first
        self.alone = alone
        self.code = code
        self.seen = self.failed = 0

    def __call__(self, what: str) -> None:
        """Counts, and raises OSError."""
        if what in _GROWS:
            self.seen += 1
            if self.seen == self.first or (self.seen > self.first and not self.alone):
                self.failed += 1
                raise OSError(self.code, os.strerror(self.code))


def in_turn(
    try_it: Callable[[], object],
    code: int = errno.ENOSPC,
    every: int = 1,
    before: Callable[[], object] = lambda: None,
) -> Iterator[FullDisk]:
    """Tries it with no room at its first step that needs some, its second, and so on (or only at
    `every` so many); at that step alone, and from it on. Ends when it needs no more steps. Does
    what comes `before` each."""
    for alone in (True, False):
        before()
        for first in range(1, 1000, every):
            disk = FullDisk(first, alone, code)
            with told(disk):
                try_it()
            if not disk.failed:
                break
            yield disk
            before()


def few_bytes_left(disk: Path, try_it: Callable[[], bool]) -> Iterator[None]:
    """Tries it with nothing left of the disk, with a page, and so on until it succeeds."""
    ballast = disk / "ballast"
    for pages in range(1000):
        free = os.statvfs(disk)
        left = free.f_bavail * free.f_frsize - pages * PAGE
        ballast.write_bytes(bytes(max(0, left)))
        done = try_it()
        ballast.unlink()
        if done:
            return
        yield


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for little."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("nothing can be mounted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


class Ended(NamedTuple):
    """How a process ended: its exit code, negative if it was killed, what it printed, and the
    seconds it took."""

    code: int
    printed: str
    seconds: float


class Nursery:
    """Runs `rustqa` with the fake encoder in processes of their own, which start at once."""

    def __init__(self, place: Path) -> None:
        """Starts the process that they are children of; it keeps what they print in `place`."""
        self._place = place
        paths = os.pathsep.join(str(REPOSITORY / name) for name in ("src", "tests"))
        env = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )

    def run(
        self, *commands: Sequence[str | Path], after: float | None = None, step: int | None = None
    ) -> list[Ended]:
        """Runs the commands side by side. They are killed `after` so many seconds, or each at the
        step of this number that it does to the disk."""
        outputs = [str(self._place / f"printed-{number}") for number in range(len(commands))]
        order = {
            "commands": [[str(word) for word in command] for command in commands],
            "outputs": outputs,
            "after": after,
            "step": step,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        ended = json.loads(self._process.stdout.readline())
        texts = [Path(output).read_text() for output in outputs]
        return [Ended(code, text, took) for (code, took), text in zip(ended, texts, strict=True)]

    def close(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=30)


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Of the tests of a module."""
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


def _serve() -> None:
    """Does what it is told on standard input, a line of JSON at a time."""
    import tqdm  # noqa: F401

    from indexing_fixtures import use_fake_encoder
    from rustqa.cli import _parser
    from rustqa.settings import Settings
    from rustqa.store import nearest

    # What every child would have to import and compile is there already.
    nearest._faiss()
    _parser()
    Settings.from_env()
    metadata.version("numpy")
    use_fake_encoder(pytest.MonkeyPatch())
    for line in sys.stdin.buffer:
        order = json.loads(line)
        begun = time.perf_counter()
        pairs = zip(order["commands"], order["outputs"], strict=True)
        children = [_fork(command, output, order["step"]) for command, output in pairs]
        if order["after"] is not None:
            time.sleep(order["after"])
            for child in children:
                os.kill(child, signal.SIGKILL)
        ended = []
        for child in children:
            status = os.waitpid(child, 0)[1]
            took = time.perf_counter() - begun
            ended.append((os.waitstatus_to_exitcode(status), took))
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _fork(command: Sequence[str], output: str, at: int | None) -> int:
    child = os.fork()
    if child:
        return child
    with open(output, "w") as printed:
        os.dup2(printed.fileno(), 1)
        os.dup2(printed.fileno(), 2)
    from rustqa.cli import main

    seen = 0

    def kill(_: str) -> None:
        nonlocal seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    code = 70
    try:
        with told(kill):
            code = main(list(command))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
