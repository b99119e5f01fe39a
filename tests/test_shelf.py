"""The shelf: one library at a time, replaced while others are still read."""

from __future__ import annotations

from threading import Event
from time import sleep

import pytest
from fastapi.testclient import TestClient

from rustqa.api import create_app
from rustqa.errors import LoadingError, NotReadyError, StoreError
from rustqa.pipeline import Pipeline
from rustqa.shelf import Shelf
from web_fixtures import farm, make_pipeline, town, wait_until


def test_a_library_is_replaced_whole() -> None:
    """Who holds the old one asks it to the end; who comes later gets the new one, of another
    edition."""
    shelf = Shelf(lambda: make_pipeline(town()))
    assert shelf.opened.wait(10)
    old = shelf.library()
    assert shelf.library() is old
    shelf.replace(make_pipeline(farm()))
    new = shelf.library()
    assert list(new.documents) == ["farm"]
    assert new.edition != old.edition
    assert old.pipeline.ask("What did it cost in pounds?").status == "answered"


def test_nothing_is_asked_before_it_is_opened() -> None:
    """The error says to wait."""
    loaded = Event()

    def open_slowly() -> Pipeline:
        loaded.wait(10)
        return make_pipeline(town())

    shelf = Shelf(open_slowly)
    with pytest.raises(NotReadyError, match="still being loaded"):
        shelf.library()
    loaded.set()
    assert shelf.opened.wait(10)
    assert shelf.library().first.id == "town"


def test_whether_it_is_settled() -> None:
    """Opened or not, there is nothing left to wait for."""

    def fail() -> Pipeline:
        raise StoreError("no index there")

    for shelf, opened in ((Shelf(lambda: make_pipeline(town())), True), (Shelf(fail), False)):
        assert shelf.settled.wait(10)
        assert shelf.opened.is_set() is opened


def test_what_cannot_be_opened_stays_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever went wrong, the client learns nothing of a defect."""

    def fail() -> Pipeline:
        raise KeyError("secret")

    shelf = Shelf(fail)
    wait_until(lambda: "secret" in caplog.text)
    with pytest.raises(LoadingError, match="finds the reason in its log"):
        shelf.library()
    assert not shelf.opened.is_set()


def test_loaded_first() -> None:
    """A server that is to listen only then is ready from its first request on."""

    def open_slowly() -> Pipeline:
        sleep(0.3)
        return make_pipeline(town())

    with TestClient(create_app(open_slowly, loaded_first=True)) as client:
        assert client.get("/readyz").status_code == 200
