"""Small stand-ins for the model and the reader, and articles to try the stages on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from rustqa.corpus import make_document
from rustqa.passages import split_document
from rustqa.reader import TokenScores
from rustqa.types import Candidate, Document, Evidence, Reading, Vectors
from rustqa.windows import Window

REPOSITORY = Path(__file__).resolve().parents[1]
CORPUS = REPOSITORY / "corpus"
INDEX = REPOSITORY / "index"
ARTICLE_ID = "rust-case-dismissed"

HARBOUR = (
    "The council closed the harbour on Monday. Engineers had found a crack in the east wall.\n\n"
    "“Nobody will sail before the wall is mended,” said Ada Quill, the harbour master. "
    "The work costs two million pounds.\n\n"
    "Fishermen may land their catch at Saltby until spring."
)
ORCHARD = (
    "A late frost destroyed the cherry crop in the valley. Growers lost nine tenths of it.\n\n"
    "The minister promised help. The growers want money before autumn."
)


def articles() -> list[Document]:
    """Two short articles on different matters."""
    questions = {"questions": ["Who is the harbour master?", "Who won the cup?"]}
    return [
        make_document("harbour", HARBOUR, metadata=questions),
        make_document("orchard", ORCHARD),
    ]


@dataclass
class FakeEncoder:
    """Hashed bags of words as unit vectors; `synonyms` maps a word to the one it means."""

    name: str = "fake"
    vocabulary: Collection[str] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    dimensions: int = 64

    @property
    def fingerprint(self) -> str:
        """Hex SHA-256 of the name."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions)."""
        vectors = [self._vector(text) for text in texts]
        return np.array(vectors, np.float32).reshape(-1, self.dimensions)

    def knows(self, word: str) -> bool:
        """Whether the word stands in the vocabulary given."""
        return word in self.vocabulary

    def _vector(self, text: str) -> Vectors:
        vector = np.zeros(self.dimensions, np.float32)
        for word in re.findall(r"\w+", text.lower()) or [text]:
            digest = hashlib.sha256(self.synonyms.get(word, word).encode()).digest()
            vector[digest[0] % self.dimensions] += 1
        return vector / np.float32(np.linalg.norm(vector))


@dataclass
class CountingEncoder(FakeEncoder):
    """Records what it encodes; `weights` stands for those it has."""

    weights: str = "0" * 64
    encoded: list[str] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """The weights given."""
        return self.weights

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the fake encoder does."""
        self.encoded += texts
        return super().encode(texts)


@dataclass
class FixedEncoder(FakeEncoder):
    """Gives the vectors it was made with, row by row, whatever the texts."""

    rows: Vectors = field(default_factory=lambda: np.eye(1, 64, dtype=np.float32))

    def encode(self, texts: Sequence[str]) -> Vectors:
        """The first rows, one for each text; a single row serves every text."""
        return np.resize(self.rows, (len(texts), self.rows.shape[1]))


@dataclass
class FakeReader:
    """Reads the first letter of each candidate's best sentence, as sure as it is told to be.

    Of questions that hold `doubtful` it is not sure. `asked` records its questions, each with
    its contexts.
    """

    confidences: Sequence[float] = (0.9,)
    doubtful: str = "cup"
    name: str = "fake-reader"
    asked: list[tuple[str, list[tuple[str, ...]]]] = field(default_factory=list)

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """One reading for each candidate, in their order, with the confidences in theirs."""
        self.asked.append((question, [tuple(context) for context in contexts]))
        readings = []
        for place, candidate in enumerate(candidates[:top_k]):
            best = max(candidate.evidence, key=lambda item: item.score)
            answer = best.sentence._replace(end=best.sentence.start + 1)
            confidence = self.confidences[min(place, len(self.confidences) - 1)]
            confidence = 0.1 if self.doubtful in question else confidence
            scores = {"dense": best.dense, "bm25": best.bm25, "reader": best.score}
            readings.append(Reading(candidate.passage, best.sentence, answer, confidence, scores))
        return readings


def candidates_of(document: Document, score: float = 0.5) -> list[Candidate]:
    """Its passages as if retrieved, each sentence with the same evidence."""
    return [
        Candidate(
            passage,
            document.text[passage.start : passage.end],
            tuple(Evidence(s, score, score / 2, 0.0, score / 4, 0.0) for s in passage.sentences),
        )
        for passage in split_document(document)
    ]


def hashed_scores(windows: Sequence[Window]) -> list[TokenScores]:
    """Scores between -4 and 4 that depend on each token alone: a network that learnt nothing."""
    each = np.array([1, 2, 3], np.float32)
    return [(4 * np.sin(np.outer(window.ids, each))).astype(np.float32) for window in windows]


PIECES = [
    "The judge dismissed the case on Friday.",
    "“It was intentional,” Sommer said. ",
    "Dr. Roe paid £1.5 million, e.g. for the dome.",
    "Who knew? Nobody!",
    "Related: More on this",
    "A headline without an end",
    "# Heading",
    "- a list item",
    "| Reuters",
    "\N{SLICE OF PIZZA}\N{FAMILY}\N{ZERO WIDTH JOINER}\N{BOY}",
    "e\N{COMBINING ACUTE ACCENT}\N{COMBINING DIAERESIS}.",
    "\N{REGIONAL INDICATOR SYMBOL LETTER G}\N{REGIONAL INDICATOR SYMBOL LETTER B}",
    "他说。",
    "[3]",
    "…”",
    " ",
    "\t",
    "\n",
    "\n\n",
    "\r\n",
    "\r\n\r\n",
    "\r",
    "\N{NO-BREAK SPACE}",
    "Plan B\N{NO-BREAK SPACE}.",
    "Plan B\N{EM SPACE}. It failed.",
    "\N{LINE SEPARATOR}",
    "\N{NEXT LINE}",
    "\x0b",
    "\x1c",
    "\N{ZERO WIDTH NO-BREAK SPACE}",
    "\N{RIGHT-TO-LEFT MARK}",
]
"""Prose, furniture, and everything that upsets offsets."""


def texts() -> st.SearchStrategy[str]:
    """Arbitrary texts without surrogates, mostly put together from `PIECES`."""
    piece = st.sampled_from(PIECES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
    return st.lists(piece, max_size=20).map("".join)


def documents() -> st.SearchStrategy[Document]:
    """Documents made of such texts behind a sentence, so that there is something to read."""
    return texts().map(lambda text: make_document("any", f"It rained.\n\n{text}"))
