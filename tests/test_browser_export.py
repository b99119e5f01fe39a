"""What can be taken away from the page: one answer as text, the conversation as a file."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser_fixtures import COST, Open, ask, serving
from rustqa.citations import broken_quotations, read_records
from web_fixtures import DISPUTED, GREETING, SAID, archive, farm, hostile, make_pipeline, town

pytestmark = pytest.mark.browser

SILENT = "Who won the cup?"


def ask_all(page: Page, *questions: str) -> None:
    """Asks one question after another and waits for the last answer."""
    for number, question in enumerate(questions, 1):
        ask(page, question)
        expect(page.locator(".turn[data-record]")).to_have_count(number)


def saved(page: Page, button: str) -> tuple[str, str]:
    """The name and the text of the file that a button saves."""
    with page.expect_download() as started:
        page.get_by_role("button", name=button).click()
    return started.value.suggested_filename, Path(started.value.path()).read_text("utf-8")


def copied(page: Page, number: int) -> str:
    """What the Copy button of a turn puts on the clipboard."""
    page.get_by_role("button", name="Copy").nth(number).dblclick()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    text: str = page.evaluate("navigator.clipboard.readText()")
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)
    return text


def test_copy(open_page: Open) -> None:
    """An answer is copied with its words, its sentence, title, paragraph and link."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask_all(page, COST, SILENT, GREETING)
    address = page.url.rstrip("/")
    link = f"{address}/articles/town#:~:text=The%20bridge%20cost%20nine%20million%20pounds."
    assert copied(page, 0) == (
        f"{COST}\n\npounds\n> The bridge cost nine million pounds.\n"
        f"— New bridge opens, 12 July 2024, paragraph 2\n{link}\n"
    )
    assert copied(page, 1) == f"{SILENT}\n\nThe articles do not say.\n"
    assert copied(page, 2) == f"{GREETING}\n\nrustqa: {SAID}\n"


def test_copy_accounts(open_page: Open) -> None:
    """Of differing accounts all are copied, each with the one who gives it."""
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    ask_all(page, DISPUTED)
    text = copied(page, 0)
    assert "Differing accounts:" in text
    assert "— <b>Mr 0, in New bridge opens, 12 July 2024, paragraph" in text
    assert text.count("\n> ") == page.locator(".accounts blockquote").count() > 1


@pytest.mark.parametrize(
    "broken",
    [
        "() => Object.defineProperty(navigator, 'clipboard', { value: undefined })",
        "() => { navigator.clipboard.writeText = async () => { throw new Error('no') } }",
    ],
)
def test_copy_that_fails(open_page: Open, broken: str) -> None:
    """Where the browser does not let the page copy, it says so and what to do."""
    page = open_page()
    ask_all(page, COST)
    page.evaluate(broken)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("alert")).to_contain_text("select the text and copy it yourself")
    expect(page.get_by_role("button", name="Copied")).to_have_count(0)


def test_save_as_json(open_page: Open) -> None:
    """The file holds the answer records, whose quotations `rustqa verify` finds to stand."""
    page = open_page()
    ask_all(page, COST, SILENT, DISPUTED, GREETING)
    name, text = saved(page, "Save as JSON")
    assert name == "conversation.json"
    records = read_records(text)
    documents = {document.id: document for document in (town(), farm(), archive())}
    assert [record["question"] for record in records] == [COST, SILENT, DISPUTED, GREETING]
    for record in records:
        assert list(broken_quotations(record, documents)) == []
    answer = make_pipeline(*documents.values()).ask(COST)
    expected = json.loads(json.dumps(asdict(answer)))
    assert {**records[0], "timings_ms": None} == {**expected, "timings_ms": None}
    assert list(records[0]) == list(expected)


def test_save_as_markdown(open_page: Open) -> None:
    """The file reads as the page does: question, speaker, words in their sentence, citation."""
    page = open_page()
    ask_all(page, COST, SILENT, "Who thanked the engineers in puonds?", DISPUTED, GREETING)
    name, text = saved(page, "Save as Markdown")
    assert name == "conversation.md"
    assert f"\n## {COST}\n\n**pounds** (confidence 93%)\n" in text
    assert "\n> The bridge cost nine million **pounds**.\n>\n> — [New bridge opens](<http" in text
    assert "), 12 July 2024, paragraph 2, characters 117–153\n" in text
    assert "\nThe articles do not say.\n\nClosest passages, which do not answer" in text
    assert "\nUnderstood as: Who thanked the engineers in pounds?\n" in text
    assert "\nDiffering accounts:\n" in text
    assert re.search(r"\nAccording to \\<b\\>Mr 0: \*\*bridge [^*]+\*\* \(confidence 80%\)\n", text)
    assert f"\nrustqa: {SAID}\n" in text


def test_markdown_of_a_hostile_article(browser: Browser) -> None:
    """Whatever an article says stays text in the file, and cuts count code points."""
    with serving(make_pipeline(hostile(), town())) as address:
        page = browser.new_page()
        page.goto(address)
        ask_all(page, "What broke on Friday?", "# 1. [x](javascript:alert(1)) 🎉 at length?")
        _, text = saved(page, "Save as Markdown")
        page.close()
    assert "\\<script\\>alert('text')\\</script\\> page broke on **Friday**." in text
    assert "engineers 🎉 at **length**." in text
    assert "## \\# 1. \\[x\\](javascript:alert(1)) 🎉 at length?" in text
    assert "](<javascript" not in text
