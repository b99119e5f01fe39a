"""Reads candidates with rustqa's own model and finds the words that answer, or that none do.

The model scores every token as the answer's start, its end, and as part of a sentence that holds
it (rustqa.training.model). Each sentence's best span and the retriever's evidence are joined by
two small linear models, one that ranks and one that gives the probability of being right
(rustqa.training.calibrate).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rustqa.agreement import do_not_differ
from rustqa.checksums import sha256_of
from rustqa.errors import ReaderError
from rustqa.runtime import open_session, run_all
from rustqa.types import Candidate, Evidence, Reading, Span
from rustqa.windows import Layout, Tokens, Window

TokenScores = NDArray[np.float32]
Flags = NDArray[np.bool_]
# Whether an answer may start, and whether it may end, at each offset of a passage.
Edges = tuple[Flags, Flags]

FILES = ("model.onnx", "tokenizer.json")
DESCRIPTION = "reader.json"
_CHECKSUM = "checksum"
_MEND = (
    "install rustqa anew (in a clone of it: pip install --force-reinstall --no-deps .), "
    "or correct RUSTQA_READER if you set it"
)

# What an article's standing among others counts for, as a part of the evidence: a question that
# fits several articles is about the one that fits it best.
STANDING = 2.8
# Tokens of an answer.
_MAX_ANSWER = 60
# Characters of a passage that are read; only a sentence without an end has more.
_MAX_CHARACTERS = 8000
# Passages that are kept in mind as they are laid out, some 6 KiB each.
_PASSAGES_KNOWN = 2048
# A lead over no other sentence, or over one far behind, says no more than this.
_MAX_LEAD = 10.0
# What is one word to a reader: a number with its separators and its unit, initials, letters with
# the apostrophes, accents, soft hyphens and joiners among them.
_WORD = re.compile(
    r"\d+(?:[.,:]\d+)+\w*|\b\w(?:\.\w)+\b|"
    r"\w+(?:['\N{RIGHT SINGLE QUOTATION MARK}\u0300-\u036f\u00ad\u200d]+\w+)*"
)
# Where a word's first part may end an answer.
_POSSESSIVE = re.compile(r"(?<=\w)['\N{RIGHT SINGLE QUOTATION MARK}]s\b")
_MARKS = {"Mn", "Mc", "Me", "Cf"}
_WHY = re.compile(r"\b(?:why|how come|reasons?)\b", re.IGNORECASE)
_CONSEQUENCE = re.compile(
    r"\b(?:leading to|led to|resulting in|resulted in|prompting|triggering|paving the way)\b"
    r"[^,.;]*",
    re.IGNORECASE,
)
_CORE = re.compile(r"[\s,;:\N{EN DASH}\N{EM DASH}]*(.*?)[\s,;:\N{EN DASH}\N{EM DASH}]*", re.DOTALL)


class Ranked(NamedTuple):
    """A sentence's place among those given, its joint score, the score's lead over the best other
    sentence, and the probability that it is right."""

    place: int
    score: float
    lead: float
    probability: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """What joins the scores.

    `rank` weighs the span's score, the sentence's score and the retriever's; `right` weighs the
    joint score and its lead, and ends with the constant of the log-odds of being right (logistic
    regression, Platt 1999).
    """

    rank: tuple[float, float, float]
    right: tuple[float, float, float]

    def ranked(
        self,
        features: Sequence[Sequence[float]],
        confirm: Callable[[int, int], bool] = lambda _one, _other: False,
    ) -> list[Ranked]:
        """The sentences with these features, the most probably right first; those at two places
        that `confirm` each other are no rivals."""
        scores = [_weighted(self.rank, row) for row in features]
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        found = []
        for place in order:
            rivals = (o for o in order if o != place and not confirm(place, o))
            best = next(rivals, None)
            ahead = _MAX_LEAD if best is None else scores[place] - scores[best]
            lead = max(-_MAX_LEAD, min(ahead, _MAX_LEAD))
            odds = _weighted(self.right, (scores[place], lead, 1.0))
            # The logistic function in a form that cannot overflow.
            found.append(Ranked(place, scores[place], lead, (1 + math.tanh(odds / 2)) / 2))
        return found


def _weighted(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


class Judged(NamedTuple):
    """A sentence as the model judges it: its best span, that span's score and the sentence's,
    both relative to "not here" (0)."""

    candidate: Candidate
    evidence: Evidence
    answer: Span
    span_score: float
    sentence_score: float

    @property
    def text(self) -> str:
        """The words of the best span."""
        origin = self.candidate.passage.start
        return self.candidate.text[self.answer.start - origin : self.answer.end - origin]

    @property
    def features(self) -> tuple[float, float, float]:
        """What the ranking weighs."""
        evidence = self.evidence.score + STANDING * self.candidate.standing
        return self.span_score, self.sentence_score, evidence


class SpanReader:
    """Reads the words that answer."""

    def __init__(
        self,
        name: str,
        layout: Layout,
        score: Callable[[Sequence[Window]], Sequence[TokenScores]],
        calibration: Calibration,
    ) -> None:
        """`score` gives each window's token scores, shape (tokens, 3): start, end, sentence."""
        self.name = name
        self._layout = layout
        self._tokens = lru_cache(_PASSAGES_KNOWN)(layout.tokens)
        self._score = score
        self._calibration = calibration

    def read(
        self,
        question: str,
        candidates: Sequence[Candidate],
        top_k: int,
        contexts: Sequence[Sequence[str]] = ((),),
    ) -> list[Reading]:
        """At most `top_k` readings, each of another sentence, the most probably right first.

        The question is read behind each of the contexts, which are what was said before; a
        sentence's scores are the means.
        """
        judged = self.judge_all(question, candidates, contexts)
        ranked = self._calibration.ranked(
            [item.features for item in judged],
            lambda one, other: _confirm(judged[one], judged[other]),
        )
        return [_reading(judged[item.place], item) for item in ranked[:top_k]]

    def judge_all(
        self, question: str, candidates: Sequence[Candidate], contexts: Sequence[Sequence[str]]
    ) -> list[Judged]:
        """Each sentence that the model could read, as judged behind each context: the best span,
        and the mean scores."""
        why = _WHY.search(question) is not None
        ordered = sorted(candidates, key=lambda c: (c.passage.document_id, c.passage.start))
        articles = [
            [(item, *self._prepared(item, why)) for item in same]
            for _, same in groupby(ordered, key=lambda item: item.passage.document_id)
        ]
        laid = [
            (number, article, window)
            for number, context in enumerate(contexts)
            for article in articles
            for window in self._layout.windows(
                self._layout.asked(question, context), [tokens for _, tokens, _ in article]
            )
        ]
        # All are read at once, so that they share the processors.
        scores = self._score([window for *_, window in laid])
        # A sentence that is cut between two windows is judged by its better part.
        best: dict[tuple[str, Span], dict[int, Judged]] = defaultdict(dict)
        for (number, article, window), scored in zip(laid, scores, strict=True):
            for judged in _sentences(window, scored, article):
                key = (judged.candidate.passage.document_id, judged.evidence.sentence)
                seen = best[key].get(number)
                if seen is None or judged.span_score > seen.span_score:
                    best[key][number] = judged
        return [_joined(list(views.values())) for views in best.values()]

    def _prepared(self, candidate: Candidate, why: bool) -> tuple[Tokens, Edges]:
        passage = candidate.passage
        text = candidate.text[:_MAX_CHARACTERS]
        return self._tokens(text, passage.start, passage.sentences), _edges(text, why)


