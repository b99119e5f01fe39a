"""Connections: how long each waits for its client."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from threading import Event, Thread

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from rustqa.connections import BoundedProtocol
from web_fixtures import wait_until

LARGE = b"x" * 30_000_000
LEFT = Event()
HEAD = b"POST /%s HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n"


class HastyProtocol(BoundedProtocol):
    """Waits but a moment."""

    head_seconds = 0.3
    taking_seconds = 0.5


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the body, unless it is asked for the large response."""
    bodies = {"/large": LARGE, "/medium": LARGE[:40_000]}
    while scope["path"] not in bodies and (await receive()).get("more_body"):
        pass
    if scope["path"] == "/patient":
        await receive()
        LEFT.set()
    body = bodies.get(scope["path"], b"done")
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[uvicorn.Server, int]]:
    """A server with hasty connections, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, http=HastyProtocol, ws="none", lifespan="off", log_config=None)
        made = uvicorn.Server(config)
        thread = Thread(target=made.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_until(lambda: made.started)
        yield made, listening.getsockname()[1]
        made.should_exit = True
        thread.join(10)


@pytest.fixture
def client(server: tuple[uvicorn.Server, int]) -> Iterator[socket.socket]:
    """A connection; in the end the server has none left."""
    made, port = server
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connected:
        yield connected
    wait_until(lambda: not made.server_state.connections)


def is_closed(client: socket.socket) -> bool:
    """Whether the server closes the connection, without a word."""
    with suppress(ConnectionError):
        return client.recv(1000) == b""
    return True


def read_answer(client: socket.socket) -> None:
    """Takes the small answer whole."""
    answer = b""
    while not answer.endswith(b"done"):
        more = client.recv(1000)
        assert more
        answer += more


def is_hung_up_on(client: socket.socket, pieces: Sequence[bytes]) -> bool:
    """Whether the server closes the connection while these are sent, one after the other."""
    with suppress(ConnectionError):
        for piece in pieces:
            client.sendall(piece)
            time.sleep(0.02)
        return False
    return True


def taken(client: socket.socket, pause: float = 0.0) -> int:
    """How many bytes of the large response come, if some are taken after each pause."""
    got = 0
    with suppress(ConnectionError):
        while got <= len(LARGE) and (more := client.recv(1 << 20)):
            got += len(more)
            time.sleep(pause)
    return got


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_does_not_come(client: socket.socket, sent: bytes) -> None:
    """Whoever begins to ask and does not go on is hung up on."""
    client.sendall(sent)
    began = time.monotonic()
    assert is_closed(client)
    assert time.monotonic() - began < 5


def test_a_head_that_comes_byte_by_byte(client: socket.socket) -> None:
    """Each byte does not win another moment."""
    assert is_hung_up_on(client, [bytes([byte]) for byte in HEAD % (b"a" * 100, 0)])


def test_a_request_that_has_begun_is_not_cut_off(client: socket.socket) -> None:
    """How long its body may take is not for the connection to say."""
    client.sendall(HEAD % (b"", 5))
    for byte in b"12345":
        time.sleep(0.12)
        client.sendall(bytes([byte]))
    assert client.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_an_idle_connection_stays_open(client: socket.socket) -> None:
    """For longer than a head that has begun is waited for."""
    client.sendall(HEAD % (b"", 0))
    read_answer(client)
    time.sleep(2 * HastyProtocol.head_seconds)
    client.sendall(HEAD % (b"", 0))
    read_answer(client)


def test_where_all_are_busy_one_more_is_told_so(
    server: tuple[uvicorn.Server, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When to come again; then it is closed, but not before that can be read."""
    monkeypatch.setattr("rustqa.connections.CONNECTIONS", 1)
    with socket.create_connection(("127.0.0.1", server[1])) as busy:
        busy.sendall(HEAD % (b"", 1))
        time.sleep(0.1)
        with socket.create_connection(("127.0.0.1", server[1])) as late:
            late.sendall(HEAD % (b"", 0))
            answer = late.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nRetry-After: 1\r\n" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"].startswith("too many")
        busy.sendall(b"x")
        read_answer(busy)


def test_the_next_request_is_waited_for_in_the_same_way(client: socket.socket) -> None:
    """And the connection may be used again until then."""
    for _ in range(3):
        client.sendall(HEAD % (b"", 1) + b"x")
        read_answer(client)
        time.sleep(0.1)
    client.sendall(b"GET / HT")
    assert is_closed(client)


def test_a_body_that_nobody_reads_is_not_taken_for_ever(client: socket.socket) -> None:
    """Once the answer is there, what still comes of the body is taken but for a moment."""
    client.sendall(HEAD % (b"large", 10**9))
    assert taken(client) > len(LARGE)
    assert is_hung_up_on(client, [b"x" * 1000] * 100)


def test_a_response_that_is_not_taken(client: socket.socket) -> None:
    """Whoever does not read what it asked for is hung up on, and what is left is not kept."""
    client.sendall(HEAD % (b"large", 0))
    time.sleep(1.5)
    assert taken(client) < len(LARGE)


def test_small_responses_that_are_not_taken(
    server: tuple[uvicorn.Server, int], client: socket.socket
) -> None:
    """However small each is, they are not kept for a client that never reads."""
    client.sendall(HEAD % (b"medium", 0) * 200)
    wait_until(lambda: not server[0].server_state.connections)


def test_a_client_that_asks_ahead_and_leaves(client: socket.socket) -> None:
    """That it left is seen while its first request is still at work."""
    LEFT.clear()
    client.sendall(HEAD % (b"patient", 0) + b"G")
    assert not LEFT.wait(0.3)
    client.close()
    assert LEFT.wait(5)


def test_what_is_no_http_behind_a_response(
    client: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends the connection, and is no defect."""
    client.sendall(b"HEAD / HTTP/1.0\r\nHost: a\r\n\r\nX")
    assert b"200 OK" in client.recv(1000)
    assert is_closed(client)
    assert "Traceback" not in caplog.text
    assert "Fatal error" not in caplog.text


def test_a_response_that_is_taken_slowly(client: socket.socket) -> None:
    """As long as it is taken it is sent."""
    client.sendall(HEAD % (b"large", 0))
    assert taken(client, pause=0.1) > len(LARGE)
