"""Takes the screenshots in docs/: python docs/screenshots.py [URL of a running server]."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ANSWERED = ("Why was the case dismissed?",)
NOT_SAID = ("How much did the film cost?",)
CONTESTED = ("Were the bullets relevant to the Rust case?",)
FOLLOW_UP = ("Who loaded the gun?", "How long is she serving?")
DESKTOP, PHONE = (1180, 760), (390, 800)
SHOTS = {
    "answered": (ANSWERED, DESKTOP, "light"),
    "answered-dark": (ANSWERED, DESKTOP, "dark"),
    "not-said": (NOT_SAID, DESKTOP, "light"),
    "contested": (CONTESTED, DESKTOP, "light"),
    "follow-up": (FOLLOW_UP, DESKTOP, "light"),
    "phone": (ANSWERED, PHONE, "light"),
}


def main() -> None:
    """Writes one PNG for each entry of SHOTS."""
    if len(sys.argv) > 1:
        take(sys.argv[1])
    else:
        with serving() as url:
            take(url)


@contextmanager
def serving() -> Iterator[str]:
    """The address of a server of this checkout, once it is ready."""
    command = [sys.executable, "-m", "rustqa", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:  # noqa: S603
        try:
            assert server.stderr  # noqa: S101
            url = server.stderr.readline().split(" on ")[1].split()[0]
            while not is_ready(url):
                time.sleep(0.2)
            yield url
        finally:
            server.terminate()


def is_ready(url: str) -> bool:
    """Whether the server answers; raises HTTPError if it never will."""
    try:
        with urllib.request.urlopen(url + "readyz"):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        if "Retry-After" not in error.headers:
            raise
        return False


def take(url: str) -> None:
    """Asks the questions of each shot and takes it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("RUSTQA_CHROMIUM", "/usr/bin/chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, (questions, (width, height), scheme) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                reduced_motion="reduce",
            )
            page.goto(url)
            for number, question in enumerate(questions):
                ask(page, question, number)
            page.screenshot(path=Path(__file__).with_name(f"{name}.png"))
            page.close()
        browser.close()


def ask(page: Page, question: str, before: int) -> None:
    """Asks as a person does and waits for the answer, the focus out of the box."""
    page.get_by_label("Your question").fill(question)
    page.keyboard.press("Enter")
    page.locator(".turn[data-record]").nth(before).wait_for()
    page.locator(".waiting").wait_for(state="detached")
    page.get_by_label("Your question").blur()


if __name__ == "__main__":
    main()
