"""The chat page in Chromium: with and without JavaScript, by keyboard, in the dark, on a phone."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Dialog, expect

from browser_fixtures import COST, PHONE, Open, ask, scroll_width, serving
from web_fixtures import DISPUTED, GREETING, hostile, make_pipeline

pytestmark = pytest.mark.browser

KEY = "What lay in the vault?"


def test_ask(open_page: Open) -> None:
    """A question is answered in the log and its sentence marked in the article."""
    page = open_page()
    ask(page, COST)
    log = page.get_by_role("log")
    expect(log).to_have_attribute("aria-live", "polite")
    expect(log.locator("h2.question")).to_have_text(COST)
    expect(log.locator("mark.words").first).to_have_text("pounds")
    cited = page.locator("#article .cited")
    expect(cited).to_have_text("The bridge cost nine million pounds.")
    expect(cited.locator("mark")).to_have_text("pounds")
    box = page.get_by_label("Your question")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    expect(page.locator(".welcome")).to_have_count(0)
    assert page.url.endswith("/")


def test_scrolling(open_page: Open) -> None:
    """However long the article, the cited sentence comes into view, and so does the answer."""
    page = open_page()
    ask(page, KEY)
    expect(page.locator("#article .cited")).to_be_in_viewport()
    expect(page.locator(".turn h2")).to_be_in_viewport()
    ask(page, COST)
    ask(page, KEY)
    expect(page.locator(".turn h2").nth(2)).to_be_in_viewport()
    expect(page.locator("#article .cited")).to_be_in_viewport()


def test_on_a_phone(open_page: Open) -> None:
    """Where the article stands below, the answer stays in view until its place is asked for."""
    page = open_page(viewport=PHONE)
    ask(page, KEY)
    cited = page.locator("#article .cited")
    expect(cited).to_have_count(1)
    expect(page.locator(".turn blockquote").first).to_be_in_viewport()
    expect(cited).not_to_be_in_viewport()
    page.locator(".turn a.place").first.click()
    expect(cited).to_be_in_viewport()


def test_conversation(open_page: Open) -> None:
    """Turns follow one another, later ones know the earlier, only the last is highlighted."""
    page = open_page()
    ask(page, COST)
    expect(page.locator(".turn[data-record]")).to_have_count(1)
    with page.expect_request("**/ask") as sent:
        ask(page, "Who won the cup?")
    assert sent.value.post_data_json == {
        "question": "Who won the cup?",
        "history": [{"question": COST, "answer": "pounds"}],
    }
    last = page.locator(".turn[data-record]").nth(1)
    expect(last).to_contain_text("The articles do not say.")
    expect(last.locator("h2")).to_be_in_viewport()
    expect(page.locator("#article .cited")).to_have_count(0)
    expect(page.locator("#article mark")).to_have_count(0)
    with page.expect_request("**/ask") as sent:
        ask(page, COST)
    assert '{"question":"Who won the cup?","answer":null}' in (sent.value.post_data or "")
    expect(page.locator("#article .cited")).to_have_count(1)


def test_other_article(open_page: Open) -> None:
    """The article beside the conversation changes to the one that answers."""
    page = open_page()
    ask(page, "What did the farmers want before autumn?")
    expect(page.get_by_role("heading", level=1)).to_have_text("Harvest lost")
    expect(page.locator("#article .cited")).to_have_text("The farmers want money before autumn.")


def test_citation_leads_to_the_article(open_page: Open) -> None:
    """A citation's paragraph link marks and shows its sentence, also of a passage near by."""
    page = open_page(viewport={"width": 390, "height": 500})
    ask(page, "Who won the cup?")
    link = page.locator(".turn a.place").last
    link.click()
    cited = page.locator("#article .cited")
    expect(cited).to_be_in_viewport()
    quoted = page.locator(".turn blockquote").last.inner_text()
    assert cited.inner_text() == quoted


def test_keyboard(open_page: Open) -> None:
    """The slash goes to the box, Enter sends, and the up arrow brings the last question back."""
    page = open_page()
    box = page.get_by_label("Your question")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    page.keyboard.type("Either/or on Monday?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn[data-record]")).to_have_count(1)
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("Either/or on Monday?")


def test_focus_can_be_seen(open_page: Open) -> None:
    """The first stop of the Tab key is a visible way to the question box."""
    page = open_page()
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Go to the question box")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()


def test_suggestion(open_page: Open) -> None:
    """A suggested question is asked with one click, after which the next can be typed."""
    page = open_page()
    page.get_by_role("link", name=COST).click()
    expect(page.locator(".turn mark.words").first).to_have_text("pounds")
    expect(page.get_by_label("Your question")).to_be_focused()
    assert page.url.endswith("/")


