"""The server as a process: what it drops when it is reloaded, stopped, or spoken to badly."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread

import pytest

from server_processes import Process, index, serving
from web_fixtures import wait_until

pytestmark = pytest.mark.model

RELOADS = int(os.environ.get("RUSTQA_TEST_RELOADS", "3"))
ASKED = {"question": "When was the old oak felled?"}
OAK = "A storm felled the old oak of Saltby on Sunday.\n"


class Asking:
    """Clients that ask on and on, and what they were told."""

    def __init__(self, served: Process, clients: int = 2) -> None:
        self.statuses: list[int | str] = []
        self.indexes: list[str] = []
        self._served = served
        self._stop = Event()
        self._threads = [Thread(target=self._run) for _ in range(clients)]

    def __enter__(self) -> Asking:
        for thread in self._threads:
            thread.start()
        wait_until(lambda: len(self.statuses) > 20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                status, answer = self._served.post("ask", ASKED)
            except OSError as error:
                self.statuses.append(repr(error))
                return
            self.statuses.append(status)
            self.indexes.append(answer.get("index_id", ""))


@pytest.fixture
def own(tmp_path: Path, model_cache: Path) -> Path:
    """A folder with an index of one article."""
    (tmp_path / "articles").mkdir()
    (tmp_path / "articles" / "oak.txt").write_text(OAK)
    index(tmp_path, model_cache, str(tmp_path / "articles"))
    return tmp_path


def test_a_reload_under_load_drops_nothing(own: Path, model_cache: Path) -> None:
    """An index is built anew again and again while clients ask: each is answered, from the old one
    or the new one, in the end from the last."""
    with serving(own, model_cache, "--index", "index") as served, Asking(served) as asking:
        for number in range(RELOADS):
            (own / "articles" / f"hail-{number}.txt").write_text(f"It hailed {number} times.")
            index(own, model_cache)
            if number % 2:
                served.process.send_signal(signal.SIGHUP)
            wait_until(lambda n=number: len(served.get("articles")[1]) == n + 2)  # type: ignore[misc]
    assert set(asking.statuses) == {200}
    assert len(set(asking.indexes)) >= RELOADS


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_has_begun_ends_before_the_server_does(
    own: Path, model_cache: Path, workers: str
) -> None:
    """Told to stop (SIGTERM) it answers a batch that it has begun, and listens to nobody else;
    then it has done well."""
    batch = {"questions": [{"question": f"When was the old oak felled, {n}?"} for n in range(100)]}
    body = json.dumps(batch).encode()
    head = f"POST /ask/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
Content-Length: {len(body)}\r\n\r\n".encode()
    with (
        serving(own, model_cache, "--index", "index", "--workers", workers) as served,
        socket.create_connection(("127.0.0.1", served.port)) as client,
    ):
        client.sendall(head + body)
        wait_until(lambda: _at_work(served) >= 1)
        served.process.send_signal(signal.SIGTERM)
        with client.makefile("rb") as reply:
            assert reply.readline() == b"HTTP/1.1 200 OK\r\n"
            assert len(reply.read()) > 100_000
        served.process.communicate(timeout=40)
        assert served.process.returncode == 0
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", served.port)).close()


def test_a_client_that_leaves_frees_its_work(own: Path, model_cache: Path) -> None:
    """Of a batch that would take seconds the rest is not done once nobody waits for it."""
    names = ("oak", "storm", "Sunday", "Saltby")
    asked = [{"question": f"What of {names[n % 4]} number {n}?"} for n in range(100)]
    body = json.dumps({"questions": asked}).encode()
    head = f"POST /ask/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
Content-Length: {len(body)}\r\n\r\n".encode()
    with serving(own, model_cache, "--index", "index") as served:
        began = time.monotonic()
        assert served.post("ask/batch", {"questions": asked})[0] == 200
        whole = time.monotonic() - began
        with socket.create_connection(("127.0.0.1", served.port)) as client:
            client.sendall(head + body)
            wait_until(lambda: _at_work(served) >= 1)
        left = time.monotonic()
        wait_until(lambda: _at_work(served) == 0)
        assert time.monotonic() - left < whole / 2


def _at_work(served: Process) -> float:
    """How many requests are at work now."""
    with socket.create_connection(("127.0.0.1", served.port)) as client:
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with client.makefile("r") as reply:
            lines = [line for line in reply if line.startswith("rustqa_requests_at_work")]
    return float(lines[0].split()[1])


def test_workers_share_the_address_and_follow_the_index(own: Path, model_cache: Path) -> None:
    """All take up a new index; one that is killed is begun anew; none outlives the server,
    and what they counted in goes with the next one."""
    options = ("--index", "index", "--workers", "2")
    with serving(own, model_cache, *options, TMPDIR=str(own)) as served:
        wait_until(lambda: len(_children(served)) >= 2)
        (own / "articles" / "hail.txt").write_text("It hailed on Monday.")
        index(own, model_cache)
        wait_until(lambda: all(len(served.get("articles")[1]) == 2 for _ in range(20)), 20)
        workers = _workers(served)
        os.kill(workers[0], signal.SIGKILL)
        wait_until(lambda: len(set(_workers(served)) - set(workers)) == 1, 20)
        wait_until(lambda: all(served.post("ask", ASKED)[0] == 200 for _ in range(20)), 20)
        last = _workers(served)
        served.process.kill()
        wait_until(lambda: not any(_runs(pid) for pid in last), 20)
    [left] = own.glob("rustqa-metrics-*")
    with serving(own, model_cache, *options, TMPDIR=str(own)) as served:
        [counted_in] = own.glob("rustqa-metrics-*")
        assert counted_in != left
        assert served.stop() == 0
    assert list(own.glob("rustqa-metrics-*")) == []


def _children(served: Process) -> list[int]:
    pid = served.process.pid
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _workers(served: Process) -> list[int]:
    """The processes that serve, without what looks after their resources."""
    return [
        pid
        for pid in _children(served)
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def _runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model_cache: Path) -> Iterator[Process]:
    """A server of the shipped article."""
    with serving(tmp_path_factory.mktemp("served"), model_cache) as made:
        yield made
        assert made.is_ready()
        assert "Traceback" not in made.log


def said(served: Process, sent: bytes) -> bytes:
    """What the server answers to bytes on a connection of their own."""
    found = b""
    with (
        socket.create_connection(("127.0.0.1", served.port), timeout=60) as client,
        # The server may close before it has read everything.
        suppress(ConnectionError),
    ):
        client.sendall(sent)
        while more := client.recv(65536):
            found += more
    return found


HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("line", "headers", "status"),
    [
        (b"GET /", b"", 400),
        (b"GET /healthz", b"Host: a\r\nHost: b\r\n", 400),
        (b"GET /articles", b"Host: evil.example\r\n", 421),
        (b"GET http://evil.example/articles", HOST, 404),
        (b"GET /articles", HOST + b"X-Forwarded-Host: evil.example\r\n", 200),
        (b"GET /articles", HOST + b"X: a\r\n b\r\n", 200),
        (b"GET /articles", b"Host : localhost\r\n", 400),
        (b"POST /ask", HOST + b"Content-Length: 5\r\nContent-Length: 6\r\n", 400),
        (b"POST /ask", HOST + b"Content-Length: -1\r\n", 400),
        (b"POST /ask", HOST + b"Content-Length: " + b"9" * 5000 + b"\r\n", 400),
        (b"POST /ask", HOST + b"Content-Length: 99999999999999999999\r\n", 413),
        (b"GET /" + b"a" * 700_000, HOST, None),
        (b"GET /", HOST + b"X: " + b"a" * 700_000 + b"\r\n", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"", 400),
        (b"GET /\x00", HOST, 400),
        (b"TRACE /", HOST, 405),
        (b"CONNECT evil.example:80", HOST, 404),
        (b"GET /", HOST + b"Upgrade: websocket\r\n", 200),
    ],
)
def test_tricks_with_the_head_of_a_request(
    served: Process, line: bytes, headers: bytes, status: int | None
) -> None:
    """Each gets one plain answer, or at most one where it is too long to be read, and no header
    names another site; the server goes on."""
    answer = said(served, line + b" HTTP/1.1\r\n" + headers + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 ") == (1 if status or answer else 0)
    if answer:
        assert answer.startswith(b"HTTP/1.1 %d " % (status or 400)), answer[:200]
    assert b"evil.example" not in answer.partition(b"\r\n\r\n")[0]


def test_two_lengths_of_one_body(served: Process) -> None:
    """What is sent in chunks is read in chunks, whatever length is named besides, and what follows
    it is no second request."""
    head = (
        b"POST /ask HTTP/1.1\r\n" + HOST + b"Content-Length: 60\r\nTransfer-Encoding: chunked\r\n"
    )
    inside = b"0\r\n\r\nGET /articles HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
    answer = said(served, head + b"Connection: close\r\n\r\n" + inside)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert answer.startswith(b"HTTP/1.1 4")


def test_many_slow_clients_stop_nobody(served: Process) -> None:
    """Hundreds that send the head of a request, or its body, byte by byte hold up no other, and
    clients that never read their answers neither."""
    head = b"POST /ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    page = b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n" * 50
    rude = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(300)]
    try:
        for number, client in enumerate(rude):
            client.sendall((head[:20], head, head, head[:20], page)[number % 5])
        for _ in range(5):
            began = time.monotonic()
            assert served.post("ask", {"question": "Who was the judge?"})[0] == 200
            assert time.monotonic() - began < 20
    finally:
        for client in rude:
            client.close()


def test_too_many_connections(served: Process) -> None:
    """Who opens many and asks nothing keeps nobody out: the one that is idle longest makes room."""
    clients = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(530)]
    try:
        assert served.is_ready()
        assert clients[0].recv(1) == b""
        clients[-1].sendall(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n")
        assert clients[-1].recv(1000).startswith(b"HTTP/1.1 200 OK")
    finally:
        for client in clients:
            client.close()
    wait_until(served.is_ready)
