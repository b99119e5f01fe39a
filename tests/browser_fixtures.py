"""What the tests in the browser share: Chromium, a real server, and a page that is watched."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, ViewportSize, expect, sync_playwright

from rustqa.api import create_app
from rustqa.feedback import FeedbackFile
from rustqa.pipeline import Pipeline
from rustqa.upkeep import Upkeep
from web_fixtures import archive, farm, make_pipeline, town, wait_until

COST = "What did it cost in pounds?"
DESKTOP: ViewportSize = {"width": 1280, "height": 500}
PHONE: ViewportSize = {"width": 390, "height": 844}

Open = Callable[..., Page]


def chromium() -> str:
    """The browser's path; without one the tests are skipped, but never in CI."""
    named = os.environ.get("RUSTQA_CHROMIUM") or "/usr/bin/chromium"
    found = shutil.which(named) or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None and not os.environ.get("CI"):
        pytest.skip("no Chromium; set RUSTQA_CHROMIUM to its path")
    return found or named


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One headless browser for all tests."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    expect.set_options(timeout=15_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=arguments)
        yield browser
        browser.close()


@contextmanager
def serving(
    pipeline: Pipeline, feedback: FeedbackFile | None = None, upkeep: Upkeep | None = None
) -> Iterator[str]:
    """The address of a real server that has loaded the pipeline."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        app = create_app(lambda: pipeline, feedback, upkeep)
        config = uvicorn.Config(app, log_level="warning", ws="none")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        wait_until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with three articles, of which one is long, that asks whether it is right."""
    feedback = FeedbackFile(tmp_path_factory.mktemp("feedback") / "kept.jsonl")
    with serving(make_pipeline(town(), farm(), archive()), feedback) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Opens the start page; afterwards it is known to have kept to its host and to the rules."""
    pages: list[Page] = []
    faults: list[str] = []

    def watch(request: Request) -> None:
        if not request.url.startswith(address + "/"):
            faults.append(f"asked for {request.url}")

    def visit(path: str = "/", viewport: ViewportSize = DESKTOP, **options: Any) -> Page:
        context = browser.new_context(viewport=viewport, **options)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("request", watch)
        page.on("console", lambda line: faults.append(line.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address + path)
        pages.append(page)
        return page

    yield visit
    for page in pages:
        page.context.close()
    assert faults == []


def ask(page: Page, question: str) -> None:
    """Types a question and sends it with Enter, once the one before is answered."""
    expect(page.locator(".waiting")).to_have_count(0)
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")


def scroll_width(page: Page) -> int:
    """How wide the page is, seen or not."""
    width: int = page.evaluate("document.documentElement.scrollWidth")
    return width
