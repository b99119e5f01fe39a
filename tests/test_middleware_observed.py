"""Observed: each request has an id, is counted under its route, and leaves one line in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rustqa import articles_api, asking_api
from rustqa.logs import QUESTIONS, request_id
from rustqa.metrics import Metrics
from rustqa.middleware.observed import HEADER, Observed, record
from rustqa.pipeline import Pipeline
from test_metrics import values

WORDS = "Who loaded the gun"


def say_id(_request: Request) -> Response:
    """The id of the request as what answers it sees it, in a thread of its own."""
    return PlainTextResponse(request_id.get())


def fail(_request: Request) -> Response:
    """Nothing."""
    raise ValueError("broken")


ROUTES = [
    Route("/ask", say_id, methods=["GET", "POST"]),
    Route("/articles/{id}", say_id),
    Route("/fail", fail),
    Mount("/static", PlainTextResponse("style")),
]


@pytest.fixture
def metrics() -> Metrics:
    """Nothing counted yet."""
    return Metrics()


@pytest.fixture
def client(metrics: Metrics) -> Iterator[TestClient]:
    """A client of a small application that is observed."""
    observed = Observed(Starlette(routes=ROUTES), metrics, ROUTES)
    with TestClient(observed, raise_server_exceptions=False) as client:
        yield client


def counted(metrics: Metrics) -> list[str]:
    """The labels of every request: method, route and status."""
    name = "rustqa_requests_total "
    return [key.removeprefix(name) for key in values(metrics) if key.startswith(name)]


def told(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """What each line about a request says."""
    return [vars(item) for item in caplog.records if item.getMessage() == "request"]


def test_a_request_gets_an_id(client: TestClient) -> None:
    """Another each time, in the header of the response and where it is answered."""
    first, second = (client.get("/ask") for _ in range(2))
    assert re.fullmatch("[0-9a-f]{32}", first.text)
    assert first.headers[HEADER] == first.text
    assert second.text != first.text


@pytest.mark.parametrize("given", ["a", "Trace-1.2_3", "x" * 64])
def test_the_clients_id_is_kept(client: TestClient, given: str) -> None:
    """So that its log and this one can be laid side by side."""
    assert client.get("/ask", headers={HEADER: given}).headers[HEADER] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", 'a"', "a\r\nb", "ä"])
def test_an_id_that_could_do_harm_is_not_taken(client: TestClient, given: str) -> None:
    """It gets one of the server's own instead."""
    answer = client.get("/ask", headers={HEADER.encode(): given.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers[HEADER])
    assert answer.text == answer.headers[HEADER]


def test_requests_are_counted_by_route(client: TestClient, metrics: Metrics) -> None:
    """By the template of the path, whatever stands in it, and paths that are none as one."""
    for path in ("/articles/a", "/articles/b", "/static/a.css", "/static/b.css", "/a", "/b/c"):
        client.get(path)
    client.post("/ask")
    client.delete("/ask")
    assert counted(metrics) == [
        "GET /articles/{id} 200",
        "GET /static 200",
        "GET other 404",
        "POST /ask 200",
        "other /ask 405",
    ]
    assert values(metrics)["rustqa_request_seconds_count /articles/{id}"] == 2


def test_the_routes_of_rustqa_are_told_apart(metrics: Metrics) -> None:
    """As they stand in its routers."""
    routes = [*asking_api.router.routes, *articles_api.router.routes]
    client = TestClient(Observed(PlainTextResponse("refused", 429), metrics, routes))
    client.post("/ask")
    client.post("/ask/batch")
    client.get("/articles/rust-case-dismissed")
    assert counted(metrics) == [
        "POST /ask 429",
        "POST /ask/batch 429",
        "GET /articles/{id} 429",
    ]


def test_a_request_leaves_one_line(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    """Which says what was asked for and how it went, and not what stood in the address."""
    caplog.set_level(logging.INFO, "rustqa")
    client.get("/articles/secret-name", params={"q": WORDS})
    (line,) = told(caplog)
    assert (line["method"], line["route"], line["status"]) == ("GET", "/articles/{id}", 200)
    assert 0 < line["ms"] < 60_000
    assert line["client"] == "testclient"
    everything = " ".join(map(str, line.values()))
    assert "secret-name" not in everything
    assert "loaded" not in everything


def test_what_fails_is_counted_as_failed(
    client: TestClient, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    """And still leaves its line."""
    caplog.set_level(logging.INFO, "rustqa")
    assert client.get("/fail").status_code == 500
    assert counted(metrics) == ["GET /fail 500"]
    assert [line["status"] for line in told(caplog)] == [500]


def _call(app: ASGIApp, *received: Message, kind: str = "http") -> None:
    """One request of which the server tells what is given."""
    messages = iter(received)

    async def receive() -> Message:
        return next(messages)

    async def send(_message: Message) -> None:
        return

    scope: Scope = {"type": kind, "method": "GET", "path": "/ask", "headers": [], "client": None}
    anyio.run(app, scope, receive, send)


def test_a_client_that_leaves_is_told_from_an_answer(
    metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    """499 if it left before the response, whatever was sent after it; else what it got."""
    caplog.set_level(logging.INFO, "rustqa")

    async def silent(_scope: Scope, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def unaware(scope: Scope, receive: Receive, send: Send) -> None:
        await silent(scope, receive, send)
        await PlainTextResponse("late")(scope, receive, send)

    async def in_time(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("here")(scope, receive, send)
        await silent(scope, receive, send)

    for app in (silent, unaware, in_time):
        observed = Observed(app, metrics, ROUTES)
        _call(observed, {"type": "http.request"}, {"type": "http.disconnect"})
    assert [line["status"] for line in told(caplog)] == [499, 499, 200]
    assert counted(metrics) == ["GET /ask 499", "GET /ask 200"]


def test_nothing_is_left_of_a_request_that_fails(metrics: Metrics) -> None:
    """It counts as failed where no response was made of the failure, which is passed on; and what
    is logged after it in the same task is not said to belong to it."""

    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        assert request_id.get() is not None
        raise ValueError("broken")

    async def call(*arguments: Any) -> None:
        with pytest.raises(ValueError, match="broken"):
            await Observed(broken, metrics, ROUTES)(*arguments)
        assert request_id.get() is None

    _call(call)
    assert counted(metrics) == ["GET /ask 500"]


def test_only_requests_are_observed(metrics: Metrics) -> None:
    """The start and the end of the server pass by."""
    passed = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        passed.append(scope["type"])

    _call(Observed(app, metrics, ROUTES), kind="lifespan")
    assert passed == ["lifespan"]
    assert counted(metrics) == []


@pytest.mark.parametrize("wanted", [False, True])
def test_an_answer_is_recorded(
    wanted: bool, metrics: Metrics, fake_pipeline: Pipeline, caplog: pytest.LogCaptureFixture
) -> None:
    """It is counted; what was asked is logged only if that is wanted."""
    caplog.set_level(logging.INFO, QUESTIONS.name)
    record(metrics, fake_pipeline.ask("Who is the harbour master?"), log_questions=wanted)
    assert values(metrics)["rustqa_answers_total answered"] == 1
    lines = [vars(item) for item in caplog.records if item.name == QUESTIONS.name]
    assert len(lines) == wanted
    for line in lines:
        assert line["question"] == line["question_used"] == "Who is the harbour master?"
        assert (line["status"], line["confidence"]) == ("answered", 0.9)
