"""What the tests of the API and the pages share: a reader that is easily foreseen, and a server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from fastapi.testclient import TestClient

from fakes import FakeEncoder
from rustqa.api import create_app
from rustqa.corpus import make_document
from rustqa.pipeline import Pipeline, build_in_memory
from rustqa.types import Candidate, Document, Reading, Span

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


class WordReader:
    """Sure of a sentence that holds the question's last word, whose answer is that word.

    A question that starts with "Why" gets the whole sentence.
    """

    name = "word-reader"

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        turns: Sequence[str] = (),
    ) -> list[Reading]:
        """The sentences that hold the word first."""
        word = question.rstrip("?").split()[-1].lower()
        readings = []
        for candidate in candidates:
            origin = candidate.passage.start
            for item in candidate.evidence:
                start, end = item.sentence
                place = candidate.text[start - origin : end - origin].lower().find(word)
                answer = item.sentence
                if place >= 0 and not question.startswith("Why"):
                    answer = Span(start + place, start + place + len(word))
                scores = {"dense": item.dense, "bm25": item.bm25, "reader": item.score}
                sure = 0.93 if place >= 0 else 0.04
                readings.append(Reading(candidate.passage, item.sentence, answer, sure, scores))
        return sorted(readings, key=lambda reading: -reading.confidence)[:top_k]


def town() -> Document:
    """An article with page furniture and a character beyond the basic plane."""
    return make_document(
        "town",
        TOWN,
        metadata={
            "title": "New bridge opens",
            "url": "https://news.example/bridge",
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
    encoder = FakeEncoder()
    return Pipeline(build_in_memory(documents, encoder), encoder, WordReader())


@contextmanager
def serve(pipeline: Pipeline) -> Iterator[TestClient]:
    """A client of an application that has loaded the pipeline."""
    with client_of(lambda: pipeline) as client:
        wait_until(lambda: client.get("/readyz").status_code == 200)
        yield client


@contextmanager
def client_of(open_pipeline: Callable[[], Pipeline]) -> Iterator[TestClient]:
    """A client of an application that is started, but may not be ready."""
    with TestClient(create_app(open_pipeline)) as client:
        yield client


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns once the condition holds; fails after ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "waited ten seconds in vain"
        time.sleep(0.01)