def _confirm(one: Judged, other: Judged) -> bool:
    """Whether two articles say the same."""
    return (
        one.candidate.passage.document_id != other.candidate.passage.document_id
        and do_not_differ(one.text, other.text)
    )


def _joined(views: Sequence[Judged]) -> Judged:
    """A sentence as seen behind several contexts."""
    return max(views, key=lambda view: view.span_score)._replace(
        span_score=sum(view.span_score for view in views) / len(views),
        sentence_score=sum(view.sentence_score for view in views) / len(views),
    )


def _reading(judged: Judged, ranked: Ranked) -> Reading:
    evidence = judged.evidence
    return Reading(
        passage=judged.candidate.passage,
        sentence=evidence.sentence,
        answer=judged.answer,
        confidence=ranked.probability,
        scores={"dense": evidence.dense, "bm25": evidence.bm25, "reader": ranked.score},
    )


def _sentences(
    window: Window, scores: TokenScores, article: Sequence[tuple[Candidate, Tokens, Edges]]
) -> Iterator[Judged]:
    """The sentences in a window of the article's passages."""
    keys = window.passages * (window.sentences.max(initial=0) + 1) + window.sentences
    firsts = np.flatnonzero(np.diff(keys, prepend=-2)).tolist()
    for first, end in pairwise([*firsts, len(keys)]):
        if window.passages[first] < 0:
            continue
        candidate, _, (may_start, may_end) = article[window.passages[first]]
        sentence = int(window.sentences[first])
        part = slice(first, end)
        starts, ends = window.starts[part], window.ends[part]
        possible = may_start[starts - candidate.passage.start]
        begin, last, score = _best_span(
            np.where(possible, scores[part, 0], -np.inf),
            np.where(may_end[ends - candidate.passage.start], scores[part, 1], -np.inf),
        )
        # The scrap of a cut sentence may hold no whole word.
        if score == -math.inf:
            continue
        answer = _trimmed(candidate, int(starts[begin]), int(ends[last]), sentence)
        mean = float(scores[part, 2].mean())
        # A sentence chosen for words that cannot answer is no better than its other words.
        if not possible[scores[part, 0].argmax()]:
            mean = min(mean, score)
        yield Judged(candidate, candidate.evidence[sentence], answer, score, mean)


