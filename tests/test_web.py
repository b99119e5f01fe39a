"""The pages: what they show, that they run nothing they quote, and that they work alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from queue import Queue
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from rustqa.corpus import make_document
from rustqa.library import Library
from rustqa.pipeline import Pipeline
from rustqa.settings import data_root
from rustqa.shelf import Shelf
from rustqa.web import is_web_address, sureness
from web_fixtures import HTML, TOWN, farm, hostile, make_pipeline, page_for, serve, town

STATIC = data_root() / "web" / "static"
COST = "The bridge cost nine million pounds."
COST_ID = f"s-{TOWN.index(COST)}-{TOWN.index(COST) + len(COST)}"


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    """One article."""
    return make_pipeline(town())


@pytest.fixture(scope="module")
def client(pipeline: Pipeline) -> Iterator[TestClient]:
    """A client of a server with one article."""
    with serve(pipeline) as client:
        yield client


@pytest.fixture(scope="module")
def several() -> Iterator[TestClient]:
    """A client of a server with two articles."""
    with serve(make_pipeline(town(), farm())) as client:
        yield client


def text_of(html: str) -> str:
    """The text of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_start(client: TestClient) -> None:
    """Before a question the page names the article and suggests what it answers."""
    page = client.get("/", headers=HTML).text
    assert re.search(r"<h1[^>]*>New bridge opens</h1>", page)
    suggested = re.findall(r'class="suggestion" href="([^"]*)"', page)
    assert suggested == ["/?q=What%20did%20it%20cost%20in%20pounds%3F"]
    assert 'class="turn"' not in page
    assert 'class="cited"' not in page
    assert "<mark" not in page


def test_suggestions_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Suggested questions are tried out for the first visitor, not for each."""
    pipeline = make_pipeline(town())
    library = Library(pipeline)
    assert library.suggestions("town") == ["What did it cost in pounds?"]
    monkeypatch.setattr(pipeline, "suggestions", lambda *_: pytest.fail("asked again"))
    assert library.suggestions("town") == ["What did it cost in pounds?"]


def test_suggestions_are_found_before_the_first_visitor_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those of the article that is shown first, once it can be asked."""
    pipeline, asked = make_pipeline(town()), Queue[str]()

    def record(name: str, _limit: int) -> list[str]:
        asked.put(name)
        return []

    monkeypatch.setattr(pipeline, "suggestions", record)
    shelf = Shelf(lambda: pipeline)
    assert asked.get(timeout=60) == "town"
    assert shelf.library().first.id == "town"


def test_answered_without_script(client: TestClient) -> None:
    """The page of ?q= shows the quotation, the exact words, and the sentence in the article."""
    page = page_for(client, "What did it cost in pounds?")
    words = '<mark class="words">pounds</mark>.'
    assert f'<span data-sentence="{COST_ID}">The bridge cost nine million {words}</span>' in page
    assert f'<span id="{COST_ID}" class="cited">The bridge cost nine million {words}' in page
    assert f'href="#{COST_ID}">paragraph 2</a>' in page
    assert '<a href="/articles/town#:~:text=The%20bridge%20cost' in page
    assert "very sure, 93%" in page


def test_whole_sentence(client: TestClient) -> None:
    """An answer that is all of its sentence is marked as such, not as words in it."""
    page = page_for(client, "Why pounds?")
    assert f'<mark class="whole">{COST}</mark>' in page
    assert 'class="words"' not in page


def test_whole_article(client: TestClient) -> None:
    """The article is shown without loss, its paragraphs numbered, page furniture set apart."""
    page = client.get("/articles/town", headers=HTML).text
    shown = re.findall(r'<p id="p-(\d)" data-paragraph="\d" dir="auto">(.*?)</p>', page, re.DOTALL)
    assert [(number, text_of(html)) for number, html in shown] == [
        ("1", TOWN.split("\n\n")[0]),
        ("2", TOWN.split("\n\n")[2]),
    ]
    furniture = re.findall(r'<p class="furniture" dir="auto">(.*?)</p>', page, re.DOTALL)
    assert [text_of(html) for html in furniture] == [
        "On the page, not in the article: Related: How the old bridge fell"
    ]


def test_highlights_beyond_the_basic_plane(client: TestClient) -> None:
    """Characters that are two units in JavaScript do not shift the mark."""
    page = page_for(client, "What was at length?")
    assert 'engineers 🎉 at <mark class="words">length</mark>.' in page


def test_citation_of_two_sentences(pipeline: Pipeline) -> None:
    """A citation of several sentences is quoted whole and marked in each of them."""
    library = Library(pipeline)
    citation = pipeline.ask("What did it cost in pounds?").citations[0]
    both = "The bridge cost nine million pounds. Traffic starts on Monday."
    start = TOWN.index(both)
    citation = replace(citation, cited_text=both, end_char=start + len(both))
    pieces = library.quotation(citation)
    assert "".join(text for piece in pieces for text, _ in piece.runs) == both
    assert [bool(piece.id) for piece in pieces] == [True, False, True]
    blocks = dict(library.blocks(town(), [citation]))
    roles = [piece.role for piece in blocks[town().blocks[-1]]]
    assert roles == ["cited", "", "cited"]


@pytest.mark.parametrize("question", ["", "  ", "\0", "x" * 1001])
def test_bad_question(client: TestClient, question: str) -> None:
    """A question that cannot be asked leaves the page as it is, with a message in its place."""
    response = client.get("/", params={"q": question}, headers=HTML)
    assert response.status_code == 422
    assert re.search(r'<p id="message" role="alert">the question [^<]+</p>', response.text)
    assert 'class="welcome"' in response.text


