"""The conversation in the browser: kept in its tab, taken up again, linked to, judged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect

from browser_fixtures import COST, PHONE, Open, ask, serving
from rustqa.feedback import FeedbackFile
from web_fixtures import DISPUTED, GREETING, SAID, farm, make_pipeline, town

pytestmark = pytest.mark.browser

SILENT = "Who won the cup?"
MISSPELT = "Who thanked the engineers in puonds?"
MENDED = "Who thanked the engineers in pounds?"


def ask_all(page: Page, *questions: str) -> None:
    """Asks one question after another and waits for the last answer."""
    before = page.locator(".turn[data-record]").count()
    for number, question in enumerate(questions, before + 1):
        ask(page, question)
        expect(page.locator(".turn[data-record]")).to_have_count(number)


def history_of(request: Request) -> list[str]:
    """The earlier questions that are sent along."""
    body = json.loads(request.post_data or "")
    return [turn["question"] for turn in body["history"]]


def test_a_reload_shows_the_conversation_again(open_page: Open) -> None:
    """Its turns, the mark in the article and the history stand as they stood; in no other tab."""
    page = open_page()
    ask_all(page, SILENT, COST)
    before = page.locator(".turn").all_inner_texts()
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    assert page.locator(".turn").all_inner_texts() == before
    expect(page.locator("#article .cited")).to_have_text("The bridge cost nine million pounds.")
    expect(page.locator(".welcome")).to_have_count(0)
    with page.expect_request("**/ask") as sent:
        ask(page, "Why Monday?")
    assert history_of(sent.value) == [SILENT, COST]
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".welcome")).to_be_visible()


def test_new_chat(open_page: Open) -> None:
    """It forgets the conversation, for the tab and for a reload."""
    page = open_page()
    expect(page.get_by_role("button", name="New chat")).to_be_hidden()
    ask_all(page, COST)
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".welcome")).to_be_visible()
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(0)


def test_a_conversation_that_cannot_be_kept(open_page: Open) -> None:
    """If the browser stores nothing the page says so and goes on."""
    page = open_page()
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full') } }")
    ask_all(page, COST, SILENT)
    expect(page.get_by_role("alert")).to_contain_text("save it before you reload")
    expect(page.get_by_label("Your question")).to_have_value("")


@pytest.mark.parametrize(
    "stored", ["{", "7", "[1, null]", '["<p>x</p>"]', "[\"<p class='turn' data-record='{'>\"]"]
)
def test_storage_that_is_not_ours(open_page: Open, stored: str) -> None:
    """What cannot be a conversation is left out."""
    page = open_page()
    ask_all(page, COST)
    page.evaluate("text => sessionStorage.setItem(Object.keys(sessionStorage)[0], text)", stored)
    page.reload()
    expect(page.locator(".welcome")).to_be_visible()
    ask_all(page, COST)


def test_stored_markup_is_never_run(browser: Browser) -> None:
    """If another script wrote into the storage, nothing of it is shown, let alone run."""
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    with serving(make_pipeline(town())) as address:
        context = browser.new_context()
        page = context.new_page()
        page.on("dialog", refuse)
        page.goto(address)
        ask_all(page, COST)
        page.evaluate(
            """() => {
              const [key] = Object.keys(sessionStorage);
              const [turn] = JSON.parse(sessionStorage.getItem(key));
              const evil = `<script>alert(1)</script><img src=x onerror="alert(2)" class="evil">
                <iframe srcdoc="<script>alert(3)</script>"></iframe></section>`;
              sessionStorage.setItem(key, JSON.stringify([turn.replace("</section>", evil)]));
            }"""
        )
        page.reload()
        page.wait_for_load_state("networkidle")
        expect(page.locator(".turn, .evil")).to_have_count(0)
        context.close()
    assert dialogs == []


def test_link(open_page: Open) -> None:
    """A turn's link is copied; opened, it shows the question, its answer and the sentence."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask_all(page, SILENT, COST)
    page.get_by_role("link", name="Link", exact=True).last.click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert ":~:text=The%20bridge%20cost" in link
    other = page.context.new_page()
    other.goto(link)
    expect(other.locator(".turn h2")).to_have_text(COST)
    expect(other.locator(".turn mark.words").first).to_have_text("pounds")
    expect(other.locator("#article .cited")).to_be_in_viewport()
    ask_all(other, SILENT)
    other.reload()
    expect(other.locator(".turn")).to_have_count(2)