def test_reading_state_and_refusal(open_page: Open) -> None:
    """While waiting the page says so; the server's message replaces it, the question is kept."""
    page = open_page()
    page.evaluate("() => { window.fetch = () => new Promise((done) => { window.reply = done }) }")
    ask(page, COST)
    expect(page.get_by_text("Reading…")).to_be_visible()
    message = "the articles are still being loaded; try again in a moment"
    body = json.dumps({"error": message})
    page.evaluate("body => window.reply(new Response(body, { status: 503 }))", body)
    expect(page.get_by_role("alert")).to_have_text(message)
    expect(page.get_by_label("Your question")).to_have_value(COST)
    expect(page.get_by_text("Reading…")).to_have_count(0)


def test_unreachable(open_page: Open) -> None:
    """If the server is gone the page says so and keeps the question."""
    page = open_page()
    page.evaluate("() => { window.fetch = async () => { throw new TypeError('gone') } }")
    ask(page, COST)
    expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
    expect(page.get_by_label("Your question")).to_have_value(COST)


def test_without_javascript(open_page: Open) -> None:
    """Without JavaScript the form, the answer and the article in view do the same."""
    page = open_page(java_script_enabled=False)
    ask(page, KEY)
    page.wait_for_url("**/?q=*")
    expect(page.locator(".turn mark.words").first).to_have_text("vault")
    cited = page.locator("#article .cited")
    expect(cited).to_have_text("The key lay in the vault.")
    expect(cited).to_be_in_viewport()
    page.locator("#article").evaluate("pane => pane.scrollTo(0, 0)")
    page.locator(".turn a.place").first.click()
    expect(cited).to_be_in_viewport()


def test_answered_page_scrolls(open_page: Open) -> None:
    """A link to an answer opens with the cited sentence in view."""
    page = open_page(f"/?q={KEY}")
    expect(page.locator("#article .cited")).to_be_in_viewport()


def test_dark(open_page: Open) -> None:
    """Who prefers dark pages gets one."""
    shades = {}
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        shades[scheme] = sum(map(int, colour[4:-1].split(",")))
    assert shades["dark"] < 150 < 600 < shades["light"]


@pytest.mark.parametrize("path", ["/", f"/?q={COST}", "/articles/town", "/docs"])
def test_narrow(open_page: Open, path: str) -> None:
    """At 320 pixels nothing has to be scrolled sideways."""
    page = open_page(path, viewport={"width": 320, "height": 600})
    assert scroll_width(page) == 320


def test_narrow_conversation(open_page: Open) -> None:
    """Nor has a conversation, whatever is asked and however long its words."""
    page = open_page(viewport={"width": 320, "height": 640})
    for number, question in enumerate((DISPUTED, GREETING, "x" * 300, COST), 1):
        ask(page, question)
        expect(page.locator(".turn[data-record]")).to_have_count(number)
    assert scroll_width(page) == 320
    inner = "log => log.scrollWidth <= log.clientWidth"
    assert page.get_by_role("log").evaluate(inner)


def test_desktop_fits_the_window(open_page: Open) -> None:
    """On a desktop the panes scroll, the page does not, and the box is always in view."""
    page = open_page(f"/?q={COST}")
    ask(page, "Who won the cup?")
    expect(page.locator(".turn[data-record]")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    expect(page.get_by_label("Your question")).to_be_in_viewport()


def test_print(open_page: Open) -> None:
    """On paper the whole conversation and article stand, without the box."""
    page = open_page(f"/?q={COST}")
    page.emulate_media(media="print")
    expect(page.locator("#ask")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.getElementById('article')).overflowY") == (
        "visible"
    )


def test_hostile_article(browser: Browser) -> None:
    """An article full of scripts is shown as it is written, and runs nothing."""
    seen: list[str] = []

    def refuse(dialog: Dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    with serving(make_pipeline(hostile())) as address:
        context = browser.new_context()
        page = context.new_page()
        page.on("dialog", refuse)
        page.on("console", lambda line: seen.append(line.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.goto(address)
        ask(page, "<img src=x onerror=alert(1)> on Friday?")
        expect(page.locator(".turn[data-record]")).to_have_count(1)
        expect(page.locator("#article .cited")).to_contain_text("<script>alert('text')</script>")
        page.goto(f"{address}/articles/hostile")
        expect(page.get_by_role("heading", level=1)).to_contain_text("<script>alert('title')")
        context.close()
    assert seen == []
