"""POST /articles: there only if a folder is given, for the own page alone, with what it refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from rustqa.middleware.bodies import MAX_BODY
from web_fixtures import FARM, HTML, client_of, kept_up, serve

STORM = {
    "title": "Storm fells oak",
    "text": "A storm felled the oak of Saltby.\n\nNobody was hurt.",
    "date": "2024-07-14",
    "source": "Herald",
    "url": "https://news.example/storm",
}
FORM = {**HTML, "Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def adding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, Path]]:
    """A client of a server that takes articles, and the folder where it puts them."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    with serve(pipeline, upkeep=upkeep) as client:
        yield client, tmp_path / "added"


def error_of(response: Any, status: int) -> str:
    """The one line of an error response."""
    assert response.status_code == status
    message: str = response.json()["error"]
    return message


def test_adding_is_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a folder is given there is no such route, and no page shows anything of it."""
    pipeline, watching = kept_up(tmp_path, monkeypatch, add=False)
    for upkeep in (None, watching):
        with serve(pipeline, upkeep=upkeep) as client:
            response = client.post("/articles", json=STORM)
            assert error_of(response, 405) == "the method is not possible at '/articles'; see /docs"
            assert "post" not in client.get("/openapi.json").json()["paths"]["/articles"]
            for path in ("/", "/articles", "/docs"):
                assert "Add an article" not in client.get(path, headers=HTML).text


def test_allowed_methods(adding: tuple[TestClient, Path]) -> None:
    """An address that takes several methods names them all, and a file's only those that read."""
    client, _ = adding
    assert client.put("/articles").headers["allow"] == "GET, HEAD, POST"
    assert client.put("/articles/town").headers["allow"] == "GET, HEAD"
    assert client.post("/static/style.css").headers["allow"] == "GET, HEAD"


def test_an_article_is_added(adding: tuple[TestClient, Path]) -> None:
    """The answer says where it is; the next question is asked of it, too."""
    client, folder = adding
    edition = re.search(r'data-edition="([^"]*)"', client.get("/", headers=HTML).text)
    response = client.post("/articles", json=STORM)
    assert response.status_code == 201
    assert response.headers["location"] == "/articles/storm-fells-oak"
    added = response.json()
    assert {name: added[name] for name in ("id", "title", "date", "source", "url")} == {
        "id": "storm-fells-oak", **{name: STORM[name] for name in STORM if name != "text"},
    }  # fmt: skip
    assert client.get("/articles/storm-fells-oak").json()["text"] == STORM["text"] + "\n"
    answer = client.post("/ask", json={"question": "What felled the oak?"}).json()
    assert answer["citations"][0]["document_id"] == "storm-fells-oak"
    assert client.get("/articles").headers["x-total-count"] == "3"
    assert sorted(path.name for path in folder.iterdir()) == [
        "storm-fells-oak.toml", "storm-fells-oak.txt",
    ]  # fmt: skip
    page = client.get("/", headers=HTML).text
    assert edition
    assert edition[0] not in page
    assert "POST /articles" in " ".join(client.get("/docs").text.split())


