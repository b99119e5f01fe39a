"""The list of articles in Chromium: found, read, chosen to be asked alone, and added to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, Request, Route, expect

from browser_fixtures import COST, Open, ask, scroll_width, serving
from rustqa.corpus import make_document
from rustqa.feedback import FeedbackFile
from web_fixtures import farm, hostile, kept_up, make_pipeline, town, wait_until

pytestmark = pytest.mark.browser

FARMERS = "What did the farmers want before autumn?"
ALL = {"question": COST, "history": []}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with sixty articles, of which two say what the bridge cost."""
    days = [
        make_document(
            f"day-{number}", f"It rained on day {number}.",
            metadata={"title": f"Rain on day {number}", "date": f"{1950 + number}-06-01"},
        )
        for number in range(57)
    ]  # fmt: skip
    bill = make_document(
        "bill", "The bill came to nine million pounds.", metadata={"title": "The bridge’s bill"}
    )
    feedback = FeedbackFile(tmp_path_factory.mktemp("feedback") / "kept.jsonl")
    with serving(make_pipeline(town(), farm(), bill, *days), feedback) as address:
        yield address


def open_shelf(page: Page) -> None:
    """Shows the list of articles."""
    page.locator("#shelf summary").click()


def find(page: Page, words: str, count: int) -> None:
    """Types words and waits for the titles that hold them, which come by themselves."""
    page.get_by_label("Words of a title or source").fill(words)
    expect(page.locator("#listed li")).to_have_count(count)


def tick(page: Page, title: str) -> None:
    """Chooses an article."""
    page.get_by_role("checkbox", name=f"Ask {title}", exact=True).check()


def click_harvest(page: Page) -> Route:
    """Clicks an article in the list; what is asked of the server for it waits to be continued."""
    open_shelf(page)
    find(page, "harvest", 1)
    held: list[Route] = []
    page.route("**/articles/*", lambda route: held.append(route))
    with page.expect_request("**/articles/*"):
        page.locator("#listed").get_by_role("link", name="Harvest lost").click()
    wait_until(lambda: page.evaluate("true") and bool(held))
    return held[0]


def posted(request: Request) -> dict[str, Any]:
    """The body of a request."""
    body: dict[str, Any] = json.loads(request.post_data or "")
    return body


def sent_by(page: Page, question: str) -> dict[str, Any]:
    """What is sent when the question is asked, once it is answered."""
    before = page.locator(".turn[data-record]").count()
    with page.expect_request("**/ask") as sent:
        ask(page, question)
    expect(page.locator(".turn[data-record]")).to_have_count(before + 1)
    return posted(sent.value)


def test_articles_are_found(open_page: Open) -> None:
    """As words are typed, by all of them, in titles and sources; an empty list says so."""
    page = open_page()
    open_shelf(page)
    expect(page.locator("#listed li")).to_have_count(10)
    expect(page.locator(".count")).to_have_text("1–10 of 60")
    find(page, "bridge", 2)
    find(page, "bridge new", 1)
    expect(page.locator("#listed")).to_contain_text("New bridge opens")
    find(page, "zebra", 0)
    expect(page.locator(".count")).to_have_text("No title or source has this word.")
    expect(page.get_by_label("Words of a title or source")).to_be_focused()
    page.get_by_label("Words of a title or source").fill("harvest")
    page.keyboard.press("Enter")
    expect(page.locator("#listed li")).to_have_count(1)
    assert page.url.endswith("/")


def test_the_list_is_paged(open_page: Open) -> None:
    """Forth and back, without leaving the page."""
    page = open_page()
    open_shelf(page)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".count")).to_have_text("11–20 of 60")
    page.get_by_role("link", name="Newer").click()
    expect(page.locator(".count")).to_have_text("1–10 of 60")
    expect(page.get_by_role("link", name="Newer")).to_have_count(0)
    assert page.url.endswith("/")


def test_an_article_is_read_beside_the_conversation(open_page: Open) -> None:
    """Its title stands above, the list says which one it is, and nothing else changes."""
    page = open_page()
    sent_by(page, COST)
    open_shelf(page)
    find(page, "harvest", 1)
    page.locator("#listed").get_by_role("link", name="Harvest lost").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harvest lost")
    expect(page.locator("#article .article")).to_contain_text("A storm destroyed the harvest.")
    expect(page.locator("[aria-current]")).to_have_text("Harvest lost")
    expect(page.locator("#article .cited")).to_have_count(0)
    expect(page.locator(".turn")).to_have_count(1)
    assert sent_by(page, "Why Monday?")["question"] == "Why Monday?"


def test_the_last_wish_counts(open_page: Open) -> None:
    """An article that arrives after the reader went back to another is not shown."""
    page = open_page()
    sent_by(page, COST)
    cited = page.locator("#article .cited")
    expect(cited).to_have_count(1)
    late = click_harvest(page)
    page.locator(".quotation .place").first.click()
    expect(cited).to_have_count(1)
    with page.expect_response("**/articles/*") as response:
        late.continue_()
    response.value.finished()
    # A further fetch is answered after what is done with the late one has been done.
    page.evaluate("async () => { for (let i = 0; i < 5; i += 1) await fetch('/healthz') }")
    expect(cited).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Harvest lost")


