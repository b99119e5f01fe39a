"""The HTTP API: the answer record, errors in one line, limits, and what it does while loading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, fields
from threading import Event, Thread
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fakes import CORPUS
from rustqa.citations import broken_quotations
from rustqa.examples import ANSWERS, BATCHES, QUESTIONS, SEARCHES
from rustqa.middleware.bodies import MAX_BODY
from rustqa.middleware.guard import HEADERS
from rustqa.pipeline import Pipeline
from rustqa.schema import AskRequest, BatchRequest, SearchRequest
from rustqa.sources.reading import read_corpus
from rustqa.types import Answer, Citation, Claim
from web_fixtures import FARM, HTML, TOWN, client_of, farm, make_pipeline, serve, town, wait_until

ASKED = {"question": "What did it cost in pounds?"}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """Two articles."""
    return make_pipeline(town(), farm())


@pytest.fixture(scope="module")
def client(pipeline: Pipeline) -> Iterator[TestClient]:
    """A client of a server that is ready."""
    with serve(pipeline) as client:
        yield client


def error_of(response: Any, status: int) -> str:
    """The one line of an error response."""
    assert response.status_code == status
    body: dict[str, str] = response.json()
    assert list(body) == ["error"]
    assert body["error"]
    assert "\n" not in body["error"]
    assert "Traceback" not in body["error"]
    return body["error"]


def test_ask_answered(client: TestClient, pipeline: Pipeline) -> None:
    """The response is the library's answer, field by field and in the same order."""
    got = client.post("/ask", json=ASKED).json()
    expected = json.loads(json.dumps(asdict(pipeline.ask(ASKED["question"]))))
    assert list(got) == list(expected) == [field.name for field in fields(Answer)]
    assert {**got, "timings_ms": None} == {**expected, "timings_ms": None}
    assert got["status"] == "answered"
    citation = got["citations"][0]
    assert TOWN[citation["start_char"] : citation["end_char"]] == citation["cited_text"]
    assert TOWN[citation["answer_start_char"] : citation["answer_end_char"]] == got["answer"]


def test_ask_no_answer(client: TestClient) -> None:
    """That the articles do not say is an answer too: status 200, with the closest passages."""
    response = client.post("/ask", json={"question": "Who won the cup?", "top_k": 2.0})
    assert response.status_code == 200
    answer = response.json()
    assert answer["status"] == "no_answer"
    assert answer["answer"] is None
    assert answer["claims"] == answer["citations"] == []
    assert len(answer["nearest"]) == 2


def test_ask_for_html(client: TestClient) -> None:
    """A client that accepts HTML gets the turn alone, without a page around it."""
    response = client.post("/ask", json=ASKED, headers=HTML)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert '<section class="turn"' in response.text
    assert "<html" not in response.text


def test_ask_with_history(client: TestClient) -> None:
    """A follow-up is understood from the history that is sent."""
    history = [{"question": "Who opened the bridge?", "answer": None}]
    answer = client.post("/ask", json={"question": "And in pounds?", "history": history}).json()
    assert answer["question_used"] != answer["question"] == "And in pounds?"


def test_ask_documents(client: TestClient) -> None:
    """Only the named articles are asked; one that is unknown is named in the error."""
    body = {"question": "Did a storm hit?", "documents": ["farm"]}
    answer = client.post("/ask", json=body).json()
    assert {item["document_id"] for item in answer["nearest"]} == {"farm"}
    error = error_of(client.post("/ask", json={**ASKED, "documents": ["nowhere"]}), 404)
    assert error == "no article has the id 'nowhere'; see their list"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            '{"questoin": "Why?"}',
            "unknown field 'questoin'; the fields are question, history, documents, since, until,",
        ),
        (
            '{"question": "Why?", "history": [{"asked": "What?"}]}',
            "unknown field 'asked'; the fields are question, answer (in history[0])",
        ),
        ("{}", "the field 'question' is missing; add it"),
        ('{"question": 7}', "the field 'question' should be a valid string"),
        ('{"question": "Why?", "top_k": "3"}', "the field 'top_k' should be a valid integer"),
        (
            '{"question": "Why?", "history": [{"question": null}]}',
            "the field 'history[0].question' should be a valid string",
        ),
        ('{"question": "\\ud800"}', "the "),
        ('{"question": "?", "history": [{"question": "?", "answer": "\\ud800"}]}', "an earlier "),
        ('{"\\ud800": "Why?"}', "unknown field '\\ud800'; the fields are question"),
        ('{"question": ', "the body is not JSON: Expecting value at character 13"),
        ("", "the body is not a JSON object; send one"),
        (b'{"question": "\xff"}', "the body cannot be read as JSON; send one UTF-8 object"),
        ("[" * 20_000, "the body cannot be read as JSON; send one UTF-8 object"),
        ("[]", "the body is not a JSON object; send one"),
        ('{"question": " "}', "the question is empty; type one"),
        ('{"question": "Why?", "top_k": 0}', "top_k is out of range; give a number from 1 to 20"),
        ('{"question": "Why?", "documents": []}', "no article is named"),
        (
            '{"question": "Why?", "since": "soon"}',
            "since is no date: 'soon'; write it as 2024-07-12",
        ),
        ('{"question": "Why?", "until": 2024}', "the field 'until' should be a valid string"),
        ('{"question": "Why?", "since": "2024", "until": "2023"}', "since (2024-01-01) is after "),
        (
            json.dumps({"question": "x" * 10_000}),
            "the question has 10,000 characters; shorten it to 1,000",
        ),
        (
            json.dumps({"question": "Why\u0007?"}),
            "the question holds the control character U+0007 at position 3; remove it",
        ),
    ],
)
def test_bad_request(client: TestClient, body: str | bytes, message: str) -> None:
    """A request that cannot be used is refused in one line that says what to change."""
    headers = {"Content-Type": "application/json"}
    response = client.post("/ask", content=body, headers=headers)
    assert error_of(response, 422).startswith(message)


