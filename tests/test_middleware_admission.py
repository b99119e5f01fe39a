"""The bounded queue: who works, who waits, who is told to come again, and whose work is freed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from threading import Event

import pytest
from starlette.types import Message, Receive, Scope, Send

from rustqa import wanted
from rustqa.errors import AbandonedError, BusyError
from rustqa.middleware.admission import Admission
from rustqa.policy import Policy

POLICY = replace(Policy(), queue=2, patience=5, work_seconds=5)


@dataclass
class Client:
    """One request and what its client sees of it."""

    path: str = "/ask"
    method: str = "POST"
    sent: list[Message] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    asked: bool = False

    async def receive(self) -> Message:
        """The body, then that the client has left."""
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": b"{}", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Takes a part of the response."""
        self.sent.append(message)

    def ask(self, admission: Admission) -> asyncio.Task[None]:
        """Sends the request."""
        scope = {"type": "http", "path": self.path, "method": self.method}
        return asyncio.ensure_future(admission(scope, self.receive, self.send))


class Slow:
    """An application that answers when it is told to, and knows how many it works for at once."""

    def __init__(self) -> None:
        self.finish = asyncio.Event()
        self.at_work = self.most = self.begun = 0
        self.ended = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        await receive()
        self.begun += 1
        self.at_work += 1
        self.most = max(self.most, self.at_work)
        try:
            await self.finish.wait()
            self.at_work -= 1
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"done"})
        finally:
            self.ended.set()


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> int:
    """There are two places at work."""
    monkeypatch.setattr("rustqa.policy.processors", lambda: 1)
    return POLICY.at_once


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Runs a test of coroutines, which must not hang."""
    asyncio.run(asyncio.wait_for(test(), 20))


async def settle() -> None:
    """Lets every task go on until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_so_many_work_and_so_many_wait(places: int) -> None:
    """Two are at work, two wait for them, and all four are answered."""

    async def test() -> None:
        app, told = Slow(), []
        admission = Admission(app, POLICY, lambda *counts: told.append(counts))
        clients = [Client() for _ in range(places + POLICY.queue)]
        tasks = [client.ask(admission) for client in clients]
        await settle()
        assert told[-1] == (2, 2)
        app.finish.set()
        await asyncio.gather(*tasks)
        assert app.most == places
        assert [client.sent[1]["body"] for client in clients] == [b"done"] * 4
        assert told[-1] == (0, 0)

    run(test)


def test_one_more_is_told_to_come_again(places: int) -> None:
    """At once, with the seconds until there may be a place."""

    async def test() -> None:
        app = Slow()
        admission = Admission(app, POLICY, lambda *_: None)
        tasks = [Client().ask(admission) for _ in range(places + POLICY.queue)]
        await settle()
        with pytest.raises(BusyError, match="too much is asked at once; try again in 1 s") as info:
            await Client().ask(admission)
        assert info.value.headers == {"Retry-After": "1"}
        app.finish.set()
        await asyncio.gather(*tasks)

    run(test)


def test_nobody_waits_for_ever(places: int) -> None:
    """Whose turn does not come in time is told to come again."""

    async def test() -> None:
        app = Slow()
        admission = Admission(app, replace(POLICY, patience=0.05), lambda *_: None)
        tasks = [Client().ask(admission) for _ in range(places)]
        await settle()
        with pytest.raises(BusyError):
            await Client().ask(admission)
        app.finish.set()
        await asyncio.gather(*tasks)

    run(test)


def test_who_leaves_the_queue_frees_its_place(places: int) -> None:
    """The work of a client that left while it waited is never begun, and another takes its place
    in the queue."""

    async def test() -> None:
        app = Slow()
        admission = Admission(app, POLICY, lambda *_: None)
        tasks = [Client().ask(admission) for _ in range(places + 1)]
        rude, patient = Client(), Client()
        left = rude.ask(admission)
        await settle()
        rude.gone.set()
        await left
        tasks.append(patient.ask(admission))
        await settle()
        app.finish.set()
        await asyncio.gather(*tasks)
        assert (rude.sent, len(patient.sent)) == ([], 2)
        assert app.begun == places + 2

    run(test)


def test_work_for_a_client_that_left_is_given_up(places: int) -> None:
    """Threads that work for it find out at their next step; the place is free once they end."""

    async def test() -> None:
        begun, ended = Event(), Event()

        def work() -> None:
            still_wanted = wanted.check()
            begun.set()
            try:
                while True:
                    still_wanted()
            finally:
                ended.set()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            try:
                await asyncio.to_thread(work)
            except AbandonedError:
                await send({"type": "http.response.start", "status": 503, "headers": []})

        told: list[tuple[int, int]] = []
        admission = Admission(app, POLICY, lambda *counts: told.append(counts))
        client = Client()
        task = client.ask(admission)
        await asyncio.to_thread(begun.wait, 5)
        client.gone.set()
        await task
        await asyncio.to_thread(ended.wait, 5)
        while told[-1] != (0, 0):
            await asyncio.sleep(0.01)
        assert client.sent == []

    run(test)


