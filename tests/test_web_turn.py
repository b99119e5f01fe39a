"""A turn of the conversation: what is claimed, by whom, how surely, and what can be done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from rustqa.conversation import LONGEST_CHAIN
from rustqa.library import Library
from rustqa.pipeline import Pipeline
from rustqa.types import Answer, Attribution, Turn
from rustqa.web import Pages, permalink
from web_fixtures import HTML, SAID, disputed, farm, greeted, make_pipeline, page_for, serve, town


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


def turn_for(pipeline: Pipeline, **changes: Any) -> str:
    """The turn of an answer that has been changed."""
    library = Library(pipeline)
    answer = pipeline.ask("Who mentions bridge?")
    return Pages().turn(library, replace(answer, **changes))


def text_of(html: str) -> str:
    """The text of a piece of HTML."""
    return unescape(re.sub(r"<[^>]*>", "", html))


def turn_in(html: str) -> str:
    """The text of the turn in a page or fragment."""
    found = re.search(r'<section class="turn".*?</section>', html, re.DOTALL)
    assert found
    return text_of(found[0])


def test_no_answer(client: TestClient, several: TestClient) -> None:
    """Without an answer the page says so, labels what is close, and highlights nothing."""
    page = page_for(client, "Who won the cup?")
    assert "The article does not say." in page
    assert "Closest passages, which do not answer the question:" in page
    assert 'class="cited"' not in page
    assert "<mark" not in page
    assert "sure" not in text_of(page[page.index('class="turn"') : page.index("</section>")])
    assert "The articles do not say." in page_for(several, "Who won the cup?")


def test_question_used(client: TestClient) -> None:
    """A question that was mended is shown as it was understood; one that was not, is not."""
    assert 'Understood as: <q dir="auto">What did it cost in pounds?</q>' in page_for(
        client, "What did it cost in puonds?"
    )
    assert "Understood as" not in page_for(client, " What did it cost in pounds? ")


def test_question_used_can_be_edited(client: TestClient, pipeline: Pipeline) -> None:
    """What was understood can be taken up and changed; not where nothing was looked for."""
    page = page_for(client, "What did it cost in puonds?")
    assert re.search(r'class="understood">.*<button type="button" class="edit', page, re.DOTALL)
    misspelt = greeted(pipeline.ask("What did it cost in puonds?"))
    assert "Understood as" not in Pages().turn(Library(pipeline), misspelt)


def test_further_claims(pipeline: Pipeline) -> None:
    """Further claims stand beneath the first, in the order given, the unlikely under a heading."""
    claims = pipeline.ask("Who mentions bridge?").claims
    unlikely = tuple(replace(claim, confidence=0.2) for claim in claims[1:])
    assert "Less likely" not in turn_for(
        pipeline, claims=(claims[0], replace(claims[1], confidence=0.6))
    )
    turn = turn_for(pipeline, claims=(claims[0], *unlikely))
    assert turn.count("<blockquote") > 1
    assert turn.index("<blockquote") < turn.index("Less likely")
    assert "differing accounts" not in turn


def test_speaker(pipeline: Pipeline) -> None:
    """Whose words they are stands before the words; what the article states itself has none."""
    answer = pipeline.ask("What did it cost in pounds?")
    claim = replace(answer.claims[0], speaker="Ada <Quill>")
    turn = turn_for(pipeline, claims=(claim,), citations=answer.citations)
    said = 'According to <b dir="auto">Ada &lt;Quill&gt;</b>'
    assert turn.index(said) < turn.index("<blockquote")
    assert "According to" not in Pages().turn(Library(pipeline), answer)


def test_words_that_attribute(pipeline: Pipeline) -> None:
    """The words that say whose claim it is are marked in the quotation, beside the answer's."""
    answer = pipeline.ask("Who opened it on Friday?")
    claim = replace(answer.claims[0], speaker="The mayor", attribution=Attribution(0, 9, 0, 16))
    turn = turn_for(pipeline, claims=(claim,), citations=answer.citations)
    marked = '<mark class="cue">The mayor opened</mark> the new bridge on <mark class="words">'
    assert marked in turn
    elsewhere = replace(claim, attribution=Attribution(44, 47, 44, 55))
    assert 'class="cue"' not in turn_for(pipeline, claims=(elsewhere,), citations=answer.citations)
    assert 'class="cue"' not in Pages().turn(Library(pipeline), answer)


def test_contested(pipeline: Pipeline) -> None:
    """Differing accounts are called so, each headed by the one who gives it, none less likely."""
    answer = disputed(pipeline.ask("Who mentions bridge?"))
    turn = Pages().turn(Library(pipeline), answer)
    assert "The article gives differing accounts." in turn
    accounts = turn[turn.index('class="accounts"') :]
    headings = re.findall(r'<h3 class="speaker" dir="auto">(.*?)</h3>', accounts)
    assert headings[0] == "&lt;b&gt;Mr 0"
    assert headings[-1] == "The article itself"
    assert len(headings) == accounts.count("<blockquote") == len(answer.claims)
    assert "Less likely" not in turn


