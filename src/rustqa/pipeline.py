"""Composes the stages into one object that answers: the only place where they are joined."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Collection, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from rustqa.citations import cite
from rustqa.conversation import leans_on
from rustqa.corpus import read_corpus
from rustqa.encoder import PassageEncoder, open_question_encoder, weights_fingerprint
from rustqa.errors import QuestionError, StoreError, UnknownDocumentError
from rustqa.index import (
    FaissStore,
    build_store,
    check_store,
    corpus_of,
    load_store,
    make_recipe,
    save_store,
)
from rustqa.passages import split_document, splitter_name
from rustqa.reader import open_reader
from rustqa.retriever import FusedRetriever
from rustqa.settings import DEFAULT_THRESHOLD, Settings, data_root
from rustqa.spelling import Speller
from rustqa.types import (
    Answer,
    Candidate,
    Citation,
    Claim,
    Document,
    Encoder,
    PassageStore,
    Reader,
    Reading,
    Turn,
)

log = logging.getLogger(__name__)

MAX_QUESTION = 1000
MAX_HISTORY = 20
MAX_TOP_K = 20
# What is read for one question: the best passages, as many as make so many words.
_CANDIDATES = 20
_WORDS_READ = 800
# Behind an answer, a further claim is worth showing, with its own low confidence, from here on.
_FURTHER = 0.1


class Asked(NamedTuple):
    """A question, its spelling corrected, and the earlier ones that it leans on."""

    question: str
    turns: tuple[str, ...]

    @property
    def whole(self) -> str:
        """The question with what it leans on, which stands alone."""
        return " ".join((*self.turns, self.question))


class Pipeline:
    """Answers questions about the articles of one store."""

    def __init__(
        self,
        store: PassageStore,
        encoder: Encoder,
        reader: Reader,
        threshold: float = DEFAULT_THRESHOLD,
    ) -> None:
        """Joins the stages; no answer is given unless its confidence reaches `threshold`."""
        self.store = store
        self.threshold = threshold
        self._reader = reader
        self._encoder = encoder
        self._retriever = FusedRetriever(store, encoder)
        texts = (document.text for document in store.documents.values())
        self._speller = Speller(texts, encoder.knows)

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        top_k: int = 3,
        documents: Collection[str] | None = None,
    ) -> Answer:
        """The answer, with at most `top_k` claims or nearest passages, best first.

        Raises QuestionError or UnknownDocumentError if asked in a way that cannot be answered.
        """
        began = perf_counter()
        self._check(question, history, top_k, documents)
        asked = self.understand(question, history)
        candidates = self.candidates(asked, documents)
        retrieved = perf_counter()
        # Of a chain of follow-ups the reader gets what it started from and the last.
        turns = dict.fromkeys((*asked.turns[:1], *asked.turns[-1:]))
        readings = self._reader.read(asked.question, candidates, top_k, tuple(turns))
        read = perf_counter()
        answered = bool(readings) and readings[0].confidence >= self.threshold
        least = min(self.threshold, _FURTHER)
        sure = [item for item in readings if answered and item.confidence >= least]
        citations = self._cite(sure)
        nearest = () if sure else self._cite(readings)
        claims = tuple(
            Claim(
                text=citation.answer,
                speaker=None,
                attribution=None,
                confidence=round(reading.confidence, 4),
                citation=citation.id,
            )
            for reading, citation in zip(sure, citations, strict=True)
        )
        return Answer(
            question=question,
            question_used=asked.whole,
            status="answered" if claims else "no_answer",
            answer=claims[0].text if claims else None,
            message=None,
            confidence=round(readings[0].confidence, 4) if readings else 0.0,
            claims=claims,
            contested=False,
            citations=citations,
            nearest=nearest,
            suggestions=(),
            index_id=self.store.id,
            document_sha256={
                item.document_id: self.store.documents[item.document_id].sha256
                for item in (*citations, *nearest)
            },
            model={"encoder": self._encoder.name, "reader": self._reader.name},
            timings_ms={
                "retrieve": round(1000 * (retrieved - began), 2),
                "read": round(1000 * (read - retrieved), 2),
                "total": round(1000 * (perf_counter() - began), 2),
            },
        )

    def understand(self, question: str, history: Sequence[Turn] = ()) -> Asked:
        """The question as it is searched for and read."""
        turns = [self._speller.correct(turn.question.strip()) for turn in history]
        corrected = self._speller.correct(question.strip())
        return Asked(corrected, leans_on(corrected, turns))

    def candidates(self, asked: Asked, documents: Collection[str] | None = None) -> list[Candidate]:
        """The best passages, as many as are read for one question."""
        chosen: list[Candidate] = []
        room = _WORDS_READ
        for candidate in self._retriever.retrieve(asked.whole, _CANDIDATES, documents):
            words = len(candidate.text.split())
            if words <= room or not chosen:
                chosen.append(candidate)
                room -= words
        return chosen

    def search(
        self, query: str, top_k: int = 10, documents: Collection[str] | None = None
    ) -> tuple[Citation, ...]:
        """The best sentence of each of the `top_k` best passages; raises as `ask` does."""
        self._check(query, (), top_k, documents)
        used = self._speller.correct(query.strip())
        candidates = self._retriever.retrieve(used, top_k, documents)
        return self._cite([_best_sentence(candidate) for candidate in candidates])

    def over(self, documents: Sequence[Document], encoder: Encoder) -> Pipeline:
        """A pipeline like this one over other documents, which `encoder` encodes in memory."""
        store = build_in_memory(documents, encoder)
        return Pipeline(store, self._encoder, self._reader, self.threshold)

    def suggestions(self, document_id: str, limit: int = 4) -> list[str]:
        """The article's own questions that it turns out to answer, in their order."""
        questions = self.store.documents[document_id].questions
        answered = (question for question in questions if self._answers(question, document_id))
        return list(islice(answered, limit))

    def _answers(self, question: str, document_id: str) -> bool:
        try:
            return self.ask(question, documents=[document_id]).status == "answered"
        except QuestionError as error:
            log.warning("article %s suggests what cannot be asked: %s", document_id, error)
            return False

    def _cite(self, readings: Sequence[Reading]) -> tuple[Citation, ...]:
        documents = self.store.documents
        return tuple(
            cite(number, documents[reading.passage.document_id], reading)
            for number, reading in enumerate(readings, 1)
        )

    def _check(
        self,
        question: str,
        history: Sequence[Turn],
        top_k: int,
        documents: Collection[str] | None,
    ) -> None:
        check_question(question)
        for turn in history:
            check_question(turn.question)
        if len(history) > MAX_HISTORY:
            raise QuestionError(
                f"the history has {len(history)} turns; send the last {MAX_HISTORY} at most"
            )
        if not 1 <= top_k <= MAX_TOP_K:
            raise QuestionError(f"top_k is out of range; give a number from 1 to {MAX_TOP_K}")
        if isinstance(documents, str):
            raise QuestionError(f"documents is the text {documents!r}; give a list of ids")
        if documents is not None and not documents:
            raise QuestionError("no article is named; name one or leave `documents` out")
        for name in documents or ():
            if name not in self.store.documents:
                raise UnknownDocumentError(f"no article has the id {name!r}; see GET /articles")


