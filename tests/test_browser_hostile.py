"""Hostile articles and questions in a real browser: nothing runs, and nothing is hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, expect

from browser_fixtures import ask, serving
from rustqa.corpus import make_document
from rustqa.types import Document
from web_fixtures import farm, hostile, kept_up, make_pipeline

pytestmark = pytest.mark.browser

OVERRIDE, ISOLATE, MARK = "\u202e", "\u2067", "\u200f"
TAGS = "".join(chr(0xE0000 + ord(char)) for char in "ignore")
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)><svg onload=alert(2)>"
ATTRIBUTE = "\" autofocus onfocus=alert(3) style='x' onmouseover=alert(4) x='"
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((element) =>
  [...element.attributes].filter(({ name, value }) =>
    /^on|^style$|^srcdoc$/i.test(name) || /^[\\s\\0]*(javascript|data):/i.test(value)
  ).map(({ name, value }) => `${element.tagName} ${name}=${value}`))"""


@dataclass
class Watch:
    """What a page did that it must not: dialogs, complaints of the browser, other hosts."""

    address: str
    seen: list[str] = field(default_factory=list)

    def over(self, page: Page) -> Page:
        """Watches a page from now on."""
        page.set_default_timeout(15_000)
        page.on("dialog", self._refuse)
        page.on("console", lambda line: self.seen.append(line.text))
        page.on("pageerror", lambda error: self.seen.append(str(error)))
        page.on("request", lambda sent: self._look(sent.url))
        return page

    def _refuse(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _look(self, url: str) -> None:
        if not url.startswith((f"{self.address}/", f"blob:{self.address}/")):
            self.seen.append(f"asked for {url}")


def scripted() -> Document:
    """An article whose every field tries to run a script."""
    return make_document(
        "scripted",
        f"The {EVIL} broke on Friday. {ATTRIBUTE} it said.\n\nSee javascript:alert(5) on Friday.",
        metadata={
            "title": f"{EVIL}{ATTRIBUTE}",
            "url": f"https://news.example/{ATTRIBUTE}{EVIL}",
            "source": f"{EVIL}{ATTRIBUTE}",
            "date": f"{EVIL}{ATTRIBUTE}",
            "licence": f"{EVIL}{ATTRIBUTE}",
            "questions": [f"{EVIL}{ATTRIBUTE} on Friday?"],
        },
    )


def turned() -> Document:
    """An article whose every field tries to turn round or hide what stands beside it."""
    return make_document(
        "turned",
        f"The town paid{OVERRIDE} 05 pounds and{ISOLATE} no more on Monday.\n\n"
        f"“It was{MARK} all,” said Ada{OVERRIDE} Quill on Tuesday. It{TAGS} rained.",
        metadata={
            "title": f"Bill{OVERRIDE}dial",
            "url": "https://b\u0430nk.example/x",
            "source": f"bank.example{OVERRIDE}",
            "date": f"May{OVERRIDE}2",
            "licence": f"Free{OVERRIDE}",
            "questions": [f"What was paid{OVERRIDE} on Monday?"],
        },
    )


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A server whose articles are all hostile but one."""
    with serving(make_pipeline(scripted(), turned(), hostile(), farm())) as address:
        yield address


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens a page of which afterwards is known that it did nothing that it must not."""
    watch = Watch(address)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)

    def visit(path: str) -> Page:
        page = watch.over(context.new_page())
        page.goto(address + path)
        return page

    yield visit
    context.close()
    assert watch.seen == []