def test_contested_in_the_article(pipeline: Pipeline) -> None:
    """Differing accounts are marked alike in the article, other claims after the best one."""
    library = Library(pipeline)
    answer = disputed(pipeline.ask("Who mentions bridge?"))
    page = Pages().chat(library, library.first, answer)
    assert page.count('class="cited"') == len(answer.claims)
    page = Pages().chat(library, library.first, replace(answer, contested=False))
    assert page.count('class="cited"') == 1
    assert page.count('class="also"') == len(answer.claims) - 1


def test_message(pipeline: Pipeline) -> None:
    """What rustqa itself says is no quotation, and comes with questions that can be answered."""
    answer = greeted(pipeline.ask("Who won the cup?"))
    turn = Pages(feedback=True).turn(Library(pipeline), answer)
    assert re.search(rf'class="own"><b>rustqa, not the article:</b> {SAID}</p>', turn)
    assert "<blockquote" not in turn
    assert "does not say" not in turn
    assert "Closest" not in turn
    assert "This is right" not in turn
    assert ">What did it cost in pounds?</a>" in turn


def test_following_questions(client: TestClient, pipeline: Pipeline) -> None:
    """After an answer or a silence the page offers what the article answers, but nothing that
    was asked."""
    offered = '<a class="suggestion" href="/?q=What%20did%20it%20cost%20in%20pounds%3F" dir="auto">'
    assert offered in page_for(client, "Who won the cup?")
    assert offered in page_for(client, "Who mentions bridge?")
    assert offered not in page_for(client, "What did it cost in pounds?")
    assert offered not in page_for(client, "What did it cost in puonds?")
    earlier = [Turn("What did it cost in pounds?")]
    answer = pipeline.ask("Who won the cup?", earlier)
    assert offered not in Pages().turn(Library(pipeline), answer, earlier)


def test_permalink(several: TestClient) -> None:
    """Each turn has a link that shows the same turn again, beside the article that answers."""
    for question in ("What did the farmers want before autumn?", "Who won the cup?"):
        shown = several.post("/ask", json={"question": question}, headers=HTML).text
        link = re.search(r'class="permalink" href="([^"]*)"', shown)
        assert link
        page = several.get(unescape(link[1]), headers=HTML).text
        assert turn_in(page) == turn_in(shown)


def test_permalink_of_a_follow_up(several: TestClient, pipeline: Pipeline) -> None:
    """The link of a follow-up names the questions it may lean on, that of another question none."""
    asked = [f"What closed on day {number}?" for number in range(LONGEST_CHAIN + 1)]
    history = [{"question": question, "answer": None} for question in asked]
    body = {"question": "And in pounds?", "history": history}
    shown = several.post("/ask", json=body, headers=HTML).text
    assert "Understood as" in shown
    link = re.search(r'class="permalink" href="([^"]*)"', shown)
    assert link
    named = parse_qs(urlsplit(unescape(link[1])).query)
    assert named["q"] == ["And in pounds?"]
    assert named["after"] == asked[1:]
    assert turn_in(several.get(unescape(link[1]), headers=HTML).text) == turn_in(shown)
    alone = pipeline.ask("Who won the cup?", [Turn("Who?")])
    assert permalink(alone, [Turn("Who?")]) == "/?q=Who%20won%20the%20cup%3F"


def test_permalink_leads_to_the_words(pipeline: Pipeline) -> None:
    """The link names the article and the words in it that a browser is to show."""
    answer = pipeline.ask("What did it cost in pounds?")
    directive = answer.citations[0].url.partition("#")[2]
    asked = "/?q=What%20did%20it%20cost%20in%20pounds%3F"
    assert permalink(answer) == f"{asked}&article=town#{directive}"


def test_a_bad_question_before(client: TestClient) -> None:
    """A link whose earlier question cannot be asked is refused like one whose question cannot."""
    response = client.get("/", params={"q": "Why?", "after": " "}, headers=HTML)
    assert response.status_code == 422
    assert "the question is empty" in response.text


@pytest.mark.parametrize("switched_on", [True, False])
def test_asks_for_a_verdict_only_if_told_to(pipeline: Pipeline, switched_on: bool) -> None:
    """Whether an answer is right is asked only where that is kept, and the page says where."""
    turn = Pages(switched_on).turn(Library(pipeline), pipeline.ask("Who won the cup?"))
    assert ("This is right" in turn) is switched_on
    assert ("in a file on this machine" in turn) is switched_on
    assert ("data-history" in turn) is switched_on


def test_what_the_script_needs(pipeline: Pipeline) -> None:
    """The turn carries its record and the history it was asked with, whatever stands in them."""
    history = [Turn('"Who\'s <b>there</b>?"', "a & b")]
    answer: Answer = pipeline.ask("What did it cost in pounds?", history)
    turn = Pages(feedback=True).turn(Library(pipeline), answer, history)
    record, earlier = re.findall(r'data-(?:record|history)="([^"]*)"', turn)
    assert json.loads(unescape(record)) == json.loads(json.dumps(asdict(answer)))
    assert json.loads(unescape(earlier)) == [asdict(history[0])]