def test_an_article_is_opened_whatever_is_asked_meanwhile(open_page: Open) -> None:
    """A question without an answer takes the marks away, not the article that is on its way."""
    page = open_page()
    late = click_harvest(page)
    ask(page, "Who won the cup?")
    expect(page.locator(".turn[data-record]")).to_have_count(1)
    late.continue_()
    expect(page.get_by_role("heading", level=1)).to_have_text("Harvest lost")


def test_only_the_ticked_articles_are_asked(open_page: Open) -> None:
    """From one search to the next, until all are asked again; the page says so all the while."""
    page = open_page()
    assert sent_by(page, COST) == ALL
    limits = page.locator("#limits")
    expect(limits).to_be_hidden()
    open_shelf(page)
    find(page, "harvest", 1)
    tick(page, "Harvest lost")
    expect(limits).to_contain_text("Asking only 1 of 60 articles.")
    find(page, "bridge", 2)
    expect(page.locator("#chosen li")).to_have_count(1)
    tick(page, "New bridge opens")
    expect(limits).to_contain_text("Asking only 2 of 60 articles.")
    assert sorted(sent_by(page, FARMERS)["documents"]) == ["farm", "town"]
    expect(page.locator(".turn").last).to_contain_text("Asked of 2 of 60 articles")
    find(page, "harvest", 1)
    expect(page.locator("#listed input")).to_be_checked()
    expect(page.locator("#chosen li")).to_have_count(1)
    page.get_by_role("checkbox", name="Ask Harvest lost").uncheck()
    assert sent_by(page, "Why Monday?")["documents"] == ["town"]
    page.get_by_role("link", name="Ask all").click()
    expect(limits).to_be_hidden()
    expect(page.locator("#shelf input:checked")).to_have_count(0)
    assert "documents" not in sent_by(page, "Who won the cup?")
    assert page.url.endswith("/")


def test_only_a_span_of_time_is_asked(open_page: Open) -> None:
    """The list shows what is asked then."""
    page = open_page()
    open_shelf(page)
    page.locator("input[name=since]").fill("2001-06-01")
    expect(page.locator(".count")).to_have_text("1–7 of 7")
    page.locator("input[name=until]").fill("2004-12-31")
    expect(page.locator(".count")).to_have_text("1–4 of 4")
    expect(page.locator("#limits")).to_contain_text(
        "Asking only articles from 1 June 2001 to 31 December 2004."
    )
    body = sent_by(page, "Why day 53?")
    assert (body["since"], body["until"]) == ("2001-06-01", "2004-12-31")
    assert "documents" not in body
    expect(page.locator(".turn")).to_contain_text("It rained on day 53.")


def test_the_choice_is_kept_with_the_conversation(open_page: Open) -> None:
    """A reload shows both again, as the start page does; a new chat begins with all articles."""
    page = open_page()
    open_shelf(page)
    find(page, "harvest", 1)
    tick(page, "Harvest lost")
    page.locator("input[name=until]").fill("2030-01-01")
    sent_by(page, FARMERS)
    limits = "Asking only 1 of 60 articles, up to 1 January 2030. Ask all"
    for address in (page.url, f"{page.url}?article=town"):
        page.goto(address)
        expect(page.locator(".turn")).to_have_count(1)
        expect(page.locator("#limits")).to_have_text(limits)
    body = sent_by(page, FARMERS)
    assert (body["documents"], body["until"]) == (["farm"], "2030-01-01")
    page.get_by_role("button", name="New chat").click()
    expect(page.locator(".welcome")).to_be_visible()
    expect(page.locator("#limits")).to_be_hidden()
    assert sent_by(page, COST) == ALL


def test_an_address_with_a_choice_counts_for_more(open_page: Open) -> None:
    """Than what was chosen in this tab before; the link of a turn asks the same articles."""
    page = open_page()
    open_shelf(page)
    find(page, "harvest", 1)
    tick(page, "Harvest lost")
    start = page.url.rstrip("/")
    page.goto(f"{start}/?document=town&document=bill")
    assert sorted(sent_by(page, COST)["documents"]) == ["bill", "town"]
    link = page.locator(".permalink").last.get_attribute("href") or ""
    other = page.context.new_page()
    other.goto(start + link)
    expect(other.locator("#limits")).to_contain_text("2 of 60 articles")
    expect(other.locator(".turn mark.words").first).to_have_text("pounds")


@pytest.mark.parametrize(
    "stored", ["{", "7", "null", '{"rows": 7}', '{"rows": ["<p>x</p>"]}', '{"rows": [null]}']
)
def test_a_choice_that_is_not_ours(open_page: Open, stored: str) -> None:
    """What cannot be one is left out."""
    page = open_page()
    open_shelf(page)
    tick(page, "New bridge opens")
    page.evaluate("text => sessionStorage.setItem(Object.keys(sessionStorage)[0], text)", stored)
    page.reload()
    assert sent_by(page, COST) == ALL