def test_body_that_is_not_announced_as_json(client: TestClient) -> None:
    """A body of another content type is refused with the header to send."""
    response = client.post("/ask", content=json.dumps(ASKED), headers={"Content-Type": "text/x"})
    assert "Content-Type: application/json" in error_of(response, 422)


@pytest.mark.parametrize("announced", [True, False])
def test_body_too_large(client: TestClient, announced: bool) -> None:
    """A body over the limit is refused, whether it says how long it is or not."""
    body = b" " * (MAX_BODY + 1)
    content = body if announced else iter([body[:1000], body[1000:]])
    assert "1,048,576 bytes" in error_of(client.post("/ask", content=content), 413)


def test_body_as_large_as_allowed(client: TestClient) -> None:
    """A body of exactly the limit is read."""
    body = json.dumps(ASKED).encode().ljust(MAX_BODY)
    response = client.post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 200


def test_ask_batch(client: TestClient, pipeline: Pipeline) -> None:
    """Questions are answered in their order."""
    body = {"questions": [ASKED, {"question": "Who won the cup?"}]}
    answers = client.post("/ask/batch", json=body).json()["answers"]
    assert [answer["status"] for answer in answers] == ["answered", "no_answer"]


@pytest.mark.parametrize(
    ("questions", "message"),
    [
        ([ASKED] * 101, "should have at most 100 items"),
        ([], "should have at least 1 item"),
        ([ASKED, {"question": ""}], "the question is empty; type one (in questions[1])"),
        ([ASKED, {"q": ""}], "unknown field 'q'"),
    ],
)
def test_bad_batch(client: TestClient, questions: list[Any], message: str) -> None:
    """A batch is refused whole, with the place of the question that is wrong."""
    assert message in error_of(client.post("/ask/batch", json={"questions": questions}), 422)


def test_ask_a_span_of_time(client: TestClient) -> None:
    """Only articles that are dated from one day to the other are asked, both included."""
    for since, until, status in (
        ("2024-07-12", "2024-07-12", "answered"),
        ("2024", None, "answered"),
        ("2024-08", None, "no_answer"),
        (None, "2024-07-11", "no_answer"),
        (None, "2024-07", "answered"),
    ):
        answer = client.post("/ask", json={**ASKED, "since": since, "until": until}).json()
        assert answer["status"] == status, (since, until)
    found = client.post("/search", json={"query": "money", "since": "2024"}).json()["results"]
    assert {item["document_id"] for item in found} == {"town"}
    batch = {"questions": [ASKED, {**ASKED, "until": "2020"}]}
    answers = client.post("/ask/batch", json=batch).json()["answers"]
    assert [answer["status"] for answer in answers] == ["answered", "no_answer"]
    assert answers[1]["message"] == "None of the articles asked is dated in that span of time."


def test_search(client: TestClient) -> None:
    """Search gives at most top_k citations, verbatim, whether or not they answer."""
    results = client.post("/search", json={"query": "farmers money", "top_k": 2}).json()["results"]
    assert len(results) == 2
    assert results[0]["document_id"] == "farm"
    for item in results:
        text = FARM if item["document_id"] == "farm" else TOWN
        assert text[item["start_char"] : item["end_char"]] == item["cited_text"]


def test_unknown_address(client: TestClient) -> None:
    """Unknown addresses and methods are errors of the same shape."""
    assert error_of(client.get("/nothing"), 404) == "there is nothing at '/nothing'; see /docs"
    assert error_of(client.get("/static/nothing.css"), 404)
    response = client.put("/ask")
    assert error_of(response, 405) == "the method is not possible at '/ask'; see /docs"
    assert response.headers["allow"] == "POST"