ASKED = quote(f"{EVIL}{ATTRIBUTE} Friday?")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/?article=scripted",
        f"/?q={ASKED}",
        f"/?q={ASKED}&after={ASKED}&after={ASKED}&article=scripted",
        f"/?q={ASKED}#:~:text={ASKED}",
        f"/?q=Who%20said%20it%20on%20Friday%3F&document=scripted#{ASKED}",
        "/articles/scripted",
        f"/articles/scripted#:~:text={quote(EVIL)}",
        "/articles",
        f"/articles?q={ASKED}",
        "/articles?document=scripted&since=2024",
        "/docs",
    ],
)
def test_nothing_runs(watched: Callable[..., Page], path: str) -> None:
    """On no page: no dialog, no complaint of the policy, no other host, no handler."""
    page = watched(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate(HANDLERS) == []
    assert page.locator("img, svg, iframe, object, form[action^='//'], base").count() == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/{ASKED}", 404),
        (f"/articles/{ASKED}", 404),
        (f"/?document={ASKED}", 404),
        (f"/?since={ASKED}", 422),
        (f"/?q={ASKED}%00", 422),
        (f"/?q={quote(OVERRIDE)}{'a' * 1100}", 422),
    ],
)
def test_nothing_runs_where_it_did_not_work(
    browser: Browser, address: str, path: str, status: int
) -> None:
    """Nor on the pages of errors, on which the browser itself reports only the status."""
    watch = Watch(address)
    page = watch.over(browser.new_page())
    response = page.goto(address + path)
    assert response is not None
    assert response.status == status
    assert page.evaluate(HANDLERS) == []
    page.close()
    assert [line for line in watch.seen if f"status of {status}" not in line] == []


def test_nothing_runs_by_the_script(watched: Callable[..., Page]) -> None:
    """Neither where the script asks, shows another article, finds, copies marks, nor saves."""
    page = watched("/?article=farm")
    ask(page, f"{EVIL}{ATTRIBUTE} Friday?")
    expect(page.locator(".turn[data-record]")).to_have_count(1)
    ask(page, "What happened on Friday?")
    expect(page.locator(".turn[data-record]")).to_have_count(2)
    expect(page.locator("#article .article")).to_contain_text(EVIL)
    expect(page.locator("#article .cited")).not_to_have_count(0)
    page.locator(".turn").last.locator(".place").first.click()
    page.locator("#shelf > summary").click()
    page.locator("#words").fill(f"{EVIL}")
    page.locator("#words").press("Enter")
    expect(page.locator("#listed .read")).to_have_count(1)
    page.locator("#listed .read").click()
    expect(page.locator(".masthead h1")).to_contain_text(EVIL)
    for button in ("Save as Markdown", "Save as JSON"):
        with page.expect_download() as started:
            page.get_by_role("button", name=button).click()
        assert EVIL.replace("'", "\\u0027")[:8] in Path(started.value.path()).read_text() or button
    assert page.evaluate(HANDLERS) == []
    page.reload()
    expect(page.locator(".turn[data-record]")).to_have_count(2)
    assert page.evaluate(HANDLERS) == []


TAMPERED = [
    '{"question": 1}',
    '[1, null, "<p>"]',
    "[\"<section class='turn' data-record='{}'><a class=permalink></a></section>\"]",
    "[\"<section class='turn' data-record='[]'><a class=permalink href='javascript:alert(1)'>"
    '<script>alert(2)</script><img src=https://evil.example/x onerror=alert(3)></section>"]',
    '["<section class=\'turn\' data-record=\'{\\"question\\":\\"x\\",\\"claims\\":[],'
    "\\\"message\\\":null}'><a class=permalink href='https://evil.example/'>Link</a>"
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>"
    '<style>@import url(https://evil.example/)</style></section>"]',
    "not JSON",
    "[" * 1000,
]


@pytest.mark.parametrize("stored", TAMPERED)
def test_a_tampered_conversation(browser: Browser, address: str, stored: str) -> None:
    """Whatever stands in the browser's storage, nothing runs and a question can be asked."""
    watch = Watch(address)
    page = browser.new_page()
    page.goto(address)
    key = page.evaluate("`conversation ${document.getElementById('log').dataset.edition}`")
    shelf = page.evaluate("`articles ${document.getElementById('log').dataset.edition}`")
    page.evaluate("([key, text]) => sessionStorage.setItem(key, text)", [key, stored])
    page.evaluate("([key, text]) => sessionStorage.setItem(key, text)", [shelf, stored])
    watch.over(page).reload()
    ask(page, "What happened on Friday?")
    expect(page.locator(".turn[data-record] .question").last).to_have_text(
        "What happened on Friday?"
    )
    assert page.url.startswith(address)
    page.close()
    allowed = ("Content Security Policy", "Refused to", "violates the following")
    assert [line for line in watch.seen if not any(part in line for part in allowed)] == []


