"""The connection to Qdrant: patience with what passes, one line about what does not."""

from __future__ import annotations

import builtins
import logging
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from fakes import FakeEncoder
from qdrant_servers import Servers, free_ports
from rustqa.errors import StoreError
from rustqa.store.address import parse_address
from rustqa.store.qdrant import QdrantStore, open_collection
from rustqa.store.qdrant_connection import Connection, connect
from store_contract import dated_articles, fill, local_connection


def _away() -> Exception:
    return ResponseHandlingException(httpx.ConnectError("refused"))


def _answered(status: int, content: bytes = b"") -> Exception:
    return UnexpectedResponse(status, "", content, httpx.Headers())


class FailingNode:
    """Stands for a client: fails with these errors one after the other, then answers."""

    def __init__(self, failures: Sequence[Exception] = ()) -> None:
        self.failures = list(failures)
        self.asked = 0

    def ask(self) -> str:
        """An answer, in time."""
        self.asked += 1
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def _connection(pauses: list[float], *nodes: FailingNode) -> Connection:
    hosts = ",".join(f"node{number}" for number in range(len(nodes)))
    openers: list[Callable[[], Any]] = [lambda node=node: node for node in nodes]  # type: ignore[misc]
    return Connection(parse_address(f"qdrant://{hosts}/news"), openers, pauses.append)


def _ask(connection: Connection) -> str:
    def work(client: Any) -> str:
        answer: str = client.ask()
        return answer

    return connection.call(work)


@pytest.mark.parametrize("failures", [0, 1, 3, 5])
@pytest.mark.parametrize("error", [_away(), _answered(500), _answered(503), _answered(429)])
def test_what_fails_for_a_moment_is_tried_again(failures: int, error: Exception) -> None:
    """With pauses that grow and differ from one to the other."""
    pauses: list[float] = []
    node = FailingNode([error] * failures)
    assert _ask(_connection(pauses, node)) == "answer"
    assert node.asked == failures + 1
    assert len(pauses) == failures
    for number, pause in enumerate(pauses):
        assert 0.05 * 2**number <= pause <= 0.1 * 2**number


def test_patience_ends() -> None:
    """After some seconds it is told which host does not answer and what to do."""
    pauses: list[float] = []
    node = FailingNode([_away()] * 100)
    with pytest.raises(StoreError) as caught:
        _ask(_connection(pauses, node))
    told = "Qdrant at node0:6333 does not answer; start it, or check the address"
    assert str(caught.value) == told
    assert node.asked == 6
    assert sum(pauses) < 5


def test_another_node_is_asked_at_once() -> None:
    """While one node answers there is no pause, and it is asked first from then on."""
    pauses: list[float] = []
    dead, alive = FailingNode([_away()] * 100), FailingNode()
    connection = _connection(pauses, dead, alive)
    assert [_ask(connection) for _ in range(3)] == ["answer"] * 3
    assert (dead.asked, alive.asked, pauses) == (1, 3, [])


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (_answered(401), "refuses the key"),
        (_answered(403, b'{"status": {"error": "Forbidden: no"}}'), r"Forbidden: no\); set RUSTQA"),
        (_answered(404), "no articles at qdrant://node0:6333/news; put some there: rustqa index"),
        (
            _answered(400, b'{"status": {"error": "Vector dimension error: expected 4, got 8"}}'),
            "other dimensions than the encoder's",
        ),
        (_answered(422, b"strange"), r"cannot do this now \(422: strange\)"),
        (ResponseHandlingException(ValueError("no JSON")), "not the Qdrant expected"),
    ],
)
def test_what_fails_for_good_is_told_at_once(error: Exception, told: str) -> None:
    """In one line, without another try."""
    node = FailingNode([error])
    with pytest.raises(StoreError, match=told) as caught:
        _ask(_connection([], node))
    assert node.asked == 1
    assert "\n" not in str(caught.value)


def test_defects_are_not_hidden() -> None:
    """What is no failure of Qdrant stays as it is."""
    with pytest.raises(ZeroDivisionError):
        _ask(_connection([], FailingNode([ZeroDivisionError()])))


def test_a_missing_client_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that installs it."""
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name.startswith("qdrant_client"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(StoreError, match=r"run: pip install 'rustqa\[qdrant\]'"):
        connect(parse_address("qdrant://a/n"))


def test_a_server_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store is opened."""
    monkeypatch.setattr("rustqa.store.qdrant_connection._PAUSE", 0.001)
    port = free_ports(1)[0]
    with pytest.raises(StoreError, match=f"Qdrant at 127.0.0.1:{port} does not answer"):
        open_collection(f"qdrant://127.0.0.1:{port}/news", None)


def test_a_collection_that_is_not_there_is_told() -> None:
    """With the command that makes it."""
    with pytest.raises(StoreError, match="no articles at qdrant://memory:6333/articles; put"):
        QdrantStore(local_connection())


def test_a_collection_by_another_encoder_is_told() -> None:
    """Its vectors would mean nothing."""
    connection = local_connection()
    store = fill(connection, dated_articles(), FakeEncoder())
    with pytest.raises(StoreError, match=r"another encoder \(fake, not other\); make it again"):
        QdrantStore(connection, {**store.recipe, "encoder": "other"})
    with pytest.raises(StoreError, match="another encoder"):
        fill(connection, dated_articles(), FakeEncoder(name="other"))


def test_a_key_opens_a_server_that_wants_one(
    qdrant_servers: Servers, caplog: pytest.LogCaptureFixture
) -> None:
    """With the key all works, with another or none it is told; it is never logged."""
    node = qdrant_servers.start(key="s3cret")
    url = f"qdrant://{node.host}/news"
    with caplog.at_level(logging.DEBUG):
        fill(connect(parse_address(url), "s3cret"), dated_articles(), FakeEncoder())
        assert len(open_collection(url, "s3cret").documents) == 4
        for key in (None, "wrong"):
            with pytest.raises(StoreError, match="refuses the key"):
                open_collection(url, key)
    assert "s3cret" not in caplog.text


def test_a_key_over_an_open_network_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    """But not to this machine, nor with TLS."""
    for url in ("qdrant://localhost/n", "qdrants://q.example/n"):
        connect(parse_address(url), "s3cret")
    assert caplog.text == ""
    connect(parse_address("qdrant://q.example/n"), "s3cret")
    assert "unencrypted" in caplog.text


def test_a_wrong_dimension_is_told(qdrant_servers: Servers) -> None:
    """A question by an encoder of other dimensions gets no answer."""
    node = qdrant_servers.start()
    store = fill(connect(parse_address(f"qdrant://{node.host}/n")), dated_articles(), FakeEncoder())
    with pytest.raises(StoreError, match="other dimensions"):
        store.search(FakeEncoder(dimensions=32).encode(["rain"]), [["rain"]], 3)


def test_a_connection_can_be_closed() -> None:
    """And used again."""
    closed = []

    class Client(QdrantClient):
        def close(self, grpc_grace: float | None = None, **_: Any) -> None:
            closed.append(self)

    connection = Connection(parse_address("qdrant://a/n"), [lambda: Client(":memory:")])
    connection.call(lambda client: client.get_collections())
    connection.close()
    assert len(closed) == 1
    connection.call(lambda client: client.get_collections())