def test_what_takes_too_long_is_answered_all_the_same(places: int) -> None:
    """The client hears of it in time; the place is taken until the work has really ended, and what
    it says then goes nowhere."""

    async def test() -> None:
        app = Slow()
        told: list[tuple[int, int]] = []
        policy = replace(POLICY, work_seconds=0.05)
        admission = Admission(app, policy, lambda *counts: told.append(counts))
        client = Client()
        with pytest.raises(AbandonedError, match=r"longer than 0\.05 seconds; ask for less"):
            await client.ask(admission)
        assert told[-1] == (1, 0)
        app.finish.set()
        await app.ended.wait()
        await settle()
        assert told[-1] == (0, 0)
        assert client.sent == []

    run(test)


def test_what_fails_when_it_is_given_up_is_logged(
    places: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody else hears of it."""

    async def test() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(0.1)
            raise ValueError("the disk is gone")

        admission = Admission(app, replace(POLICY, work_seconds=0.01), lambda *_: None)
        with pytest.raises(AbandonedError):
            await Client().ask(admission)
        await asyncio.sleep(0.2)

    run(test)
    [record] = caplog.records
    assert record.getMessage() == "work that was given up failed"
    assert record.exc_info is not None
    assert "the disk is gone" in str(record.exc_info[1])


def test_a_client_that_takes_its_answer_slowly_holds_no_place(places: int) -> None:
    """Once the response begins the next one's turn has come."""

    async def test() -> None:
        taken = asyncio.Event()

        class Reluctant(Client):
            async def send(self, message: Message) -> None:
                await super().send(message)
                if message["type"] == "http.response.body":
                    await taken.wait()

        app = Slow()
        app.finish.set()
        admission = Admission(app, POLICY, lambda *_: None)
        slow = [Reluctant().ask(admission) for _ in range(places + POLICY.queue)]
        await settle()
        quick = Client()
        await quick.ask(admission)
        assert len(quick.sent) == 2
        taken.set()
        await asyncio.gather(*slow)

    run(test)


def test_looking_whether_it_is_well_takes_no_place(places: int) -> None:
    """Probes, metrics and static files are answered while all places are taken."""

    async def test() -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"] == "/ask":
                await asyncio.Event().wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        admission = Admission(app, POLICY, lambda *_: None)
        tasks = [Client().ask(admission) for _ in range(places + POLICY.queue)]
        await settle()
        for path in ("/healthz", "/readyz", "/metrics", "/static/style.css"):
            client = Client(path, "GET")
            await client.ask(admission)
            assert client.sent[0]["status"] == 200
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(test)


def test_articles_are_added_apart_from_questions(places: int) -> None:
    """One at a time, without keeping a question waiting; and nobody's leaving stops it half-way."""

    async def test() -> None:
        app = Slow()
        admission = Admission(app, POLICY, lambda *_: None)
        adding = Client("/articles")
        tasks = [adding.ask(admission), Client("/articles").ask(admission)]
        await settle()
        assert app.at_work == 1
        asking = [Client().ask(admission) for _ in range(places)]
        await settle()
        assert app.at_work == 1 + places
        adding.gone.set()
        await settle()
        assert not tasks[0].done()
        app.finish.set()
        await asyncio.gather(*tasks, *asking)
        assert len(adding.sent) == 2

    run(test)


def test_batches_wait_for_each_other_alone(places: int) -> None:
    """They take long: single questions do not wait behind them, and they wait longer themselves."""

    async def test() -> None:
        app = Slow()
        admission = Admission(app, replace(POLICY, patience=0.05), lambda *_: None)
        batches = [Client("/ask/batch").ask(admission) for _ in range(2)]
        await settle()
        assert app.at_work == 1
        asking = [Client().ask(admission) for _ in range(places)]
        await asyncio.sleep(0.1)
        assert app.at_work == 1 + places
        app.finish.set()
        await asyncio.gather(*batches, *asking)
        assert app.begun == 2 + places

    run(test)


def test_a_turn_that_comes_too_late_is_passed_on(places: int) -> None:
    """A client that leaves at the very moment when its turn comes keeps no place."""

    async def test() -> None:
        app, told = Slow(), [(0, 0)]
        admission = Admission(app, POLICY, lambda *counts: told.append(counts))
        tasks = [Client().ask(admission) for _ in range(places)]
        rude = Client()
        tasks.append(rude.ask(admission))
        await settle()
        rude.gone.set()
        app.finish.set()
        await asyncio.gather(*tasks)
        await settle()
        assert told[-1] == (0, 0)
        assert app.begun == places

    run(test)


def test_a_cancelled_request_frees_its_place(places: int) -> None:
    """As when the server stops while some still wait."""

    async def test() -> None:
        app = Slow()
        told: list[tuple[int, int]] = []
        admission = Admission(app, POLICY, lambda *counts: told.append(counts))
        tasks = [Client().ask(admission) for _ in range(places + POLICY.queue)]
        await settle()
        for task in reversed(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await settle()
        assert told[-1] == (0, 0)

    run(test)
