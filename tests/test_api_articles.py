"""The articles over HTTP: a list that is searched and paged, JSON or a page, and each whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from rustqa.corpus import make_document
from web_fixtures import HTML, TOWN, farm, hostile, make_pipeline, serve, town

MANY = 1000


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """A client of a server with two articles."""
    with serve(make_pipeline(town(), farm())) as client:
        yield client


@pytest.fixture(scope="module")
def many() -> Iterator[TestClient]:
    """A client of a server with a thousand articles, of which every second has a date."""
    documents = [
        make_document(
            f"day-{number}",
            f"It rained on day {number}.",
            metadata={
                "title": f"Rain on day {number}",
                "source": "Gazette" if number % 10 else "Herald",
                "date": f"{2000 + number // 20}-06" if number % 2 else None,
            },
        )
        for number in range(MANY)
    ]
    with serve(make_pipeline(*documents)) as client:
        yield client


def error_of(response: Any, status: int) -> str:
    """The one line of an error response."""
    assert response.status_code == status
    message: str = response.json()["error"]
    return message


def boxes(page: str) -> dict[str, bool]:
    """The ids of the boxes on a page, and whether each is ticked."""
    found = re.findall(r'<input type="checkbox"[^>]* value="([^"]*)"([^>]*)>', page)
    return {unescape(value): "checked" in rest for value, rest in found}


def test_articles(client: TestClient) -> None:
    """The articles are listed with their metadata, the newest first; page furniture is no
    paragraph."""
    response = client.get("/articles")
    listed = response.json()
    assert [item["id"] for item in listed] == ["town", "farm"]
    assert listed[0]["title"] == "New bridge opens"
    assert listed[0]["paragraphs"] == 2
    assert listed[0]["sha256"] == town().sha256
    assert response.headers["x-total-count"] == "2"
    assert "link" not in response.headers


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("q=bridge", ["town"]),
        ("q=OPENS%20new", ["town"]),
        ("q=bridge%20harvest", []),
        ("since=2024-07", ["town"]),
        ("until=2024-07-11", []),
        ("since=&until=", ["town", "farm"]),
        ("document=farm", ["farm"]),
        ("document=farm&document=town&document=farm", ["town", "farm"]),
        ("start=1", ["farm"]),
        ("start=7", []),
        ("count=1", ["town"]),
    ],
)
def test_articles_are_found(client: TestClient, query: str, ids: list[str]) -> None:
    """By words of their titles and sources, by their dates, by their ids, and by their place."""
    assert [item["id"] for item in client.get(f"/articles?{query}").json()] == ids


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ("start=-1", 422, "the field 'start' should be greater than or equal to 0"),
        ("start=9999999999999999999", 422, "the field 'start' should be less than or equal to"),
        ("count=0", 422, "the field 'count' should be greater than or equal to 1"),
        ("count=501", 422, "the field 'count' should be less than or equal to 500"),
        ("count=x", 422, "the field 'count' should be a valid integer"),
        (f"q={'x' * 201}", 422, "the field 'q' String should have at most 200 characters"),
        ("since=soon", 422, "since is no date: 'soon'; write it as 2024-07-12, 2024-07 or 2024"),
        ("since=2024&until=2023", 422, "since (2024-01-01) is after until (2023-12-31)"),
        ("document=nowhere", 404, "no article has the id 'nowhere'; see their list"),
    ],
)
def test_a_list_that_cannot_be(client: TestClient, query: str, status: int, message: str) -> None:
    """One line says what to change."""
    assert error_of(client.get(f"/articles?{query}"), status).startswith(message)


def test_a_long_list_is_paged(many: TestClient) -> None:
    """Each part says where the next one is, until all have been seen once."""
    seen: list[str] = []
    address = "/articles?q=rain&count=300"
    while address:
        response = many.get(address)
        assert response.headers["x-total-count"] == str(MANY)
        seen += [item["id"] for item in response.json()]
        found = re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["link"])
        links = {name: target for target, name in found}
        assert ("prev" in links) == (len(seen) > 300)
        address = links.get("next", "")
    assert len(seen) == len(set(seen)) == MANY
    assert seen[0] == "day-981"
    assert seen[-1] == "day-998"


def test_a_page_never_holds_the_whole_list(many: TestClient) -> None:
    """Beside the conversation ten articles are listed, on the page of the list fifty."""
    for path, count in (("/", 10), ("/articles", 50), ("/?q=Why 7?", 10)):
        page = many.get(path, headers=HTML).text
        assert len(boxes(page)) == count
        assert "1,000" in page
        assert len(page) < 60_000


def test_the_list_as_a_page(many: TestClient) -> None:
    """It is searched by a plain form and paged by links, and what is ticked stays ticked."""
    page = many.get("/articles?q=herald&count=4&start=4&document=day-1", headers=HTML).text
    assert list(boxes(page).values()) == [True, False, False, False, False]
    assert re.search(r"5–8 of\s+100", page)
    for name, start in (("prev", "0"), ("next", "8")):
        link = re.search(rf'rel="{name}" href="([^"]*)"', page)
        assert link
        named = parse_qs(urlsplit(unescape(link[1])).query)
        assert named == {"q": ["herald"], "start": [start], "count": ["4"], "document": ["day-1"]}
    assert '<input id="words" name="q" type="search" value="herald"' in page
    assert 'action="/articles"' in page
    assert 'formaction="/articles"' in page
    assert "Add an article" not in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("q=zebra", "No title or source has this word."),
        ("q=zebra%20rain", "No title or source has all these words."),
        ("since=2999", "No article is dated so."),
        ("start=5000", "There are only 1,000."),
    ],
)
def test_an_empty_list_says_why(many: TestClient, query: str, said: str) -> None:
    """In place of the count."""
    assert said in many.get(f"/articles?{query}", headers=HTML).text


def test_hostile_titles_in_the_list() -> None:
    """Titles, sources and searched words are text, in the list and beside the conversation."""
    with serve(make_pipeline(hostile(), farm())) as client:
        words = "\"><script>alert('words')</script>"
        for path in ("/", "/articles", f"/articles?q={words}", "/articles?q=alert"):
            page = client.get(path, headers=HTML).text
            assert "<script>" not in page
            assert 'href="javascript' not in page
        assert boxes(page) == {"hostile": False}
        assert "&lt;script&gt;alert(&#39;title&#39;)" in page


def test_article(client: TestClient) -> None:
    """An article comes whole, with the blocks of its text."""
    got = client.get("/articles/town").json()
    assert got["text"] == TOWN
    assert [item["paragraph"] for item in got["blocks"]] == [1, None, 2]
    assert got["url"] == "https://news.example/bridge"


def test_article_page(client: TestClient) -> None:
    """A browser gets the article as a page."""
    response = client.get("/articles/town", headers=HTML)
    assert "<h1" in response.text
    assert "nine million" in response.text


def test_unknown_article(client: TestClient) -> None:
    """An unknown id is a 404 that says where the known ones are."""
    error = error_of(client.get("/articles/nowhere"), 404)
    assert error == "no article has the id 'nowhere'; see their list"
    page = client.get("/articles/nowhere", headers=HTML)
    assert page.status_code == 404
    assert "no article has the id &#39;nowhere&#39;" in page.text
    assert page.headers["content-type"].startswith("text/html")