def _best_sentence(candidate: Candidate) -> Reading:
    best = max(candidate.evidence, key=lambda item: item.score)
    scores = {"dense": best.dense, "bm25": best.bm25}
    return Reading(candidate.passage, best.sentence, best.sentence, best.score, scores)


def check_question(question: str) -> None:
    """Raises QuestionError unless the question is text of a sensible length."""
    if not isinstance(question, str):
        raise QuestionError("the question is not text; give a string")
    if not question.strip():
        raise QuestionError("the question is empty; type one")
    if len(question) > MAX_QUESTION:
        raise QuestionError(
            f"the question has {len(question):,} characters; shorten it to {MAX_QUESTION:,}"
        )
    for place, char in enumerate(question):
        if unicodedata.category(char) in {"Cc", "Cs"} and not char.isspace():
            raise QuestionError(
                f"the question holds the control character U+{ord(char):04X} at position {place}; "
                "remove it"
            )


def build_index(settings: Settings) -> FaissStore:
    """Reads the corpus, builds its index and puts it in place of the old one."""
    corpus = _corpus(settings)
    if corpus is None:
        raise StoreError("no corpus is known for this index; name it: rustqa index FOLDER")
    documents = read_corpus(corpus)
    store = build_in_memory(documents, PassageEncoder(settings.encoder))
    save_store(store, settings.index, corpus)
    return store


def build_in_memory(documents: Sequence[Document], encoder: Encoder) -> FaissStore:
    """Splits and encodes documents into a store that lies on no disk."""
    passages = [passage for document in documents for passage in split_document(document)]
    return build_store(documents, passages, encoder, splitter_name())


def read_documents(settings: Settings) -> list[Document]:
    """The articles as they are now: from the corpus where there is one, else from the index."""
    corpus = _corpus(settings)
    return read_corpus(corpus) if corpus else list(load_store(settings.index).documents.values())


def open_store(settings: Settings) -> FaissStore:
    """The index from disk, checked against the encoder and the corpus; raises StoreError."""
    store = load_store(settings.index)
    recipe = make_recipe(settings.encoder, weights_fingerprint(settings.encoder), splitter_name())
    corpus = _corpus(settings)
    check_store(store, recipe, read_corpus(corpus) if corpus else None)
    return store


def open_pipeline(settings: Settings, build: bool = False) -> Pipeline:
    """The pipeline over the index on disk; with `build`, a missing or stale index is made anew."""
    try:
        store = open_store(settings)
    except StoreError as error:
        if not build:
            raise
        log.warning("%s; building it now", str(error).partition(";")[0])
        store = build_index(settings)
    encoder = open_question_encoder(settings.encoder, settings.cache)
    return Pipeline(store, encoder, open_reader(settings.reader), settings.threshold)


def _corpus(settings: Settings) -> Path | None:
    """The folder named, else that of the index, else, for the index we ship, the one we ship."""
    if settings.corpus is not None:
        return settings.corpus
    if known := corpus_of(settings.index):
        return known
    shipped = data_root()
    return shipped / "corpus" if settings.index == shipped / "index" else None