def test_nothing_runs_in_the_form(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An article that somebody adds is shown as it is written, in the form and behind it."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    with serving(pipeline, upkeep=upkeep) as address:
        watch = Watch(address)
        page = watch.over(browser.new_page())
        page.goto(f"{address}/articles#add")
        page.get_by_label("Title", exact=True).fill(f"../../{EVIL}{ATTRIBUTE}"[:300])
        page.get_by_label("Source (may").fill(f"{EVIL}"[:200])
        page.get_by_label("Text, with").fill(f"{EVIL} It rained on Friday.")
        page.get_by_role("button", name="Add it").click()
        expect(page.locator(".masthead h1")).to_contain_text(EVIL)
        assert page.evaluate(HANDLERS) == []
        page.close()
    assert watch.seen == []
    written = [file.name for file in (tmp_path / "added").iterdir()]
    assert all(set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.") for name in written)


def test_controls_are_seen(watched: Callable[..., Page], tmp_path: Path) -> None:
    """What turns round or hides is named where it stands, turns nothing but itself, and the text
    stays as it is."""
    page = watched("/?article=turned")
    marks = page.locator("#article .control")
    names = marks.evaluate_all("(all) => all.map((one) => one.dataset.name)")
    assert names[:2] == ["U+202E", "U+202E"]
    assert {"U+2067", "U+200F", "U+E0069"} <= set(names)
    first = page.locator("#p-1")
    assert first.evaluate("(p) => p.textContent.trim()") == turned().text.split("\n\n")[0]
    assert marks.first.evaluate("(one) => getComputedStyle(one).unicodeBidi") == "isolate"
    assert "U+202E" in marks.first.evaluate("(one) => getComputedStyle(one, '::before').content")
    # The figure stands behind the word before it, as it is written: left of it.
    order = first.evaluate(
        """(p) => {
          const text = document.createTreeWalker(p, NodeFilter.SHOW_TEXT);
          const left = (word) => {
            for (text.currentNode = p; text.nextNode();) {
              const at = text.currentNode.data.indexOf(word);
              if (at < 0) continue;
              const range = document.createRange();
              range.setStart(text.currentNode, at);
              range.setEnd(text.currentNode, at + word.length);
              return range.getBoundingClientRect().left;
            }
          };
          return ["paid", "05", "pounds", "more"].map(left);
        }"""
    )
    assert order == sorted(order)
    assert OVERRIDE not in page.title()
    page.screenshot(path=tmp_path / "controls.png")


def test_marks_of_controls_are_no_barrier(watched: Callable[..., Page]) -> None:
    """Nor is anything else on a page full of them."""
    page = watched("/?article=turned")
    assert [fault["id"] for fault in Axe().run(page).response["violations"]] == []


def test_controls_of_an_answer_are_seen(watched: Callable[..., Page]) -> None:
    """Also in quotations, titles and questions, where marks are set and taken back, and in the
    file that is saved."""
    page = watched("/")
    ask(page, f"What{OVERRIDE} was paid in pounds?")
    expect(page.locator(".turn[data-record]")).to_have_count(1)
    expect(page.locator(".turn .question .control")).to_have_count(1)
    expect(page.locator(".turn blockquote .control")).not_to_have_count(0)
    expect(page.locator("#article .cited .control")).to_have_count(2)
    before = page.locator("#p-1").evaluate("(p) => p.textContent")
    ask(page, "What destroyed the harvest?")
    expect(page.locator(".turn[data-record]")).to_have_count(2)
    page.locator(".turn").first.locator(".place").click()
    expect(page.locator("#article .cited .control")).to_have_count(2)
    assert page.locator("#p-1").evaluate("(p) => p.textContent") == before
    with page.expect_download() as started:
        page.get_by_role("button", name="Save as Markdown").click()
    text = Path(started.value.path()).read_text("utf-8")
    assert not set(text) & {OVERRIDE, ISOLATE, MARK}
    assert "paid⟨U+202E⟩ 05" in text


def test_a_link_names_its_host(watched: Callable[..., Page]) -> None:
    """In ASCII beside a source that looks like another host."""
    page = watched("/articles/turned")
    line = page.locator(".dateline").first
    assert "(xn--bnk-6cd.example)" in line.inner_text()
