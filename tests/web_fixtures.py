"""What the tests of the API and the pages share: a reader that is easily foreseen, and a server."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fakes import FakeEncoder
from rustqa import checking, indexing
from rustqa.api import create_app
from rustqa.corpus import make_document
from rustqa.feedback import FeedbackFile
from rustqa.indexing import build_in_memory
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings
from rustqa.types import Answer, Candidate, Document, Reading, Span, Turn
from rustqa.upkeep import Upkeep, upkeep_of

TOWN = (
    "The mayor opened the new bridge on Friday. She thanked the engineers 🎉 at length.\n\n"
    "Related: How the old bridge fell\n\n"
    "The bridge cost nine million pounds. Traffic starts on Monday."
)
FARM = "A storm destroyed the harvest. The farmers want money before autumn."
HOSTILE_TEXT = (
    "The <script>alert('text')</script> page broke on Friday. "
    "It said \"><img src=x onerror=alert('image')> & left.\n\n"
    "Nothing else was harmed."
)
HTML = {"Accept": "text/html"}
GREETING = "Hello there"
SAID = "I look things up in the articles; ask about them."
DISPUTED = "Is there a dispute about the bridge?"


class WordReader:
    """Sure of a sentence that holds the question's last word, whose answer is that word.

    A question that starts with "Why" gets the whole sentence, one that starts with "Is" or "Who
    mentions" what follows the word, too.
    """

    name = "word-reader"

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """The sentences that hold the word first."""
        word = (question.rstrip("?").split() or ["?"])[-1].lower()
        readings = []
        for candidate in candidates:
            origin = candidate.passage.start
            for item in candidate.evidence:
                start, end = item.sentence
                place = candidate.text[start - origin : end - origin].lower().find(word)
                answer = item.sentence
                if place >= 0 and not question.startswith("Why"):
                    answer = Span(start + place, start + place + len(word))
                if place >= 0 and question.startswith(("Is ", "Who mentions ")):
                    answer = Span(start + place, end - 1)
                scores = {"dense": item.dense, "bm25": item.bm25, "reader": item.score}
                sure = 0.93 if place >= 0 else 0.04
                readings.append(Reading(candidate.passage, item.sentence, answer, sure, scores))
        return sorted(readings, key=lambda reading: -reading.confidence)[:top_k]


class StagedPipeline(Pipeline):
    """Greets who greets it, and takes the claims about one matter for differing accounts."""

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        top_k: int = 3,
        documents: Collection[str] | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
    ) -> Answer:
        """The answer, staged for GREETING and DISPUTED."""
        answer = super().ask(question, history, top_k, documents, since, until)
        if question == GREETING:
            return greeted(answer)
        return disputed(answer) if question == DISPUTED else answer


def greeted(answer: Answer) -> Answer:
    """The answer as if there had been nothing to look for."""
    return replace(
        answer, status="no_answer", answer=None, message=SAID, confidence=0.0, claims=(),
        contested=False, citations=(), nearest=(), suggestions=("What did it cost in pounds?",),
    )  # fmt: skip


def disputed(answer: Answer) -> Answer:
    """The answer as if its claims were differing accounts, the last one the article's own."""
    last = len(answer.claims) - 1
    claims = tuple(
        replace(claim, confidence=0.8, speaker=None if place == last else f"<b>Mr {place}")
        for place, claim in enumerate(answer.claims)
    )
    return replace(answer, claims=claims, contested=True)


def town() -> Document:
    """An article with page furniture and a character beyond the basic plane."""
    return make_document(
        "town",
        TOWN,
        metadata={
            "title": "New bridge opens",
            "url": "https://news.example/bridge",
            "date": "2024-07-12",
            "questions": ["What did it cost in pounds?", "Who won the cup?"],
        },
    )


def farm() -> Document:
    """An article on another matter, without an address."""
    return make_document("farm", FARM, metadata={"title": "Harvest lost"})


def archive() -> Document:
    """An article too long for a window, which says something only at its end."""
    filler = "Nothing of note was entered in the books on that day.\n\n" * 60
    return make_document(
        "archive", f"{filler}The key lay in the vault.", metadata={"title": "Books"}
    )


def hostile() -> Document:
    """An article whose text and metadata try to run a script."""
    return make_document(
        "hostile",
        HOSTILE_TEXT,
        metadata={
            "title": "</title><script>alert('title')</script>",
            "url": "javascript:alert('url')",
            "source": "\"><script>alert('source')</script>",
            "questions": ["<script>alert('question')</script> on Friday?"],
        },
    )


def make_pipeline(*documents: Document) -> Pipeline:
    """A pipeline over the documents, without any model."""
    encoder = FakeEncoder(vocabulary={"what", "who", "won", "cup"})
    return StagedPipeline(build_in_memory(documents, encoder), encoder, WordReader())


@contextmanager
def serve(
    pipeline: Pipeline, feedback: FeedbackFile | None = None, upkeep: Upkeep | None = None
) -> Iterator[TestClient]:
    """A client of an application that has loaded the pipeline."""
    with client_of(lambda: pipeline, feedback, upkeep) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


@contextmanager
def client_of(
    open_pipeline: Callable[[], Pipeline],
    feedback: FeedbackFile | None = None,
    upkeep: Upkeep | None = None,
) -> Iterator[TestClient]:
    """A client of an application that is started, but may not be ready."""
    with TestClient(create_app(open_pipeline, feedback, upkeep)) as client:
        yield client


def kept_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, watch: bool = False, add: bool = True
) -> tuple[Pipeline, Upkeep]:
    """A pipeline over an index on disk of articles in `folder`/articles, and its upkeep, by which
    articles are added to `folder`/added."""
    encoder = FakeEncoder()
    monkeypatch.setattr(indexing, "open_passage_encoder", lambda *_: encoder)
    for module in (checking, indexing):
        monkeypatch.setattr(module, "weights_fingerprint", lambda _: encoder.fingerprint)
    corpus = folder / "articles"
    corpus.mkdir()
    for document in (town(), farm()):
        (corpus / f"{document.id}.txt").write_text(document.text)
    settings = replace(Settings.from_env({}), index=folder / "index", encoder=encoder.name)
    store = indexing.build_index(settings, [corpus]).store
    upkeep = upkeep_of(settings, watch, folder / "added" if add else None)
    return StagedPipeline(store, encoder, WordReader()), upkeep


def page_for(client: TestClient, question: str, **more: str) -> str:
    """The chat page that answers the question."""
    response = client.get("/", params={"q": question, **more}, headers=HTML)
    assert response.status_code == 200
    return response.text


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Returns once the condition holds; fails after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} seconds in vain"
        time.sleep(0.01)
