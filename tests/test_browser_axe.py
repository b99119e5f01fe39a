"""Every page and state of the chat, looked over by axe-core for barriers (WCAG 2.2 A and AA)."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser_fixtures import COST, Open, ask
from web_fixtures import DISPUTED, GREETING

pytestmark = pytest.mark.browser

WHOLE_PAGES = [
    *("/", f"/?q={COST}", "/articles/town", "/docs", "/articles", "/articles?q=zebra"),
    f"/?q={COST}&document=town&document=farm&since=2024",
]
ASKED = [COST, "Who won the cup?", DISPUTED, GREETING, "What did it cost in puonds?"]


def barriers(page: Page) -> list[str]:
    """What axe objects to, each with the places."""
    return [
        f"{fault['id']}: {node['html'][:120]} {node['failureSummary']}"
        for fault in Axe().run(page).response["violations"]
        for node in fault["nodes"]
    ]


def test_a_barrier_would_be_found(open_page: Open) -> None:
    """The page's policy does not keep axe from looking."""
    page = open_page()
    page.locator("label[for=q]").evaluate("label => label.remove()")
    assert "label" in {barrier.split(":")[0] for barrier in barriers(page)}


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (320, "dark")])
def test_no_barriers(open_page: Open, width: int, scheme: Literal["light", "dark"]) -> None:
    """Nothing on any page keeps anyone out, in light and dark, wide and narrow."""
    options = {"viewport": {"width": width, "height": 640}, "color_scheme": scheme}
    for path in WHOLE_PAGES:
        assert barriers(open_page(path, **options)) == [], path
    page = open_page(reduced_motion="reduce", **options)
    for number, question in enumerate(ASKED, 1):
        ask(page, question)
        expect(page.locator(".turn[data-record]")).to_have_count(number)
    page.get_by_role("button", name="Edit").last.click()
    page.locator("#shelf summary").click()
    page.locator("#listed input").first.check()
    assert barriers(page) == []