def test_an_article_is_added_by_a_form(adding: tuple[TestClient, Path]) -> None:
    """Without a script; the page shows it beside the conversation."""
    client, folder = adding
    page = client.get("/articles", headers=HTML).text
    assert '<form method="post" action="/articles">' in page
    fields = set(re.findall(r'<(?:input|textarea) id="new-\w+" name="(\w+)"', page))
    assert fields == set(STORM)
    assert '<a href="/articles#add">Add an article</a>' in client.get("/", headers=HTML).text
    sent = urlencode({**STORM, "text": STORM["text"].replace("\n", "\r\n")})
    response = client.post("/articles", content=sent, headers=FORM, follow_redirects=False)
    assert response.status_code == 303
    assert response.headers["location"] == "/?article=storm-fells-oak"
    assert "A storm felled" in client.get(response.headers["location"], headers=HTML).text
    assert (folder / "storm-fells-oak.txt").read_text() == STORM["text"] + "\n"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({**STORM, "text": FARM}, 409, "the same text is there already, as another article"),
        ({**STORM, "text": ""}, 422, "the article has no text that can be asked; give it some"),
        ({**STORM, "title": " "}, 422, "the article has no title; give it one"),
        ({**STORM, "url": "javascript:alert(1)"}, 422, "the url is no web address; begin it with"),
        ({**STORM, "date": "soon"}, 422, "the date is no date: 'soon'; write it as 2024-07-12"),
        ({**STORM, "path": "/etc"}, 422, "unknown field 'path'; the fields are title, text, url,"),
        ({"title": "x"}, 422, "the field 'text' is missing; add it"),
        ({**STORM, "text": 7}, 422, "the field 'text' should be a valid string"),
        ([STORM], 422, "the body is not a JSON object; send one"),
    ],
)
def test_articles_that_are_refused(
    adding: tuple[TestClient, Path], body: Any, status: int, message: str
) -> None:
    """One line says what to change, and nothing is kept."""
    client, folder = adding
    assert error_of(client.post("/articles", json=body), status).startswith(message)
    assert list(folder.iterdir()) == []
    assert client.get("/articles").headers["x-total-count"] == "2"


def test_a_form_that_is_refused(adding: tuple[TestClient, Path]) -> None:
    """It comes back as it was filled in, whatever stands in it, with what to change."""
    client, folder = adding
    for changes, status, message in (
        ({"text": FARM, "title": "\"><script>alert('x')"}, 409, "the same text is there already"),
        ({"text": "<script>alert('x')</script>", "date": "soon"}, 422, "the date is no date"),
    ):
        page = client.post("/articles", content=urlencode({**STORM, **changes}), headers=FORM)
        assert page.status_code == status
        assert f'role="alert">{message}' in page.text
        assert "<script>" not in page.text
        assert 'value="https://news.example/storm"' in page.text
    missing = client.post("/articles", content="title=x", headers=FORM)
    assert missing.status_code == 422
    assert "the field &#39;text&#39; is missing; add it" in missing.text
    large = client.post("/articles", content="text=" + "x" * MAX_BODY, headers=FORM)
    assert large.status_code == 413
    assert large.headers["content-type"].startswith("text/html")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"title": "\xff"}', "application/json"),
        (b"[" * 20_000, "application/json"),
        (b'{"title": ', "application/json"),
        (b"title=%FF&text=x", "application/x-www-form-urlencoded"),
        (json.dumps(STORM).encode(), "text/plain"),
        (json.dumps(STORM).encode(), ""),
        (b"x", "multipart/form-data; boundary=x"),
    ],
)
def test_bodies_that_cannot_be_read(
    adding: tuple[TestClient, Path], content: bytes, kind: str
) -> None:
    """Another encoding, a broken one, or another content type."""
    client, folder = adding
    response = client.post("/articles", content=content, headers={"Content-Type": kind})
    assert "send one" in error_of(response, 422)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://elsewhere.example"}, 403),
    ],
)
def test_articles_of_another_site(
    adding: tuple[TestClient, Path], headers: dict[str, str], status: int
) -> None:
    """A page of another site cannot add any through a visitor's browser, nor can its forms."""
    client, folder = adding
    assert client.post("/articles", json=STORM, headers=headers).status_code == status
    if status == 403:
        sent = client.post("/articles", content=urlencode(STORM), headers={**FORM, **headers})
        assert sent.status_code == 403
    assert bool(list(folder.iterdir())) is (status == 201)


def test_before_the_articles_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is added where nothing can be asked."""
    _, upkeep = kept_up(tmp_path, monkeypatch)

    def fail() -> Any:
        raise ZeroDivisionError("secret")

    with client_of(fail, upkeep=upkeep) as client:
        assert client.post("/articles", json=STORM).status_code == 503
    assert list((tmp_path / "added").iterdir()) == []
