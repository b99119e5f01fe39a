"""Host check, keys, rates and bodies, as clients of the whole application meet them."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from rustqa.access import Keys
from rustqa.api import create_app
from rustqa.errors import BodyTooSlowError, ForeignPageError, RateError
from rustqa.middleware.bodies import MAX_BODY, BodyLimit
from rustqa.middleware.buckets import Buckets
from rustqa.middleware.guard import HEADERS, refuse_foreign
from rustqa.middleware.keys import address_of
from rustqa.middleware.rates import spend
from rustqa.policy import Policy
from web_fixtures import HTML, farm, make_pipeline, town, wait_until

KEY, OTHER = "0123456789abcdef-one", "0123456789abcdef-two"
ASKED = {"question": "What did it cost in pounds?"}


@contextmanager
def served(policy: Policy) -> Iterator[TestClient]:
    """A client of an application with this policy."""
    with TestClient(create_app(lambda: make_pipeline(town(), farm()), policy=policy)) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """Two keys."""
    file = tmp_path / "keys"
    file.write_text(f"{KEY}\n{OTHER}\n")
    return Keys(file)


def bearer(key: str) -> dict[str, str]:
    """The header with which a program sends its key."""
    return {"Authorization": f"Bearer {key}"}


def basic(key: str) -> dict[str, str]:
    """The header with which a browser sends it."""
    return {"Authorization": "Basic " + base64.b64encode(f"anyone:{key}".encode()).decode()}


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("10.0.0.7", 200), ("localhost", 200),
        ("app.localhost:80", 200), ("nas", 200), ("News.Example:443", 200), ("news.example.", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example", 421),
        ("news.example@evil.example", 421), ("evil.example:x", 421), ("[evil.example", 421),
        ("xlocalhost.example", 421), ("1.2.3", 421), ("127.1", 421), ("evil.example#a", 421),
    ],
)  # fmt: skip
def test_names_that_are_answered_to(host: str, status: int) -> None:
    """Addresses, names that nobody else can have, and those that are allowed; another site's name
    that points here (DNS rebinding) gets nothing, whatever it asks."""
    with served(Policy(hosts=frozenset({"news.example"}))) as client:
        for response in (
            client.get("/articles", headers={"Host": host}),
            client.post("/ask", json=ASKED, headers={"Host": host}),
            client.get("/", headers={"Host": host}),
        ):
            assert response.status_code == status
    if status == 421:
        assert "start it with --allow-host and that name" in response.json()["error"]
        assert {name: response.headers[name] for name in HEADERS} == HEADERS


def test_probes_are_answered_under_any_name(keys: Keys) -> None:
    """What looks after the server may call it as it likes, without a key; it learns nothing. So are
    the files of the pages, by which a refusal looks like one of them."""
    with served(Policy(keys=keys)) as client:
        for path in ("/healthz", "/readyz", "/static/style.css"):
            assert client.get(path, headers={"Host": "pod.example"}).status_code == 200


def test_without_a_key_nothing_is_told(keys: Keys) -> None:
    """Of no route but the probes; programs and browsers are each told how to send one."""
    with served(Policy(keys=keys, hosts=None)) as client:
        for path in ("/", "/articles", "/docs", "/openapi.json", "/metrics"):
            response = client.get(path)
            assert (response.status_code, response.headers["www-authenticate"][:6]) == (
                401, "Bearer",
            )  # fmt: skip
            page = client.get(path, headers=HTML)
            assert (page.status_code, page.headers["www-authenticate"][:5]) == (401, "Basic")
        said = client.post("/ask", json=ASKED).json()["error"]
        assert said.startswith("this server asks for an API key; send it in the header")
        assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200


@pytest.mark.parametrize("header", [bearer(KEY), bearer(OTHER), basic(KEY)])
def test_with_a_key(keys: Keys, header: dict[str, str]) -> None:
    """Programs send it as a bearer, browsers as a password."""
    with served(Policy(keys=keys, hosts=None)) as client:
        assert client.post("/ask", json=ASKED, headers=header).status_code == 200
        assert client.get("/", headers=HTML | header).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        bearer(KEY[:-1]), bearer(""), basic("wrong"), {"Authorization": "Basic %%%"},
        {"Authorization": f"Digest {KEY}"}, {"Authorization": KEY}, {"X-API-Key": KEY},
    ],
)  # fmt: skip
def test_with_a_wrong_key(
    keys: Keys, header: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is told, and neither the response nor the log repeats it."""
    caplog.set_level("DEBUG")
    with served(Policy(keys=keys, hosts=None)) as client:
        response = client.post("/ask", json=ASKED, headers=header)
    assert response.status_code == 401
    assert "0123456789" not in response.text + caplog.text


