"""A server as a process of its own, and what it holds of memory, threads and files."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_READY_S = 120
# Connections reach the workers by chance, and each gets ready by itself.
_READY_IN_A_ROW = 20
_PROC = Path("/proc")


class Server(NamedTuple):
    """A server that runs: its process, and its port on 127.0.0.1."""

    pid: int
    port: int


class Held(NamedTuple):
    """What processes hold together: resident memory, and of it files mapped into memory, both also
    with what is shared counted by its share (pss), in MiB; threads, and open files."""

    rss_mib: float
    rss_mapped_mib: float
    pss_mib: float
    pss_mapped_mib: float
    threads: int
    files: int


@contextmanager
def running(*options: str) -> Iterator[Server]:
    """`rustqa serve` with these options on a free port, ready to answer; raises OSError with what
    it said if it does not get ready."""
    # A file, as a pipe that nobody empties would hold up a server that logs.
    with tempfile.TemporaryFile("w+") as said:
        command = [sys.executable, "-m", "rustqa", "serve", "--port", "0", *options]
        with subprocess.Popen(command, stderr=said, env=os.environ) as process:
            try:
                yield Server(process.pid, _ready(process, said.fileno()))
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                except subprocess.TimeoutExpired:
                    process.kill()


def processes_of(pid: int) -> list[int]:
    """A process and those that it began, and so on."""
    children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text().split()
    return [pid, *(each for child in children for each in processes_of(int(child)))]


def held_by(pids: Sequence[int]) -> Held:
    """What these processes hold now."""
    return Held(*map(sum, zip(*map(_held, pids), strict=True)))


def number_waiting(port: int) -> int:
    """How many requests wait for their turn, as the server's metrics say; 0 if they do not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as reply:
            found = re.search(rb"^rustqa_requests_waiting(?:\{.*\})? (\d+)", reply.read(), re.M)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _held(pid: int) -> Held:
    place = _PROC / str(pid)
    shares = _fields((place / "smaps_rollup").read_text())
    status = _fields((place / "status").read_text())
    kib = (shares["Rss"], status["RssFile"], shares["Pss"], shares["Pss_File"])
    rss, mapped, pss, pss_mapped = (each / 1024 for each in kib)
    files = len(os.listdir(place / "fd"))
    return Held(rss, mapped, pss, pss_mapped, status["Threads"], files)


def _fields(text: str) -> dict[str, int]:
    """The numbers that stand behind a name and a colon."""
    return {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+)", text, re.M)}


def _ready(process: subprocess.Popen[bytes], said: int) -> int:
    """The port of a server that is ready to answer."""
    until = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < until:
        found = re.search(rb"serving on http://\S+:(\d+)/", os.pread(said, 2**20, 0))
        if found and _answers(int(found[1])):
            return int(found[1])
        time.sleep(0.1)
    told = os.pread(said, 2**20, 0).decode(errors="replace")
    raise OSError(f"rustqa serve did not get ready:\n{told}")


def _answers(port: int) -> bool:
    try:
        for _ in range(_READY_IN_A_ROW):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                pass
    except OSError:
        return False
    return True
