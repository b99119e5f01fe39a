"""The shelf: one library at a time, replaced while others are still read."""

from __future__ import annotations

from threading import Event

import pytest

from rustqa.errors import LoadingError, NotReadyError
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


def test_what_cannot_be_opened_stays_an_error(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever went wrong, the client learns nothing of a defect."""

    def fail() -> Pipeline:
        raise KeyError("secret")

    shelf = Shelf(fail)
    wait_until(lambda: "secret" in caplog.text)
    with pytest.raises(LoadingError, match="loading failed; see the log"):
        shelf.library()
    assert not shelf.opened.is_set()