def test_headers_that_are_no_text(keys: Keys) -> None:
    """A key, or an origin, that cannot be read is a wrong one."""
    with served(Policy(keys=keys, hosts=None)) as client:
        for value in (b"Basic \xfc", b"Basic =", b"Bearer \xfc", b"\xfc"):
            assert client.get("/articles", headers={b"Authorization": value}).status_code == 401
    for origin in ("http://[", "null", "", "http://localhost.evil.example"):
        with pytest.raises(ForeignPageError):
            refuse_foreign(Headers({"origin": origin, "host": "localhost"}), "articles")


def test_who_tries_many_keys_has_to_wait(keys: Keys) -> None:
    """But nobody is kept out by what others at the same address try, as behind a proxy."""
    with served(Policy(keys=keys, hosts=None)) as client:
        for number in range(30):
            assert client.get("/articles", headers=bearer(f"guess {number}")).status_code == 401
        response = client.get("/articles", headers=bearer("another guess"))
        assert (response.status_code, response.headers["retry-after"]) == (429, "2")
        for _ in range(40):
            assert client.get("/articles", headers=bearer(KEY)).status_code == 200


def test_each_client_may_ask_so_often(keys: Keys) -> None:
    """Who asks more is told when to come again, while others are answered; probes and static files
    do not count."""
    with served(Policy(keys=keys, hosts=None, rate=3)) as client:
        for _ in range(3):
            assert client.post("/ask", json=ASKED, headers=bearer(KEY)).status_code == 200
        response = client.post("/ask", json=ASKED, headers=bearer(KEY))
        assert response.status_code == 429
        assert (
            response.json()["error"] == "more requests than one client may send; try again in 20 s"
        )
        assert response.headers["retry-after"] == "20"
        assert client.get("/static/chat.js", headers=bearer(KEY)).status_code == 200
        assert client.post("/ask", json=ASKED, headers=bearer(OTHER)).status_code == 200


def test_a_batch_counts_for_its_questions() -> None:
    """One that is larger than the rate is answered, but has to be waited for afterwards."""
    with served(Policy(rate=4)) as client:
        batch = {"questions": [ASKED] * 8}
        assert client.post("/ask/batch", json=batch).status_code == 200
        response = client.post("/ask", json=ASKED)
        assert (response.status_code, response.headers["retry-after"]) == (429, "75")


def test_batches_sent_at_once_count_too() -> None:
    """Who owes for one batch is not answered another, though it was let in before."""
    buckets = Buckets(10)
    scope = {"state": {"client": "a", "buckets": buckets}}
    spend(scope, 99)
    with pytest.raises(RateError, match="more requests than one client may send") as info:
        spend(scope, 99)
    assert int(info.value.headers["Retry-After"]) > 500


def test_without_a_policy_other_names_are_not_answered_to() -> None:
    """The check of names is there unless it is switched off."""
    with served(Policy()) as client:
        assert client.get("/articles", headers={"Host": "evil.example"}).status_code == 421


def test_nothing_is_read_of_whom_nobody_knows(keys: Keys) -> None:
    """The key comes before the body, which may be large."""
    with served(Policy(keys=keys, hosts=None)) as client:
        assert client.post("/ask", content=b" " * (MAX_BODY + 1)).status_code == 401


def test_refusals_are_counted(keys: Keys) -> None:
    """Each by its reason."""
    with served(Policy(keys=keys, rate=2)) as client:
        client.get("/articles", headers={"Host": "evil.example"})
        client.get("/articles")
        for _ in range(3):
            client.get("/articles", headers=bearer(KEY))
        client.post("/ask", content=b" " * (MAX_BODY + 1), headers=bearer(OTHER))
        counted = client.get("/metrics", headers=bearer(KEY)).text
    for reason in ("host", "key", "rate", "size"):
        assert f'rustqa_refused_total{{reason="{reason}"}} 1.0' in counted


def test_a_body_that_is_waited_for_is_not_taken_for_a_request(keys: Keys) -> None:
    """Who asks whether to send its body and is refused has to open another connection."""
    with served(Policy(keys=keys, hosts=None)) as client:
        response = client.post("/ask", json=ASKED, headers={"Expect": "100-continue"})
    assert (response.status_code, response.headers["connection"]) == (401, "close")