def _best_span(starts: TokenScores, ends: TokenScores) -> tuple[int, int, float]:
    """First and last token of the span with the greatest mean of start and end score."""
    places = np.arange(len(starts))
    length = places[None, :] - places[:, None]
    possible = (length >= 0) & (length < _MAX_ANSWER)
    joint = np.where(possible, starts[:, None] + ends[None, :], -np.inf)
    first, last = np.unravel_index(np.argmax(joint), joint.shape)
    return int(first), int(last), float(joint[first, last]) / 2


@lru_cache(_PASSAGES_KNOWN)
def _edges(text: str, why: bool) -> Edges:
    """Whether an answer may start, and whether it may end, at each offset: not inside a word, and
    no reason starts inside a consequence."""
    may_start = np.ones(len(text) + 1, np.bool_)
    for match in _WORD.finditer(text):
        may_start[match.start() + 1 : match.end()] = False
    may_end = may_start.copy()
    for match in _CONSEQUENCE.finditer(text) if why else ():
        may_start[match.start() : match.end()] = False
    may_end[[match.start() for match in _POSSESSIVE.finditer(text)]] = True
    return may_start, may_end


def _trimmed(candidate: Candidate, start: int, end: int, sentence: int) -> Span:
    """The span without loose punctuation, but with the marks that belong to its last letter."""
    text, origin = candidate.text, candidate.passage.start
    within = candidate.passage.sentences[sentence]
    start, end = max(start, within.start) - origin, min(end, within.end) - origin
    while end < within.end - origin and unicodedata.category(text[end]) in _MARKS:
        end += 1
    core = _CORE.fullmatch(text, start, end)
    if core and core[1]:
        start, end = core.span(1)
    return Span(origin + start, origin + end)


def open_reader(folder: Path) -> SpanReader:
    """The reader in a folder; raises ReaderError if its files are missing or damaged."""
    file = folder / DESCRIPTION
    try:
        described = _read_description(file)
        calibration = Calibration(_three(described["rank"]), _three(described["right"]))
        for name, digest in {name: described["sha256"][name] for name in FILES}.items():
            file = folder / name
            if sha256_of(file) != digest:
                raise ValueError("other than it was written")
        file = folder / "model.onnx"
        scores = OnnxScores(file)
        file = folder / "tokenizer.json"
        return SpanReader(str(described["name"]), Layout(file), scores, calibration)
    except FileNotFoundError:
        raise ReaderError(f"{file} is missing; {_MEND}") from None
    except OSError as error:
        raise ReaderError(f"{file}: {error.strerror or error}; {_MEND}") from None
    # What damaged files raise depends on the file; each has one mend.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise ReaderError(f"{file} is damaged ({reason}); {_MEND}") from None


def description(fields: Mapping[str, object]) -> str:
    """What the description of a reader holds: its fields and their checksum."""
    told = {name: value for name, value in fields.items() if name != _CHECKSUM}
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    return json.dumps({**told, _CHECKSUM: digest}, indent=2) + "\n"


def _read_description(file: Path) -> dict[str, Any]:
    text = file.read_bytes().decode("utf-8")
    described: dict[str, Any] = json.loads(text)
    # Such as were written before had no checksum.
    if described.keys() != {"name", "sha256", "rank", "right"} and text != description(described):
        raise ValueError("other than it was written")
    return described


def _three(weights: Sequence[float]) -> tuple[float, float, float]:
    one, two, three = map(float, weights)
    return one, two, three


class OnnxScores:
    """The network on ONNX Runtime: windows in, for each its scores of shape (tokens, 3) out."""

    def __init__(self, network: Path | bytes) -> None:
        """Loads the network from its file, or from what that would hold."""
        self._session = open_session(network)

    def __call__(self, windows: Sequence[Window]) -> list[TokenScores]:
        """The windows' scores, each relative to its window's first token's."""
        # Each by itself: its scores do not depend on what is read beside it.
        found = run_all(
            self._session,
            [
                {"input_ids": window.ids[None], "token_type_ids": window.types[None]}
                for window in windows
            ],
        )
        return [scores[0] for scores in found]