def test_several_articles(several: TestClient) -> None:
    """The article that answers is shown, unless another is asked for; each can be reached."""
    title = re.compile(r"<h1[^>]*>(.*?)</h1>")
    shown = title.search(page_for(several, "What did the farmers lose in autumn?"))
    assert shown
    assert shown[1] == "Harvest lost"
    page = page_for(several, "What did the farmers lose in autumn?", article="town")
    assert '<h1 dir="auto">New bridge opens</h1>' in page
    assert "article=farm#s-" in page
    assert re.search(r'class="read" href="/\?article=farm"[^>]*>Harvest lost</a>', page)
    assert re.search(r'class="read" href="/\?article=town"[^>]* aria-current="true">', page)
    assert page.count("aria-current") == 1
    missing = several.get("/", params={"article": "nowhere"}, headers=HTML)
    assert missing.status_code == 404


def test_the_newest_article_is_shown_first(several: TestClient) -> None:
    """With its date in words; of those chosen the newest of them."""
    page = several.get("/", headers=HTML).text
    assert '<h1 dir="auto">New bridge opens</h1>' in page
    assert " · <bdi>12 July 2024</bdi>\n" in page
    page = several.get("/", params={"document": "farm"}, headers=HTML).text
    assert '<h1 dir="auto">Harvest lost</h1>' in page


def test_hostile_article() -> None:
    """Whatever an article or a question says is text; only web addresses become links."""
    asked = "<script>alert('asked')</script>\" autofocus onfocus=alert(1) x=\" Friday?"
    with serve(make_pipeline(hostile(), farm())) as client:
        pages = [
            client.get("/", headers=HTML).text,
            page_for(client, asked),
            page_for(client, "What was harmed?"),
            client.get("/", params={"q": asked + "\0"}, headers=HTML).text,
            client.get("/articles/hostile", headers=HTML).text,
            client.post("/ask", json={"question": asked}, headers=HTML).text,
            client.get(f"/{quote(asked)}", headers=HTML).text,
        ]
    for page in pages:
        assert "<script>" not in page
        assert "<img" not in page
        assert not re.search(r"<[^>]*\son\w+=[^>]*>", re.sub(r'"[^"]*"', "", page))
        assert 'href="javascript' not in page
    assert "&lt;script&gt;alert(&#39;title&#39;)" in pages[0]


def test_address_of_an_article(client: TestClient) -> None:
    """A web address is a link to the original; nothing else is."""
    page = page_for(client, "What did it cost in pounds?")
    assert (
        '<a class="original" href="https://news.example/bridge" rel="noreferrer">original</a>'
        in page
    )
    assert is_web_address("HTTPS://news.example/")
    assert not any(map(is_web_address, (None, "", "javascript:alert(1)", "//x", "data:,x")))


def test_nothing_inline(client: TestClient) -> None:
    """No page holds a style, a script or a handler of its own, nor names another host."""
    pages = [page_for(client, "Why pounds?")]
    pages += [
        client.get(path, headers=HTML).text for path in ("/", "/docs", "/x", "/articles/town")
    ]
    for page in pages:
        for tag in re.findall(r"<[a-z][^>]*>", page):
            assert not re.search(r"\sstyle=|\son\w+=|<style", tag), tag
            assert "<script" not in tag or tag == '<script type="module" src="/static/chat.js">'
            assert "src=" not in tag or 'src="/static/' in tag


@pytest.mark.parametrize(
    ("confidence", "words"),
    [
        (0.97, "very sure"),
        (0.7, "fairly sure"),
        (0.5, "more likely than not"),
        (0.3, "not sure"),
        (0.2, "unlikely"),
    ],
)
def test_sureness(confidence: float, words: str) -> None:
    """A probability is put into words a reader weighs without arithmetic."""
    assert sureness(confidence) == words


def test_single_sentence() -> None:
    """A text that is a single sentence is shown whole."""
    document = make_document("one", "One line only, with no end")
    library = Library(make_pipeline(document))
    [(_, pieces)] = library.blocks(document)
    assert "".join(text for piece in pieces for text, _ in piece.runs) == document.text


def test_static_files(client: TestClient) -> None:
    """Files carry their type and a tag; a browser that has one gets a 304."""
    for name, kind in (
        ("chat.js", "text/javascript"),
        ("conversation.js", "text/javascript"),
        ("article.js", "text/javascript"),
        ("export.js", "text/javascript"),
        ("question.js", "text/javascript"),
        ("shelf.js", "text/javascript"),
        ("style.css", "text/css"),
        ("favicon.svg", "image/svg+xml"),
    ):
        response = client.get(f"/static/{name}")
        assert response.headers["content-type"].split(";")[0] == kind
        assert response.headers["cache-control"] == "no-cache"
        again = client.get(f"/static/{name}", headers={"If-None-Match": response.headers["etag"]})
        assert again.status_code == 304


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(scheme: str) -> None:
    """Every text can be read on its ground: a contrast of 4.5 to 1 or more (WCAG 2.2, 1.4.3)."""
    light, dark = re.findall(r":root \{(.*?)\}", (STATIC / "style.css").read_text(), re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#\w{6});", dark))
    pairs = [("ink", g) for g in ("paper", "desk", "cited", "also", "words")]
    pairs += [(text, g) for text in ("faint", "accent") for g in ("paper", "desk")]
    pairs += [("on-accent", "accent")]
    for text, ground in pairs:
        lighter, darker = sorted((_luminance(colours[text]), _luminance(colours[ground])))[::-1]
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (text, ground)


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