def test_link_of_a_known_turn(open_page: Open) -> None:
    """Opened in its own conversation it adds nothing; a link from elsewhere follows the rest."""
    page = open_page()
    ask_all(page, COST, SILENT)
    link = page.locator(".permalink").first.get_attribute("href") or ""
    address = page.url.rstrip("/")
    page.goto(address + link)
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".turn h2").first).to_be_in_viewport()
    page.goto(f"{address}/?q=Why Monday?")
    expect(page.locator(".turn h2")).to_have_text([COST, SILENT, "Why Monday?"])


def test_edit_what_was_understood(open_page: Open) -> None:
    """What was understood goes to the box, to be changed and asked by itself, once."""
    page = open_page()
    ask_all(page, SILENT, MISSPELT)
    page.get_by_role("button", name="Edit").click()
    box = page.get_by_label("Your question")
    expect(box).to_be_focused()
    expect(box).to_have_value(MENDED)
    expect(page.get_by_role("status")).to_contain_text("by itself")
    with page.expect_request("**/ask") as sent:
        page.keyboard.press("Enter")
    assert sent.value.post_data_json == {"question": MENDED, "history": []}
    expect(page.locator(".turn[data-record]")).to_have_count(3)
    expect(page.get_by_role("status")).to_be_hidden()
    with page.expect_request("**/ask") as sent:
        ask(page, SILENT)
    assert history_of(sent.value) == [SILENT, MISSPELT, MENDED]


def test_an_emptied_box_belongs_to_the_conversation_again(open_page: Open) -> None:
    """Who takes the understood question out of the box asks within the conversation."""
    page = open_page()
    ask_all(page, MISSPELT)
    page.get_by_role("button", name="Edit").click()
    page.get_by_label("Your question").fill("")
    expect(page.get_by_role("status")).to_be_hidden()
    with page.expect_request("**/ask") as sent:
        ask(page, SILENT)
    assert history_of(sent.value) == [MISSPELT]


def test_following_questions(open_page: Open) -> None:
    """The last turn offers what has not been asked, however it was written; one click asks."""
    page = open_page()
    ask_all(page, SILENT)
    offered = page.locator(".following a")
    expect(offered).to_have_text([COST])
    offered.click()
    expect(page.locator(".turn[data-record]")).to_have_count(2)
    expect(page.locator(".following:visible")).to_have_count(0)
    page.get_by_role("button", name="New chat").click()
    ask_all(page, COST.upper().rstrip("?"), SILENT)
    expect(page.locator(".following:visible")).to_have_count(0)


def test_small_talk(open_page: Open) -> None:
    """What rustqa says is shown as its own, and is no history to lean on."""
    page = open_page()
    ask_all(page, GREETING)
    turn = page.locator(".turn")
    expect(turn.locator(".own")).to_contain_text(SAID)
    expect(turn.locator("blockquote")).to_have_count(0)
    expect(turn.locator(".following a")).to_have_text([COST])
    with page.expect_request("**/ask") as sent:
        ask(page, SILENT)
    assert history_of(sent.value) == []


def test_accounts_side_by_side(open_page: Open) -> None:
    """Differing accounts stand beside one another where there is room, else below."""
    for viewport, beside in (({"width": 1280, "height": 800}, True), (PHONE, False)):
        page = open_page(viewport=viewport)
        ask_all(page, DISPUTED)
        accounts = page.locator(".accounts figure")
        first, second = accounts.nth(0).bounding_box(), accounts.nth(1).bounding_box()
        assert first
        assert second
        assert (first["y"] == second["y"]) is beside
        assert (first["x"] == second["x"]) is not beside
        expect(accounts.get_by_role("heading").first).to_have_text("<b>Mr 0")
        expect(page.locator("#article .also")).to_have_count(0)


