"""Measures any answerer on labelled questions: ranking, answers, silence and calibration.

Measures: paragraph hit@1, sentence hit@1 and hit@3, mean reciprocal rank of the sentences; exact
match and token F1 of the best span, normalised as for SQuAD (Rajpurkar et al. 2016), and, silence
being an answer, F1 at the threshold and at the best one, as for SQuAD 2.0 (Rajpurkar et al. 2018);
area under the ROC curve of the confidence, answerable against unanswerable; coverage at 90 %
precision (El-Yaniv and Wiener 2010); expected calibration error in ten bins (Guo et al. 2017).
"""

from __future__ import annotations

import re
import string
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Literal, Protocol

from tqdm import tqdm

from rustqa import __version__
from rustqa.checksums import sha256_of
from rustqa.encoder import open_passage_encoder
from rustqa.errors import InputError
from rustqa.labelled import (
    LabelledQuestion,
    LabelledSet,
    merged,
    read_ids,
    read_labelled,
    with_ids,
)
from rustqa.opening import open_pipeline
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings
from rustqa.types import Answer, Turn

TOP_K = 3
PRECISION = 0.9
_BINS = 10

# What a question is asked of: its own article alone, or all articles of the file together.
Scope = Literal["own", "together"]


class Answerer(Protocol):
    """Whatever answers questions the way Pipeline does."""

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        top_k: int = 3,
        documents: Collection[str] | None = None,
    ) -> Answer:
        """The answer to a question, from the named documents (None: from all)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question, named by its id or its text, went.

    `rank` is that of the first right sentence, from 1; `exact` and `f1` are of the best span,
    whether it was given as the answer or not.
    """

    question: str
    kind: str
    answerable: bool
    answered: bool
    rank: int | None
    right_paragraph: bool
    exact: float
    f1: float
    confidence: float

    @property
    def right(self) -> bool:
        """Whether the best sentence is a right one."""
        return self.rank == 1

    @property
    def f1_given(self) -> float:
        """F1 of the answer as given: silence is right exactly where there is no answer."""
        return self.f1_if(self.answered)

    def f1_if(self, answered: bool) -> float:
        """F1 if the best span were given as the answer, or silence kept."""
        return self.f1 if answered else float(not self.answerable)


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures over some questions, as shares of 1; None where they are not defined."""

    questions: int
    paragraph_hit_at_1: float | None
    hit_at_1: float | None
    hit_at_3: float | None
    mrr: float | None
    exact_match: float | None
    f1: float | None
    f1_given: float
    best_f1: float
    answered: float | None
    silent: float | None
    auroc: float | None
    coverage_at_90: float | None
    ece: float


@dataclass(frozen=True, slots=True)
class Report:
    """The measures over all questions and over each kind of question."""

    overall: Measures
    kinds: dict[str, Measures]

    def to_dict(self) -> dict[str, object]:
        """The report as plain values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Run:
    """One evaluation: by which version, on which file, how, with which models, and all outcomes."""

    rustqa: str
    file: str
    sha256: str
    options: dict[str, str | None]
    model: dict[str, str]
    threshold: float
    report: Report
    outcomes: tuple[Outcome, ...]


def evaluate(
    sets: Sequence[LabelledSet],
    answerer_for: Callable[[LabelledSet], Answerer],
    own: bool = False,
) -> Report:
    """Asks every question of every set, with `own` of its article alone, and scores the answers."""
    return summarise([judge(*pair) for pair in _asked(sets, answerer_for, own)])


def evaluate_file(
    file: Path, settings: Settings, scope: Scope | None = None, ids: Path | None = None
) -> Run:
    """Measures the pipeline on a labelled file, with an index in memory where it brings articles.

    The file of `ids` names the questions to ask. Raises InputError if a file cannot be used.
    """
    pipeline = open_pipeline(settings)
    sets = read_labelled(file, pipeline.store.documents, by_paragraph=scope == "own")
    digest = sha256_of(file)
    if scope == "together":
        sets = [merged(sets)]
    if ids is not None:
        wanted = read_ids(ids)
        sets = with_ids(sets, wanted)
        known = {question.id for labelled in sets for question in labelled.questions}
        if not wanted:
            raise InputError(f"{ids}: names no question; give ids of {file}, one a line")
        if unknown := sorted(wanted - known):
            raise InputError(
                f"{ids}: {len(unknown)} of its ids are not in {file}, {unknown[0]!r} the first; "
                "give ids of that file, one a line"
            )
    brings_articles = any(item.documents for item in sets)
    encoder = open_passage_encoder(settings.encoder, settings.cache) if brings_articles else None

    def answerer_for(labelled: LabelledSet) -> Pipeline:
        return pipeline.over(labelled.documents, encoder) if encoder else pipeline

    outcomes = []
    model: dict[str, str] = {}
    for question, answer in _asked(sets, answerer_for, scope == "own"):
        outcomes.append(judge(question, answer))
        model = answer.model
    return Run(
        rustqa=__version__,
        file=file.name,
        sha256=digest,
        options={"scope": scope, "only": None if ids is None else ids.name},
        model=model,
        threshold=pipeline.threshold,
        report=summarise(outcomes),
        outcomes=tuple(outcomes),
    )


def _asked(
    sets: Sequence[LabelledSet], answerer_for: Callable[[LabelledSet], Answerer], own: bool
) -> Iterator[tuple[LabelledQuestion, Answer]]:
    total = sum(len(labelled.questions) for labelled in sets)
    with tqdm(total=total, desc="scoring", unit=" questions", disable=None) as progress:
        for labelled in sets:
            answerer = answerer_for(labelled)
            for item in labelled.questions:
                documents = [item.document_id] if own and item.document_id else None
                yield item, answerer.ask(item.question, item.history, TOP_K, documents)
                progress.update()


