"""The vocabulary of rustqa: what an article, a passage, evidence and an answer are.

Offsets are 0-based, end-exclusive, and count Unicode code points of the document's text.
A higher score is always better.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

# What makes a year or a month a day.
_FIRST_DAY = {4: "-01-01", 7: "-01"}

Vectors = NDArray[np.float32]
Scores = NDArray[np.float64]


class Span(NamedTuple):
    """A stretch of a document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Block:
    """A run of text between blank lines: a paragraph, or page furniture (`paragraph` is None)."""

    start: int
    end: int
    paragraph: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """An article as stored: its exact text and where its paragraphs and page furniture lie."""

    id: str
    text: str
    blocks: tuple[Block, ...]
    sha256: str
    bytes: int
    title: str
    url: str | None = None
    source: str | None = None
    date: str | None = None
    licence: str | None = None
    questions: tuple[str, ...] = ()

    def __hash__(self) -> int:
        # Of all fields it would take as long as the article has paragraphs.
        return hash((self.id, self.sha256))

    @property
    def day(self) -> dt.date | None:
        """The day of the date, if that is one by ISO 8601; a year or a month counts as its first
        day."""
        whole = (self.date or "")[:10]
        try:
            return dt.date.fromisoformat(whole + _FIRST_DAY.get(len(whole), ""))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which articles are asked: the named ones, and those dated from `since` to `until`, both
    included; None sets no limit. An article without a date is in no span of time."""

    documents: frozenset[str] | None = None
    since: dt.date | None = None
    until: dt.date | None = None

    def holds(self, id: str, day: dt.date | None) -> bool:
        """Whether an article with this id and day is asked."""
        if self.documents is not None and id not in self.documents:
            return False
        if self.since is None and self.until is None:
            return True
        first, last = self.since or dt.date.min, self.until or dt.date.max
        return day is not None and first <= day <= last


EVERYTHING = Scope()


@dataclass(frozen=True, slots=True)
class Passage:
    """Consecutive whole sentences of one paragraph: the unit that is retrieved."""

    document_id: str
    paragraph: int
    start: int
    end: int
    sentences: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Pool:
    """Passages that may match some questions, in the store's order, and how well they do.

    `counts` says how many sentences each has. `cosines` and `shares` (of BM25, in [0, 1]) have the
    shape (questions, rows): of each passage its own row, then one for each of its sentences.
    """

    passages: Sequence[Passage]
    texts: Sequence[str]
    counts: NDArray[np.int64]
    cosines: Scores
    shares: Scores


@dataclass(frozen=True, slots=True)
class Listing:
    """Some of the articles that were looked for, and how many there are."""

    total: int
    documents: Sequence[Document]


@dataclass(frozen=True, slots=True)
class Evidence:
    """How one sentence and its passage match a question: cosines in [-1, 1], BM25 as shares
    in [0, 1], and the score that fuses them."""

    sentence: Span
    score: float
    dense: float
    passage_dense: float
    bm25: float
    passage_bm25: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """A retrieved passage, its text, and the evidence for each of its sentences, in order.

    `standing` is its article's: the score of the article's best sentence less that of the best
    article's, 0 or below.
    """

    passage: Passage
    text: str
    evidence: tuple[Evidence, ...]
    standing: float = 0.0

    @property
    def score(self) -> float:
        """The score of the best sentence."""
        return max(item.score for item in self.evidence)

    @property
    def likeness(self) -> float:
        """The greatest cosine of the question with the passage or a sentence of it."""
        return max(max(item.dense, item.passage_dense) for item in self.evidence)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reader's answer: a span inside a sentence, and the probability that it is right."""

    passage: Passage
    sentence: Span
    answer: Span
    confidence: float
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation and the answer it got."""

    question: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A quotation in its place; `cited_text` is the whole sentence, verbatim.

    Selectors follow the W3C Web Annotation Data Model, `url` the URL Fragment Text Directives.
    """

    id: int
    type: Literal["char_location"]
    document_id: str
    document_title: str
    document_url: str | None
    document_date: str | None
    paragraph: int
    cited_text: str
    start_char: int
    end_char: int
    answer_start_char: int
    answer_end_char: int
    selectors: tuple[dict[str, Any], ...]
    url: str
    scores: dict[str, float]

    @property
    def answer(self) -> str:
        """The words in `cited_text` that answer."""
        return self.cited_text[
            self.answer_start_char - self.start_char : self.answer_end_char - self.start_char
        ]


@dataclass(frozen=True, slots=True)
class Attribution:
    """Where an article says whose words something is: the speaker's name, and the words that
    attribute ("Sommer said")."""

    speaker_start_char: int
    speaker_end_char: int
    cue_start_char: int
    cue_end_char: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One answer: its exact words, the citation that shows it, and who makes the claim.

    `citations` are all that show it, that one first, as several articles may say the same.
    `speaker` is the name in the article at the place that `attribution` gives; both are None
    where the article states the claim itself.
    """

    text: str
    speaker: str | None
    attribution: Attribution | None
    confidence: float
    citation: int
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` returns. `confidence` is the probability that the first sentence is right.

    `message` is said by rustqa, not by an article, where there was nothing to look for, and
    `suggestions` are then questions that can be answered.
    """

    question: str
    question_used: str
    status: Literal["answered", "no_answer"]
    answer: str | None
    message: str | None
    confidence: float
    claims: tuple[Claim, ...]
    contested: bool
    citations: tuple[Citation, ...]
    nearest: tuple[Citation, ...]
    suggestions: tuple[str, ...]
    index_id: str
    document_sha256: dict[str, str]
    model: dict[str, str]
    timings_ms: dict[str, float]


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def name(self) -> str:
        """The model's name, as shown in answers."""

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the model's weights."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32."""

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""


class PassageStore(Protocol):
    """Passages and their articles, found by meaning and by words."""

    @property
    def id(self) -> str:
        """Changes whenever an article, the encoder or the splitting changes."""

    @property
    def documents(self) -> Mapping[str, Document]:
        """The articles by id, each read when it is asked for."""

    @property
    def words(self) -> Mapping[str, int]:
        """How often each word of three letters or more stands in the articles, as far as known."""

    def __len__(self) -> int:
        """How many passages there are."""

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        """The passages of one article, in order."""

    def list_documents(
        self, words: str = "", scope: Scope = EVERYTHING, start: int = 0, count: int = 50
    ) -> Listing:
        """The articles in scope whose title or source holds all the words, from the `start`-th on,
        the newest first, then those without a date."""

    def search(
        self,
        vectors: Vectors,
        terms: Sequence[Sequence[str]],
        top_k: int,
        scope: Scope = EVERYTHING,
    ) -> Pool:
        """For each question, by its vector (a row of `vectors`) and its different terms, the
        `top_k` passages nearest in meaning and the `top_k` with most of its words, together."""


class Retriever(Protocol):
    """Finds the passages that may hold the answer."""

    def retrieve(
        self,
        question: str,
        top_k: int,
        scope: Scope = EVERYTHING,
        wordings: Sequence[str] = (),
    ) -> list[Candidate]:
        """At most `top_k` candidates, best first, from the articles in scope; `wordings` are other
        ways to ask the same."""


class Reader(Protocol):
    """Finds answers in candidates."""

    @property
    def name(self) -> str:
        """The reader's name, as shown in answers."""

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """At most `top_k` readings, the most probably right first, of the question behind each of
        the contexts: what was said before, if anything."""