def test_recall(open_page: Open) -> None:
    """The arrows go back through the questions and forth again, not away from what is typed."""
    page = open_page()
    ask_all(page, COST, SILENT)
    box = page.get_by_label("Your question")
    for key, value in (
        ("ArrowUp", SILENT), ("ArrowUp", COST), ("ArrowUp", COST),
        ("ArrowDown", SILENT), ("ArrowDown", ""), ("ArrowDown", ""),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(box).to_have_value(value)
    page.keyboard.type("Why")
    page.keyboard.press("ArrowUp")
    expect(box).to_have_value("Why")


def test_everything_is_reached_by_keyboard(open_page: Open) -> None:
    """The Tab key stops at every control of a turn, and each stop can be seen."""
    page = open_page()
    ask_all(page, MISSPELT)
    page.get_by_role("log").focus()
    stops = []
    for _ in range(12):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.textContent.trim()"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", stops
    wanted = ["Edit", "Paragraph 2", "New bridge opens", "Copy", "Link", "New chat", "Markdown"]
    places = [[stop.lower() for stop in stops].index(name.lower()) for name in wanted]
    assert places == sorted(places)


def test_touch(open_page: Open) -> None:
    """Where keys are on the screen, they make room for the answer."""
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    ask_all(page, COST)
    expect(page.get_by_label("Your question")).not_to_be_focused()
    expect(page.locator(".turn blockquote").first).to_be_in_viewport()


def test_reduced_motion(open_page: Open) -> None:
    """Who wants no motion gets none while waiting."""
    for motion, name in (("reduce", "none"), ("no-preference", "breathe")):
        page = open_page(reduced_motion=motion)
        page.evaluate("() => { window.fetch = () => new Promise(() => {}) }")
        ask(page, COST)
        moving = page.locator(".waiting p").evaluate("text => getComputedStyle(text).animationName")
        assert moving == name


def test_print(open_page: Open) -> None:
    """On paper stand questions, quotations and citations, without what can only be clicked."""
    page = open_page()
    ask_all(page, SILENT, MISSPELT)
    page.emulate_media(media="print")
    expect(page.locator("blockquote").last).to_be_visible()
    expect(page.locator("figcaption").last).to_be_visible()
    for selector in (".turn .tools", ".edit", ".following"):
        assert page.locator(f"{selector}:visible").count() == 0
    address = page.locator(".original").last.evaluate("a => getComputedStyle(a, '::after').content")
    assert "https://news.example/bridge" in address


def test_verdict(browser: Browser, tmp_path: Path) -> None:
    """One click keeps the verdict with its question and history; a reload still says so; one that
    could not be kept can be given again."""
    file = tmp_path / "kept.jsonl"
    with serving(make_pipeline(town(), farm()), FeedbackFile(file)) as address:
        context = browser.new_context()
        page = context.new_page()
        page.goto(address)
        ask_all(page, SILENT, COST)
        turn = page.locator(".turn").last
        expect(turn.get_by_text("in a file on this machine")).to_be_visible()
        turn.get_by_role("button", name="This is right").click()
        expect(turn.get_by_text("Kept in the file: this is right.")).to_be_visible()
        page.locator(".turn").first.get_by_role("button", name="This is wrong").click()
        expect(page.get_by_text("Kept in the file: this is wrong.")).to_be_visible()
        page.reload()
        expect(page.get_by_text("Kept in the file: this is right.")).to_be_visible()
        ask_all(page, "Why Monday?")
        page.evaluate("() => { window.fetch = async () => { throw new TypeError('gone') } }")
        page.locator(".turn").last.get_by_role("button", name="This is right").click()
        expect(page.get_by_role("alert")).to_contain_text("cannot be reached")
        expect(page.get_by_role("button", name="This is right")).to_be_enabled()
        context.close()
    right, wrong = map(json.loads, file.read_text().splitlines())
    assert (right["verdict"], right["answers"]) == ("right", ["pounds"])
    assert right["history"] == [{"question": SILENT, "answer": None}]
    assert (wrong["verdict"], wrong["question"], wrong["history"]) == ("wrong", SILENT, [])