def test_headers_on_every_response(client: TestClient) -> None:
    """Pages, records, files and errors all carry the headers that forbid."""
    responses = [
        client.get("/"),
        client.get("/docs"),
        client.get("/openapi.json"),
        client.get("/static/chat.js"),
        client.get("/nothing"),
        client.get("/articles/nowhere", headers=HTML),
        client.post("/ask", json=ASKED),
        client.post("/ask", json={}),
        client.post("/ask", content=b" " * (MAX_BODY + 1)),
        client.put("/ask"),
    ]
    assert {200, 404, 405, 413, 422} == {response.status_code for response in responses}
    for response in responses:
        assert {name: response.headers[name] for name in HEADERS} == HEADERS
    policy = responses[0].headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")


def test_defect(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is logged with its traceback; the client learns nothing of it."""
    pipeline = make_pipeline(town())

    def fail(*_: object) -> Answer:
        raise ZeroDivisionError("secret")

    with serve(pipeline) as client:
        monkeypatch.setattr(pipeline, "ask", fail)
        response = client.post("/ask", json=ASKED)
        page = client.get("/?q=Why", headers=HTML)
    assert "secret" not in error_of(response, 500)
    assert page.status_code == 500
    assert "secret" not in page.text
    assert {name: response.headers[name] for name in HEADERS} == HEADERS
    assert "ZeroDivisionError: secret" in caplog.text


def test_while_loading() -> None:
    """Before the articles are loaded the server lives, but asks for patience."""
    loaded = Event()

    def open_slowly() -> Pipeline:
        loaded.wait(10)
        return make_pipeline(town())

    with client_of(open_slowly) as client:
        assert client.get("/healthz").json() == {"status": "running"}
        for response in (client.get("/readyz"), client.post("/ask", json=ASKED), client.get("/")):
            assert "still being loaded" in error_of(response, 503)
            assert int(response.headers["retry-after"]) > 0
        page = client.get("/", headers=HTML)
        assert page.status_code == 503
        assert '<meta http-equiv="refresh"' in page.text
        assert client.get("/static/style.css").status_code == 200
        loaded.set()
        wait_until(lambda: client.get("/readyz").status_code == 200)
        assert client.get("/readyz").json() == {"status": "ready"}
        assert client.get("/", headers=HTML).status_code == 200


def test_asking_blocks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a question is being answered the server goes on serving others."""
    pipeline = make_pipeline(town())
    answered = Event()
    asking = Event()
    ask = pipeline.ask

    def ask_slowly(*arguments: Any) -> Answer:
        asking.set()
        answered.wait(10)
        return ask(*arguments)

    with serve(pipeline) as client:
        monkeypatch.setattr(pipeline, "ask", ask_slowly)
        thread = Thread(target=client.post, args=["/ask"], kwargs={"json": ASKED})
        thread.start()
        assert asking.wait(10)
        assert client.get("/healthz").status_code == 200
        answered.set()
        thread.join(10)


def test_head(client: TestClient) -> None:
    """Whoever asks only for headers gets them."""
    assert client.head("/").status_code == 200
    assert client.head("/articles/town").status_code == 200


def test_openapi(client: TestClient) -> None:
    """The schema names the routes and the answer record, and shows both kinds of answer."""
    schema = client.get("/openapi.json").json()
    assert set(schema["paths"]) == {
        "/ask",
        "/ask/batch",
        "/search",
        "/articles",
        "/articles/{id}",
        "/healthz",
        "/readyz",
    }
    content = schema["paths"]["/ask"]["post"]["responses"]["200"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Answer"}
    assert set(content["examples"]) == {"answered", "no_answer"}
    assert "HTTPValidationError" not in json.dumps(schema)


def test_examples_hold() -> None:
    """The examples are requests that can be sent, and answers whose quotations stand."""
    documents = {document.id: document for document in read_corpus(CORPUS)}
    for example in ANSWERS.values():
        record = example["value"]
        assert list(record) == [field.name for field in fields(Answer)]
        for citation in (*record["citations"], *record["nearest"]):
            assert list(citation) == [field.name for field in fields(Citation)]
        for claim in record["claims"]:
            assert list(claim) == [field.name for field in fields(Claim)]
        assert list(broken_quotations(record, documents)) == []
    for model, examples in (
        (AskRequest, QUESTIONS),
        (BatchRequest, BATCHES),
        (SearchRequest, SEARCHES),
    ):
        for example in examples.values():
            model.model_validate(example["value"])


def test_docs(client: TestClient) -> None:
    """The page for programmers needs no other host and explains every route and field."""
    page = client.get("/docs").text
    assert "https://" not in page
    for path in client.get("/openapi.json").json()["paths"]:
        assert f"{path}</code>" in page
    for record in (Answer, Claim, Citation):
        for field in fields(record):
            assert f"<code>{field.name}</code>" in page, field.name
    assert "curl http://testserver/ask --json" in page
