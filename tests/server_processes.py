"""What the tests of the running server share: `rustqa serve` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from web_fixtures import wait_until

PROGRAM = [sys.executable, "-m", "rustqa"]


class Process:
    """A server that runs, its address, and what it wrote in the end."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.log = ""

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rstrip("/").rpartition(":")[2])

    def get(self, path: str) -> tuple[int, Any]:
        """The status and the JSON of an address."""
        return fetched(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        """The status and the JSON of what is sent there."""
        headers = {"Content-Type": "application/json"}
        return fetched(urllib.request.Request(self.url + path, json.dumps(body).encode(), headers))

    def is_ready(self) -> bool:
        """Whether it can answer."""
        return self.get("readyz")[0] == 200

    def stop(self, signal_number: int = signal.SIGTERM, seconds: float = 40) -> int:
        """Tells it to stop and waits; the status with which it ended."""
        self.process.send_signal(signal_number)
        self.log += self.process.communicate(timeout=seconds)[1]
        return self.process.returncode


def fetched(request: urllib.request.Request) -> tuple[int, Any]:
    """What a server says, whatever the status."""
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@contextmanager
def serving(folder: Path, cache: Path, *options: str, **env: str) -> Iterator[Process]:
    """A server, begun in a folder, that is ready; it is killed in the end if it still runs."""
    with subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *options],
        cwd=folder,
        env={**os.environ, "RUSTQA_CACHE": str(cache), **env},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert " on " in line, line + process.stderr.read()
            made = Process(process, line.split(" on ")[1].split()[0])
            wait_until(made.is_ready, 60)
            yield made
        finally:
            process.kill()


def index(folder: Path, cache: Path, *words: str) -> None:
    """Runs `rustqa index` over an index in a folder."""
    subprocess.run(
        [*PROGRAM, "index", *words, "--index", str(folder / "index")],
        env={**os.environ, "RUSTQA_CACHE": str(cache)}, check=True, capture_output=True,
    )  # fmt: skip
