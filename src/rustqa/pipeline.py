"""Composes the stages into one object that answers: the only place where they are joined."""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain, islice
from time import perf_counter

from rustqa.accounts import SEEN, Account, find_dispute, surer
from rustqa.agreement import agreeing
from rustqa.citations import cite
from rustqa.conversation import Asked, leans_on
from rustqa.errors import QuestionError
from rustqa.limits import MAX_QUESTION, check_request, check_scope
from rustqa.passages import split_sentences
from rustqa.retriever import FusedRetriever
from rustqa.settings import DEFAULT_THRESHOLD
from rustqa.small_talk import off_topic, small_talk
from rustqa.speakers import Speakers
from rustqa.spelling import Speller
from rustqa.types import (
    EVERYTHING,
    Answer,
    Candidate,
    Citation,
    Claim,
    Document,
    Encoder,
    Listing,
    Passage,
    PassageStore,
    Reader,
    Reading,
    Scope,
    Turn,
)

log = logging.getLogger(__name__)

# What is read for one question: the best passages, as many as make so many words.
_CANDIDATES = 20
WORDS_READ = 800
# Behind an answer, a further claim is worth showing, with its own low confidence, from here on.
_FURTHER = 0.1
# Where fewer accounts can be shown nothing is contested.
_SIDES = 2
# A sentence with the same words confirms a claim if it is as probably right as this, and so many
# citations show one claim at most.
_CONFIRMING = 0.2
_CITED = 5
# What an answer to a follow-up counts for if it is not from the article that is spoken of.
_ELSEWHERE = 0.5
_NOTHING_IN_SCOPE = "None of the articles asked is dated in that span of time."
# A question is about something else if no sentence is as like it as this cosine.
_ON_TOPIC = 0.15
# A name without the small words before it: "special prosecutor Kari Morrissey".
_BARE_NAME = re.compile(r"(?:[^\W\d_a-z]\S* )*[^\W\d_a-z]\S*$")
# Articles whose speakers are kept in mind.
_ARTICLES_KNOWN = 256


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
        self._speller = Speller(lambda: store.words, encoder.knows)
        # By the article and not by its id, as it may change while questions are asked.
        self._speakers_in = lru_cache(_ARTICLES_KNOWN)(
            lambda document: Speakers(document, split_sentences)
        )
        self._suggested: tuple[str, ...] | None = None

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        top_k: int = 3,
        documents: Collection[str] | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
    ) -> Answer:
        """The answer, with at most `top_k` claims or nearest passages, best first, from the
        `documents` named (None: all) that are dated from `since` to `until`.

        Raises QuestionError or UnknownDocumentError if asked in a way that cannot be answered.
        """
        began = perf_counter()
        check_request(question, history, top_k)
        scope = self._scope(documents, since, until)
        articles = len(self.store.documents)
        if reply := small_talk(question, articles):
            return self._answer(question, question.strip(), message=reply)
        asked = self.understand(question, history, scope)
        candidates = self.candidates(asked, scope)
        retrieved = perf_counter()
        readings = self.read(asked, candidates, max(top_k, SEEN))
        accounts = self._accounts(asked.question, readings)[:top_k]
        # Where the dispute is not about a sure reading, that one answers.
        sure = any(reading.confidence >= self.threshold for reading in readings[:1])
        if len(accounts) < _SIDES or (sure and accounts[0].confidence < self.threshold):
            accounts = []
        read = perf_counter()
        answer = partial(self._answer, question, asked.whole, times=(began, retrieved, read))
        if not candidates:
            return answer(message=_NOTHING_IN_SCOPE)
        best = accounts or readings[:top_k]
        if best and best[0].confidence >= self.threshold:
            if accounts:
                return answer(claimed=[[account] for account in accounts], contested=True)
            return answer(claimed=self._agreeing(readings)[:top_k])
        if all(candidate.likeness < _ON_TOPIC for candidate in candidates):
            return answer(message=off_topic(articles))
        return answer(nearest=best)

    def _scope(
        self, documents: Collection[str] | None, since: dt.date | None, until: dt.date | None
    ) -> Scope:
        check_scope(documents, since, until, self.store.documents)
        return Scope(None if documents is None else frozenset(documents), since, until)

    def _agreeing(self, readings: Sequence[Reading]) -> list[list[Reading]]:
        """What is worth showing behind an answer, those that say the same together."""
        least = min(self.threshold, _FURTHER)
        worthy = [reading for reading in readings if reading.confidence >= least]
        answers = [self._text_of(reading) for reading in worthy]
        return [
            [first, *(other for other in others if other.confidence >= _CONFIRMING)][:_CITED]
            for first, *others in agreeing(worthy, answers)
        ]

    def _text_of(self, reading: Reading) -> str:
        return self.store.documents[reading.passage.document_id].text[slice(*reading.answer)]

    def _answer(
        self,
        question: str,
        used: str,
        times: tuple[float, float, float] | None = None,
        claimed: Sequence[Sequence[Reading]] = (),
        nearest: Sequence[Reading] = (),
        contested: bool = False,
        message: str | None = None,
    ) -> Answer:
        """The record of what was found; `times` are when asking began, when the passages were
        retrieved and when they were read."""
        shown = [*chain.from_iterable(claimed), *nearest]
        citations = self._cite(shown)
        numbered = iter(citations)
        claims = tuple(
            self._claim(group[0], list(islice(numbered, len(group)))) for group in claimed
        )
        documents = [item.document_id for item in citations]
        began, retrieved, read = times or (perf_counter(),) * 3
        return Answer(
            question=question,
            question_used=used,
            status="answered" if claims else "no_answer",
            answer=claims[0].text if claims else None,
            message=message,
            confidence=round(shown[0].confidence, 4) if shown else 0.0,
            claims=claims,
            contested=contested,
            citations=citations if claims else (),
            nearest=() if claims else citations,
            suggestions=self._some_suggestions() if message else (),
            index_id=self.store.id,
            document_sha256={name: self.store.documents[name].sha256 for name in documents},
            model={"encoder": self._encoder.name, "reader": self._reader.name},
            timings_ms={
                "retrieve": round(1000 * (retrieved - began), 2),
                "read": round(1000 * (read - retrieved), 2),
                "total": round(1000 * (perf_counter() - began), 2),
            },
        )

    def _claim(self, reading: Reading, citations: Sequence[Citation]) -> Claim:
        """The claim of a reading, which is the first of those cited."""
        citation = citations[0]
        text = self.store.documents[citation.document_id].text
        found = self._speakers(citation.document_id).of(reading.answer)
        return Claim(
            text=citation.answer,
            speaker=text[found.speaker_start_char : found.speaker_end_char] if found else None,
            attribution=found,
            confidence=round(reading.confidence, 4),
            citation=citation.id,
            citations=tuple(item.id for item in citations),
        )

    def _speakers(self, document_id: str) -> Speakers:
        return self._speakers_in(self.store.documents[document_id])

    def _accounts(self, question: str, readings: Sequence[Reading]) -> list[Reading]:
        """The differing accounts of what is asked; none if there is one account.

        Another article may speak of another matter, so only the best reading's is looked at.
        """
        article = readings[0].passage.document_id if readings else None
        best = [item for item in readings if item.passage.document_id == article][:SEEN]
        dispute = find_dispute(question, list(map(self.account, best)))
        if dispute is None:
            return []
        return [
            replace(reading, confidence=surer(reading.confidence))
            for reading in (best[place] for place in dispute.places)
        ]

    def account(self, reading: Reading) -> Account:
        """The reading as an account of what is asked."""
        document = self.store.documents[reading.passage.document_id]
        speakers = self._speakers(document.id)
        told = speakers.of(reading.answer)
        found = told or speakers.of(reading.sentence)
        who = slice(found.speaker_start_char, found.speaker_end_char) if found else None
        return Account(
            text=document.text[slice(*reading.sentence)],
            speaker=document.text[who] if who else None,
            reported=told is not None,
            score=reading.scores["reader"],
            paragraph=(document.id, reading.passage.paragraph),
            span=reading.sentence,
        )

    def understand(
        self,
        question: str,
        history: Sequence[Turn] = (),
        scope: Scope = EVERYTHING,
    ) -> Asked:
        """The question as it is searched for and read."""
        history = [turn for turn in history if small_talk(turn.question) is None]
        return self._understand(question, history, scope, {})

    def _understand(
        self,
        question: str,
        history: Sequence[Turn],
        scope: Scope,
        known: dict[int, str],
    ) -> Asked:
        """`known` gathers the answers to the turns, by their places in the history."""
        corrected = self._speller.correct(question.strip())
        earlier = [self._speller.correct(turn.question.strip()) for turn in history]
        turns = leans_on(corrected, earlier)
        places = (len(history) - len(turns), len(history) - 1) if turns else ()
        for place in places:
            if place not in known:
                known[place] = self._answer_to(history, place, scope, known)
        answers = tuple(filter(None, dict.fromkeys(known[place] for place in places)))
        article = None
        named = self.store.documents if scope.documents is None else scope.documents
        if turns and len(named) > 1:
            found = self._retriever.retrieve(" ".join((*turns, *answers)), 1, scope)
            article = found[0].passage.document_id if found else None
        return Asked(corrected, turns, answers, article)

    def _answer_to(
        self,
        history: Sequence[Turn],
        place: int,
        scope: Scope,
        known: dict[int, str],
    ) -> str:
        """The answer that a turn got, else the most probable one."""
        turn = history[place]
        if turn.answer:
            return turn.answer[:MAX_QUESTION]
        asked = self._understand(turn.question, history[:place], scope, known)
        readings = self.read(asked, self.candidates(asked, scope), 1)
        return "".join(map(self._text_of, readings))

    def candidates(self, asked: Asked, scope: Scope = EVERYTHING) -> list[Candidate]:
        """The best passages, as many as are read for one question; those of the article that is
        spoken of come first."""
        chosen: list[Candidate] = []
        room = WORDS_READ
        wordings = [" ".join((*context, asked.question)) for context in asked.contexts[1:]]
        scopes = [scope]
        if asked.article is not None:
            scopes.insert(0, replace(scope, documents=frozenset({asked.article})))
        found: dict[Passage, Candidate] = {}
        for where in scopes:
            for item in self._retriever.retrieve(asked.question, _CANDIDATES, where, wordings):
                # Found alone, the article that is spoken of falls short of none.
                found.setdefault(item.passage, item)
        for candidate in found.values():
            words = len(candidate.text.split())
            if words <= room or not chosen:
                chosen.append(candidate)
                room -= words
        return chosen

    def read(self, asked: Asked, candidates: Sequence[Candidate], top_k: int) -> list[Reading]:
        """What the reader finds in the passages; an answer from elsewhere than the article that
        is spoken of has to be so much more probable to come first."""
        if asked.article is None:
            return self._reader.read(asked.question, candidates, top_k, asked.contexts)
        every = sum(len(candidate.evidence) for candidate in candidates)
        readings = self._reader.read(asked.question, candidates, every, asked.contexts)

        def rank(reading: Reading) -> float:
            elsewhere = reading.passage.document_id != asked.article
            return -reading.confidence * (_ELSEWHERE if elsewhere else 1)

        return sorted(readings, key=rank)[:top_k]

    def search(
        self,
        query: str,
        top_k: int = 10,
        documents: Collection[str] | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
    ) -> tuple[Citation, ...]:
        """The best sentence of each of the `top_k` best passages, chosen and raising as `ask`."""
        check_request(query, (), top_k)
        used = self._speller.correct(query.strip())
        scope = self._scope(documents, since, until)
        candidates = self._retriever.retrieve(used, top_k, scope)
        return self._cite([_best_sentence(candidate) for candidate in candidates])

    def over(self, documents: Sequence[Document], encoder: Encoder) -> Pipeline:
        """A pipeline like this one over other documents, which `encoder` encodes in memory."""
        from rustqa.indexing import build_in_memory

        return self.on(build_in_memory(documents, encoder))

    def suggestions(self, document_id: str, limit: int = 4) -> list[str]:
        """Questions that the article turns out to answer: its own, and what people in it say."""
        names = map(_BARE_NAME.search, self._speakers(document_id).names())
        people = (f"What did {name.group()} say?" for name in names if name)
        questions = dict.fromkeys(chain(self.store.documents[document_id].questions, people))
        answered = (question for question in questions if self._answers(question, document_id))
        return list(islice(answered, limit))

    def listing(
        self,
        words: str = "",
        start: int = 0,
        count: int = 50,
        documents: Collection[str] | None = None,
        since: dt.date | None = None,
        until: dt.date | None = None,
    ) -> Listing:
        """The articles chosen so whose title or source holds all the words, from the `start`-th
        on, the newest first; raises as `ask` does."""
        return self.store.list_documents(words, self._scope(documents, since, until), start, count)

    def first(self) -> Document:
        """The article that is shown before anything is asked: the newest."""
        return self.store.list_documents(count=1).documents[0]

    def on(self, store: PassageStore) -> Pipeline:
        """A pipeline like this one over another store of the same encoder."""
        return Pipeline(store, self._encoder, self._reader, self.threshold)

    def _some_suggestions(self) -> tuple[str, ...]:
        """A few that the first article answers."""
        if self._suggested is None:
            # A suggestion that asks nothing of the article brings none itself.
            self._suggested = ()
            self._suggested = tuple(self.suggestions(self.first().id, 3))
        return self._suggested

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


def _best_sentence(candidate: Candidate) -> Reading:
    best = max(candidate.evidence, key=lambda item: item.score)
    scores = {"dense": best.dense, "bm25": best.bm25}
    return Reading(candidate.passage, best.sentence, best.sentence, best.score, scores)
