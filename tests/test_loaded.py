"""What the routes are given, and what a visitor reads where they are given nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import pytest

from rustqa.errors import EncoderError, LockedError, ReaderError, RustQAError, StoreError
from rustqa.pipeline import Pipeline
from rustqa.types import Answer
from rustqa.upkeep import Keeper
from web_fixtures import HTML, client_of, kept_up, make_pipeline, serve, town, wait_until

ASKED = {"question": "What did it cost in pounds?"}
AWAY = (
    "the articles cannot be shown or changed at the moment; "
    "who runs this server finds the reason in its log"
)


@pytest.mark.parametrize("error", [StoreError("/srv/secret"), ZeroDivisionError("/srv/secret")])
def test_failed_loading(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """If loading fails the log alone says why, once; nobody is promised that waiting helps."""

    def fail() -> Pipeline:
        raise error

    with client_of(fail) as client:
        wait_until(lambda: "retry-after" not in client.get("/readyz").headers)
        response = client.post("/ask", json=ASKED)
        assert (response.status_code, response.json()) == (503, {"error": AWAY})
        assert client.get("/healthz").status_code == 200
        page = client.get("/", headers=HTML)
        assert AWAY in page.text
        assert "refresh" not in page.text
        assert "secret" not in page.text
    assert caplog.text.count("loading failed") == 1
    assert "/srv/secret" in caplog.text


@pytest.mark.parametrize(
    "error",
    [
        StoreError("/srv/secret is damaged; build it again: rustqa index --index /srv/secret"),
        EncoderError("/srv/secret is damaged"),
        ReaderError("/srv/secret is damaged"),
    ],
)
def test_what_is_for_the_operator_is_logged(
    error: RustQAError, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asks reads whom to tell, whichever route is asked; the log has the whole message."""
    pipeline = make_pipeline(town())

    def fail(*_: object, **__: object) -> Answer:
        raise error

    with serve(pipeline) as client:
        monkeypatch.setattr(pipeline, "ask", fail)
        for path, sent in (("/ask", ASKED), ("/ask/batch", {"questions": [ASKED]})):
            caplog.clear()
            response = client.post(path, json=sent)
            assert (response.status_code, response.json()) == (503, {"error": AWAY})
            assert str(error) in caplog.text
        page = client.get("/?q=Why", headers=HTML)
    assert page.status_code == 503
    assert AWAY in page.text
    assert "secret" not in page.text


def test_of_an_article_that_is_added_likewise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the page's form, which comes back as it was filled in."""

    def fail(*_: object) -> None:
        raise StoreError("/srv/secret cannot be written")

    monkeypatch.setattr(Keeper, "add", fail)
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    form = {**HTML, "Content-Type": "application/x-www-form-urlencoded"}
    with serve(pipeline, upkeep=upkeep) as client:
        body = urlencode({"title": "Storm", "text": "A storm felled the oak."})
        page = client.post("/articles", content=body, headers=form)
    assert page.status_code == 503
    assert f'role="alert">{AWAY}' in page.text
    assert 'value="Storm"' in page.text
    assert "secret" not in page.text
    assert "/srv/secret" in caplog.text


def test_while_the_index_is_made_who_adds_is_told_to_try_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when, without a path of the server's."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)

    def fail(*_: object) -> None:
        raise LockedError("another process is making the index at /srv/secret")

    monkeypatch.setattr(Keeper, "add", fail)
    with serve(pipeline, upkeep=upkeep) as client:
        response = client.post("/articles", json={"title": "Storm", "text": "It blew."})
    assert (response.status_code, response.headers["retry-after"]) == (503, "10")
    said = "the articles are being changed just now; try again in a moment"
    assert response.json() == {"error": said}
