"""POST /feedback: there only if switched on, for the own page alone, trusting no client."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rustqa.feedback import MAX_BYTES, FeedbackFile
from web_fixtures import GREETING, farm, make_pipeline, serve, town

ASKED = {"question": "What did it cost in pounds?"}
VERDICT = {**ASKED, "answer": "pounds", "verdict": "right"}


@pytest.fixture
def judged(tmp_path: Path) -> Iterator[tuple[TestClient, Path]]:
    """A client of a server that keeps feedback, and the file where it does."""
    file = tmp_path / "kept.jsonl"
    with serve(make_pipeline(town(), farm()), FeedbackFile(file)) as client:
        yield client, file


def error_of(response: Any, status: int) -> str:
    """The one line of an error response."""
    assert response.status_code == status
    message: str = response.json()["error"]
    return message


def test_feedback_is_off() -> None:
    """Unless it is switched on there is no such route."""
    with serve(make_pipeline(town())) as client:
        message = error_of(client.post("/feedback", json=VERDICT), 404)
    assert message.startswith("there is nothing at '/feedback'")


def test_feedback_is_kept(judged: tuple[TestClient, Path]) -> None:
    """What is kept is what the articles say, not what the client says of them."""
    client, file = judged
    history = [{"question": "Who opened the bridge?", "answer": "The mayor"}]
    response = client.post("/feedback", json={**VERDICT, "history": history})
    assert response.status_code == 200
    client.post(
        "/feedback", json={"question": "Who won the cup?", "answer": None, "verdict": "wrong"}
    )
    right, wrong = map(json.loads, file.read_text().splitlines())
    assert right["id"] == response.json()["id"]
    assert right["answers"] == ["pounds"]
    assert right["support"] == ["The bridge cost nine million pounds."]
    assert right["history"] == history
    assert wrong["answers"] is None
    assert "/feedback" in client.get("/openapi.json").json()["paths"]
    assert "POST /feedback" in " ".join(client.get("/docs").text.split())


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({**VERDICT, "answer": "dollars"}, 409, "the answer is another one by now; ask again"),
        ({**VERDICT, "answer": None}, 409, "the answer is another one by now; ask again"),
        (
            {"question": GREETING, "answer": None, "verdict": "right"},
            409,
            "what rustqa itself says is no answer",
        ),
        ({**VERDICT, "verdict": "good"}, 422, "the field 'verdict' should be 'right' or 'wrong'"),
        (ASKED, 422, "the field 'answer' is missing; add it"),
        ({**VERDICT, "support": ["x"]}, 422, "unknown field 'support'; the fields are question,"),
        ({**VERDICT, "question": " "}, 422, "the question is empty"),
    ],
)
def test_feedback_that_is_refused(
    judged: tuple[TestClient, Path], body: dict[str, Any], status: int, message: str
) -> None:
    """What does not fit an answer is refused with what to do, and nothing is kept."""
    client, file = judged
    assert error_of(client.post("/feedback", json=body), status).startswith(message)
    assert file.read_text() == ""


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, 200),
        ({"Origin": "http://testserver"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
    ],
)
def test_feedback_from_another_site(
    judged: tuple[TestClient, Path], headers: dict[str, str], status: int
) -> None:
    """A page of another site cannot send verdicts through a visitor's browser."""
    client, file = judged
    response = client.post("/feedback", json=VERDICT, headers=headers)
    assert response.status_code == status
    assert bool(file.read_text()) is (status == 200)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_feedback_of_another_content_type(judged: tuple[TestClient, Path], kind: str) -> None:
    """Only JSON is taken, which no form of another site can send."""
    client, file = judged
    body = json.dumps(VERDICT)
    response = client.post("/feedback", content=body, headers={"Content-Type": kind})
    assert "Content-Type: application/json" in error_of(response, 422)
    assert file.read_text() == ""


def test_feedback_that_cannot_be_written(judged: tuple[TestClient, Path]) -> None:
    """A full file is no fault of who judges: the error says whom to tell."""
    client, file = judged
    os.truncate(file, MAX_BYTES)
    error = error_of(client.post("/feedback", json=VERDICT), 507)
    assert "tell who runs this server" in error
    assert file.stat().st_size == MAX_BYTES
