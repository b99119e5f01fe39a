"""The page where not all articles are asked, and where several of them say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from rustqa.corpus import make_document
from rustqa.library import Library
from rustqa.web import Pages
from web_fixtures import HTML, farm, make_pipeline, page_for, serve, town

COST = "What did it cost in pounds?"
AGAIN = "The bill is paid. It came to nine million pounds.\n\nThat is nine million pounds too much."


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of a server with three articles, of which two say what the bridge cost, one of
    them twice."""
    bill = make_document("bill", AGAIN, metadata={"title": "The <b>bill", "date": "2024-08"})
    with serve(make_pipeline(town(), farm(), bill)) as client:
        yield client


def text_of(html: str) -> str:
    """The text of a piece of HTML, its white space made single."""
    return " ".join(unescape(re.sub(r"<[^>]*>", "", html)).split())


def limits(page: str) -> str:
    """What the page says of what is asked; "" if it says nothing."""
    found = re.search(r'<p id="limits"[^>]*>(.*?)</p>', page, re.DOTALL)
    assert found
    return "" if " hidden>" in found[0] else text_of(found[1])


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({}, ""),
        ({"since": "", "until": ""}, ""),
        ({"document": ["farm", "town"]}, "Asking only 2 of 3 articles. Ask all"),
        ({"since": "2024-07"}, "Asking only articles from 1 July 2024 on. Ask all"),
        ({"until": "2024"}, "Asking only articles up to 31 December 2024. Ask all"),
        (
            {"document": "town", "since": "2024-07-12", "until": "2024-07"},
            "Asking only 1 of 3 articles, from 12 July 2024 to 31 July 2024. Ask all",
        ),
    ],
)
def test_the_page_says_what_is_asked(client: TestClient, query: dict[str, str], said: str) -> None:
    """Above the question box, before and after asking, if that is not everything."""
    assert limits(client.get("/", params=query, headers=HTML).text) == said
    page = client.get("/", params={"q": COST, **query}, headers=HTML).text
    assert limits(page) == said
    assert ("Asked of" in text_of(page)) == bool(said)


def test_the_form_asks_what_is_chosen(client: TestClient) -> None:
    """Boxes and dates belong to the form of the question, so that no script is needed."""
    page = client.get("/", params={"document": "farm", "since": "2024"}, headers=HTML).text
    box = re.search(r'<input type="checkbox" form="ask" name="document" value="farm"[^>]*>', page)
    assert box
    assert "checked" in box[0]
    assert '<input type="date" name="since" form="ask" value="2024-01-01"' in page
    assert page.count('form="ask" name="document"') == 3
    assert page.count("checked") == 1
    assert '<input type="hidden" name="document" value="farm">' in page


def test_only_what_is_chosen_is_asked(client: TestClient) -> None:
    """And the address of a turn, of a suggestion and of an article keeps the choice."""
    page = page_for(client, "What did the farmers want before autumn?", document="farm")
    assert "Harvest lost" in page
    page = page_for(client, COST, document="farm", until="2024-07-12")
    assert "do not say" in page or "None of the articles asked is dated" in page
    page = page_for(client, COST, document="town", until="2024-07-12")
    link = re.search(r'class="permalink" href="([^"]*)"', page)
    assert link
    named = parse_qs(urlsplit(unescape(link[1])).query)
    assert (named["document"], named["until"]) == (["town"], ["2024-07-12"])
    again = client.get(unescape(link[1]), headers=HTML).text
    assert limits(again) == limits(page) != ""
    for kind in ("suggestion", "read"):
        links = re.findall(rf'class="{kind}" href="([^"]*)"', client.get(
            "/", params={"document": "town"}, headers=HTML
        ).text)  # fmt: skip
        assert links
        assert all("&amp;document=town" in address for address in links)


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("document=nowhere", 404, "no article has the id &#39;nowhere&#39;"),
        ("since=soon", 422, "since is no date: &#39;soon&#39;"),
        ("since=2025&until=2024", 422, "since (2025-01-01) is after until"),
    ],
)
def test_a_choice_that_cannot_be(client: TestClient, query: str, status: int, message: str) -> None:
    """The page says what was wrong with the address."""
    for path in (f"/?{query}", f"/?q=Why?&{query}"):
        response = client.get(path, headers=HTML)
        assert response.status_code == status
        assert message in response.text


def test_a_turn_says_what_was_asked(client: TestClient) -> None:
    """Also where the script asks; what the verdict needs to ask the same again is there."""
    body = {"question": COST, "documents": ["town", "farm"], "since": "2024"}
    turn = client.post("/ask", json=body, headers=HTML).text
    assert "Asked of 2 of 3 articles, from 1 January 2024 on" in text_of(turn)
    assert "Asked of" not in client.post("/ask", json={"question": COST}, headers=HTML).text
    pipeline = make_pipeline(town())
    shown = Pages(feedback=True).turn(Library(pipeline), pipeline.ask(COST))
    scope = re.search(r'data-scope="([^"]*)"', shown)
    assert scope
    assert json.loads(unescape(scope[1])) == {}


def test_what_several_articles_say(client: TestClient) -> None:
    """One claim, one quotation, and below it each other place with its quotation and its link, of
    the article that is quoted only the paragraph."""
    page = client.post("/ask", json={"question": COST}, headers=HTML).text
    first = page[: page.index('class="elsewhere"')]
    elsewhere = page[page.index('class="elsewhere"') : page.index('class="tools"')]
    assert first.count("<blockquote") == 1
    assert page.count("</figure>") == 3
    also = [text_of(html) for html in re.findall(r"<summary>(.*?)</summary>", elsewhere, re.DOTALL)]
    assert len(also) == 2
    best = re.search(r'data-document="(\w+)"', first)
    assert best
    if best[1] == "town":
        bill = "Also in The <b>bill, August 2024, paragraph"
        assert sorted(also) == [f"{bill} 1", f"{bill} 2"]
    else:
        bridge = "Also in New bridge opens, 12 July 2024, paragraph 2"
        assert bridge in also
        assert {"Also in paragraph 1", "Also in paragraph 2"} & set(also)
    assert elsewhere.count('<mark class="words">pounds</mark>') == 2
    assert elsewhere.count('class="place"') == 2
    assert "very sure" in first
    assert "sure" not in text_of(elsewhere)


def test_dates_stand_with_quotations(client: TestClient) -> None:
    """In words, before the paragraph; nothing where an article has none."""
    page = page_for(client, COST, document="town")
    assert "Very sure" not in page
    assert "12 July 2024, paragraph 2, original" in text_of(page)
    page = page_for(client, "What did the farmers want before autumn?", document="farm")
    assert "very sure, 93% paragraph 1" in text_of(page)