def judge(question: LabelledQuestion, answer: Answer) -> Outcome:
    """How the answer does by the question's labels."""
    found = (*answer.citations, *answer.nearest)
    right = (question.supports(item.document_id, item.start_char, item.end_char) for item in found)
    exact, f1 = best_match(found[0].answer if found else "", question.answers)
    return Outcome(
        question=question.id or question.question,
        kind=question.kind,
        answerable=bool(question.answers),
        answered=answer.status == "answered",
        rank=next((place for place, it_is in enumerate(right, 1) if it_is), None),
        right_paragraph=bool(found)
        and question.is_answered_in(found[0].document_id, found[0].paragraph),
        exact=exact,
        f1=f1,
        confidence=answer.confidence,
    )


def summarise(outcomes: Sequence[Outcome]) -> Report:
    """The measures over all outcomes and over each kind."""
    kinds = sorted({outcome.kind for outcome in outcomes})
    return Report(
        score(outcomes),
        {kind: score([item for item in outcomes if item.kind == kind]) for kind in kinds},
    )


def score(outcomes: Sequence[Outcome]) -> Measures:
    """The measures over these outcomes."""
    answerable = [item for item in outcomes if item.answerable]
    others = [item for item in outcomes if not item.answerable]
    return Measures(
        questions=len(outcomes),
        paragraph_hit_at_1=_mean(item.right_paragraph for item in answerable),
        hit_at_1=_mean(item.right for item in answerable),
        hit_at_3=_mean(item.rank is not None and item.rank <= TOP_K for item in answerable),
        mrr=_mean(1 / item.rank if item.rank else 0 for item in answerable),
        exact_match=_mean(item.exact for item in answerable),
        f1=_mean(item.f1 for item in answerable),
        f1_given=sum(item.f1_given for item in outcomes) / len(outcomes),
        best_f1=_best_f1(outcomes),
        answered=_mean(item.answered for item in answerable),
        silent=_mean(not item.answered for item in others),
        auroc=_auroc([i.confidence for i in answerable], [i.confidence for i in others]),
        coverage_at_90=coverage(outcomes) if answerable else None,
        ece=_ece(outcomes),
    )


def risk_coverage(outcomes: Sequence[Outcome]) -> list[tuple[int, int]]:
    """For each threshold, the highest first, how many questions would be answered, and how many
    of them not by a right sentence."""
    points = []
    answered = wrong = 0
    for group in by_threshold(outcomes):
        answered += len(group)
        wrong += sum(not item.right for item in group)
        points.append((answered, wrong))
    return points


def coverage(outcomes: Sequence[Outcome]) -> float:
    """The largest share of questions answered, by raising the threshold, with PRECISION right."""
    good = (
        answered
        for answered, wrong in risk_coverage(outcomes)
        if answered - wrong >= PRECISION * answered
    )
    return max(good, default=0) / len(outcomes)


def best_match(given: str, answers: Sequence[str]) -> tuple[float, float]:
    """Exact match and token F1 of a text with the right answer it is nearest to."""
    exact = any(_words(given) == _words(gold) for gold in answers)
    return float(exact), max((token_f1(given, gold) for gold in answers), default=0.0)


def token_f1(given: str, gold: str) -> float:
    """Token F1 of two texts, normalised as SQuAD's official script does."""
    left, right = _words(given), _words(gold)
    same = sum((Counter(left) & Counter(right)).values())
    return 2 * same / (len(left) + len(right)) if same else 0.0


def _words(text: str) -> list[str]:
    plain = "".join(char for char in text.lower() if char not in string.punctuation + "“”‘’")
    return re.sub(r"\b(?:a|an|the)\b", " ", plain).split()


def _mean(values: Iterable[float]) -> float | None:
    known = list(values)
    return sum(known) / len(known) if known else None


def _auroc(high: Sequence[float], low: Sequence[float]) -> float | None:
    """The share of pairs in which the first is greater, ties counting half (Mann-Whitney)."""
    if not high or not low:
        return None
    lower = sorted(low)
    twice = sum(bisect_left(lower, item) + bisect_right(lower, item) for item in high)
    return twice / (2 * len(high) * len(low))


def _best_f1(outcomes: Sequence[Outcome]) -> float:
    """The largest mean F1 of the answers as given that a threshold on the confidence can reach."""
    best = total = sum(item.f1_if(False) for item in outcomes)
    for group in by_threshold(outcomes):
        total += sum(item.f1_if(True) - item.f1_if(False) for item in group)
        best = max(best, total)
    return best / len(outcomes)


def by_threshold(outcomes: Sequence[Outcome]) -> Iterator[list[Outcome]]:
    """What each lower threshold lets through besides; it cannot part equal confidences."""
    ranked = sorted(outcomes, key=lambda item: -item.confidence)
    return (list(group) for _, group in groupby(ranked, key=lambda item: item.confidence))


def _ece(outcomes: Sequence[Outcome]) -> float:
    bins: dict[int, list[Outcome]] = {}
    for item in outcomes:
        bins.setdefault(min(int(item.confidence * _BINS), _BINS - 1), []).append(item)
    return sum(
        abs(sum(i.confidence for i in items) - sum(i.right for i in items))
        for items in bins.values()
    ) / len(outcomes)