def test_a_verdict_is_about_the_articles_asked(open_page: Open) -> None:
    """Also after others were chosen."""
    page = open_page("/?document=farm")
    sent_by(page, FARMERS)
    page.get_by_role("link", name="Ask all").click()
    with page.expect_request("**/feedback") as sent:
        page.get_by_role("button", name="This is right").click()
    assert posted(sent.value)["documents"] == ["farm"]
    expect(page.get_by_text("Kept in the file: this is right.")).to_be_visible()


def test_what_several_articles_say(open_page: Open) -> None:
    """The other places open below the quotation and lead to the article."""
    page = open_page()
    sent_by(page, COST)
    further = page.locator(".elsewhere")
    expect(further.locator("blockquote")).to_be_hidden()
    summary = further.locator("summary")
    expect(summary).to_have_count(1)
    best = page.locator("#article .article").get_attribute("data-document")
    summary.click()
    expect(further.locator("blockquote mark")).to_have_text("pounds")
    further.locator("a.place").click()
    expect(page.locator("#article .cited mark")).to_have_text("pounds")
    assert page.locator("#article .article").get_attribute("data-document") != best


def test_without_javascript(open_page: Open) -> None:
    """Boxes and dates are sent with the question, and the list is a page of its own."""
    page = open_page(java_script_enabled=False)
    open_shelf(page)
    tick(page, "New bridge opens")
    ask(page, COST)
    page.wait_for_url("**document=town*")
    expect(page.locator("#limits")).to_contain_text("1 of 60 articles")
    open_shelf(page)
    page.get_by_label("Words of a title or source").fill("harvest")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**/articles?q=harvest*")
    expect(page.get_by_role("checkbox", name="Ask New bridge opens")).to_be_checked()
    tick(page, "Harvest lost")
    page.get_by_role("button", name="Keep them and look for more").click()
    expect(page.locator("#chosen li")).to_have_count(1)
    page.get_by_label("Words of a title or source").fill("bill")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**q=bill*")
    expect(page.locator("#chosen li")).to_have_count(2)
    page.get_by_role("button", name="Ask only the ticked").click()
    expect(page.locator("#limits")).to_contain_text("2 of 60 articles")
    ask(page, FARMERS)
    expect(page.locator(".turn mark.words").first).to_have_text("autumn")


def test_by_keyboard(open_page: Open) -> None:
    """The list is opened, searched and ticked without a mouse, and each stop can be seen."""
    page = open_page()
    page.locator("#shelf summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("harvest")
    expect(page.locator("#listed li")).to_have_count(1)
    for _ in range(20):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        if page.evaluate("document.activeElement.type") == "checkbox":
            break
    page.keyboard.press("Space")
    expect(page.locator("#limits")).to_contain_text("1 of 60 articles")
    page.keyboard.press("/")
    expect(page.get_by_label("Your question")).to_be_focused()


def test_narrow(open_page: Open) -> None:
    """At 320 pixels the list, the choice and the page of the list need no sideways scrolling."""
    small = {"width": 320, "height": 640}
    page = open_page("/?document=farm&since=2001-01-01&until=2030-12-31", viewport=small)
    sent_by(page, FARMERS)
    assert scroll_width(page) == 320
    assert scroll_width(open_page("/articles?document=farm", viewport=small)) == 320


def test_hostile_titles(browser: Browser) -> None:
    """Whatever titles say is text in the list, also when it is kept and shown again."""
    seen: list[str] = []

    def refuse(dialog: Dialog) -> None:
        seen.append(dialog.message)
        dialog.dismiss()

    with serving(make_pipeline(hostile(), farm())) as address:
        context = browser.new_context()
        page = context.new_page()
        page.on("dialog", refuse)
        page.on("console", lambda line: seen.append(line.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.goto(address)
        open_shelf(page)
        find(page, "alert", 1)
        page.locator("#listed input").check()
        find(page, "harvest", 1)
        page.reload()
        expect(page.locator("#limits")).to_contain_text("1 of 2 articles")
        expect(page.locator("#shelf input:checked")).to_have_count(1)
        expect(page.locator("#found")).to_contain_text("<script>alert('title')</script>")
        context.close()
    assert seen == []


def test_an_article_is_added(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the form of the list's page, which comes back with what was wrong; then it is shown."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    with serving(pipeline, upkeep=upkeep) as address:
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        page.goto(address)
        page.get_by_role("link", name="Add an article").click()
        page.get_by_label("Title", exact=True).fill("Storm fells oak")
        page.get_by_label("Text, with blank lines").fill("A storm felled the oak.\n\nNobody hurt.")
        page.get_by_label("Date").fill("soon")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("alert")).to_contain_text("the date is no date: 'soon'")
        faults = Axe().run(page).response["violations"]
        assert [fault["id"] for fault in faults] == []
        page.get_by_label("Date").fill("2024-07-14")
        page.get_by_role("button", name="Add it").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Storm fells oak")
        ask(page, "What felled the oak?")
        expect(page.locator(".turn cite")).to_contain_text(["Storm fells oak"])
        context.close()
    assert (tmp_path / "added" / "storm-fells-oak.txt").is_file()
