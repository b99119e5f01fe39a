"""Takes the screenshots in docs/ from a running server: python docs/screenshots.py [URL]."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import sync_playwright

ANSWERED = "Who loaded the gun?"
NOT_SAID = "How much did the film cost?"
DESKTOP, PHONE = (1180, 760), (390, 800)
SHOTS = {
    "answered": (ANSWERED, DESKTOP, "light"),
    "answered-dark": (ANSWERED, DESKTOP, "dark"),
    "not-said": (NOT_SAID, DESKTOP, "light"),
    "phone": (ANSWERED, PHONE, "light"),
}


def main() -> None:
    """Writes one PNG for each entry of SHOTS."""
    url = sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("RUSTQA_CHROMIUM", "/usr/bin/chromium"),
            args=["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, (question, (width, height), scheme) in SHOTS.items():
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.goto(f"{url}?q={quote(question)}")
            page.screenshot(path=Path(__file__).with_name(f"{name}.png"))
        browser.close()


if __name__ == "__main__":
    main()