def test_buckets_fill_evenly() -> None:
    """At the rate, up to what a minute allows, each client's by itself."""
    now = 0.0
    buckets = Buckets(6, lambda: now)
    for _ in range(6):
        assert buckets.wait("a") == 0
        buckets.take("a")
    assert (buckets.wait("a"), buckets.wait("b")) == (10, 0)
    now = 9.5
    assert buckets.wait("a") == 1
    now = 10.0
    assert buckets.wait("a") == 0
    now = 10_000.0
    buckets.take("a", 7)
    assert buckets.wait("a") == 20


def test_buckets_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many clients those that asked longest ago are forgotten."""
    monkeypatch.setattr("rustqa.middleware.buckets._CLIENTS", 2)
    buckets = Buckets(1, lambda: 0.0)
    for client in "abca":
        buckets.take(client)
    assert [buckets.wait(client) > 0 for client in "abc"] == [True, False, True]


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 80), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 80), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 80), "192.0.2.7"),
        (("fe80::1%eth0", 80), "fe80::/64"),
        (("testclient", 80), "testclient"),
        (("x" * 1000, 80), "x" * 64),
        (None, ""),
    ],
)
def test_whose_requests_are_counted_together(client: Any, address: str) -> None:
    """Those of one address; of IPv6 those of one network."""
    assert address_of({"client": client}) == address


def test_a_slow_body_is_not_waited_for() -> None:
    """It is refused, and the connection is not used again."""

    async def receive() -> Message:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pytest.fail("reached")

    async def send(message: Message) -> None:
        pytest.fail("answered")

    with pytest.raises(BodyTooSlowError, match=r"did not come within 0\.1 seconds") as info:
        asyncio.run(BodyLimit(app, 0.1)({"type": "http", "headers": []}, receive, send))
    assert info.value.headers == {"Connection": "close"}


def test_a_client_that_leaves_in_the_middle_of_its_body() -> None:
    """Nothing is done for it."""
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> Message:
        return next(messages)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        pytest.fail("reached")

    asyncio.run(BodyLimit(app, 1)({"type": "http", "headers": []}, receive, app))  # type: ignore[arg-type]


def test_other_sites_may_ask_if_they_are_named() -> None:
    """By default none; those named may read answers, but not change anything."""
    origin = {"Origin": "https://news.example"}
    asks = {"Access-Control-Request-Method": "POST"}
    with served(Policy()) as client:
        response = client.post("/ask", json=ASKED, headers=origin)
        assert "access-control-allow-origin" not in response.headers
        assert client.options("/ask", headers=origin | asks).status_code == 405
    with served(Policy(cors=("https://news.example",))) as client:
        response = client.post("/ask", json=ASKED, headers=origin)
        assert response.headers["access-control-allow-origin"] == "https://news.example"
        assert "access-control-allow-credentials" not in response.headers
        exposed = set(response.headers["access-control-expose-headers"].split(", "))
        assert exposed == {"X-Total-Count", "Link", "Retry-After", "X-Request-ID"}
        preflight = client.options("/ask", headers=origin | asks)
        assert preflight.headers["access-control-allow-origin"] == "https://news.example"
        evil = client.post("/ask", json=ASKED, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in evil.headers


def test_a_head_is_answered_as_a_get_and_counted_as_what_it_is() -> None:
    """With the same status and length."""
    with served(Policy()) as client:
        one, other = client.head("/healthz"), client.get("/healthz")
        assert (one.status_code, one.headers["content-length"]) == (200, str(len(other.content)))
        counted = client.get("/metrics").text
    assert 'rustqa_requests_total{method="HEAD",route="/healthz",status="200"} 1.0' in counted
    assert 'rustqa_requests_total{method="GET",route="/healthz",status="200"} 1.0' in counted


def test_other_sites_may_show_the_page_if_they_are_named() -> None:
    """By default none may; naming one opens nothing else."""
    with served(Policy(embed=("https://news.example",))) as client:
        headers = client.get("/", headers=HTML).headers
    assert headers["content-security-policy"].endswith(
        "frame-ancestors 'self' https://news.example"
    )
    assert "x-frame-options" not in headers
    kept = {name: value for name, value in HEADERS.items() if name[:1] != "X" and "Sec" not in name}
    assert {name: headers[name] for name in kept} == kept
