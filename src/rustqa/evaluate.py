"""Measures any answerer on labelled questions: ranking, answers, silence and calibration.

Measures: paragraph hit@1, sentence hit@1 and hit@3, mean reciprocal rank of the sentences; exact
match and token F1, normalised as for SQuAD (Rajpurkar et al. 2016); area under the ROC curve of
the confidence, answerable against unanswerable; coverage at 90 % precision (El-Yaniv and Wiener
2010); expected calibration error in ten bins (Guo et al. 2017).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from tqdm import tqdm

from rustqa.encoder import PassageEncoder
from rustqa.labelled import LabelledQuestion, LabelledSet, read_labelled
from rustqa.pipeline import Pipeline, open_pipeline
from rustqa.settings import Settings
from rustqa.types import Answer, Citation, Turn

TOP_K = 3
PRECISION = 0.9
_BINS = 10


class Answerer(Protocol):
    """Whatever answers questions the way Pipeline does."""

    def ask(self, question: str, history: Sequence[Turn] = (), top_k: int = 3) -> Answer:
        """The answer to a question."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question went; `rank` is that of the first right sentence, from 1."""

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


def evaluate(
    sets: Iterable[LabelledSet], answerer_for: Callable[[LabelledSet], Answerer]
) -> Report:
    """Asks every question of every set and scores the answers."""
    outcomes = []
    for labelled in sets:
        answerer = answerer_for(labelled)
        outcomes += [_outcome(question, answerer) for question in labelled.questions]
    kinds = sorted({outcome.kind for outcome in outcomes})
    return Report(
        score(outcomes),
        {kind: score([item for item in outcomes if item.kind == kind]) for kind in kinds},
    )


def evaluate_file(file: Path, settings: Settings) -> Report:
    """Measures the pipeline on a labelled file, with an index in memory where it brings articles.

    Raises InputError if the file cannot be used.
    """
    pipeline = open_pipeline(settings)
    sets = read_labelled(file, pipeline.store.documents)
    encoder = PassageEncoder(settings.encoder) if any(item.documents for item in sets) else None

    def answerer_for(labelled: LabelledSet) -> Pipeline:
        return pipeline.over(labelled.documents, encoder) if encoder else pipeline

    return evaluate(tqdm(sets, "scoring", unit=" sets", disable=None), answerer_for)


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
        answered=_mean(item.answered for item in answerable),
        silent=_mean(not item.answered for item in others),
        auroc=_auroc([i.confidence for i in answerable], [i.confidence for i in others]),
        coverage_at_90=_coverage(outcomes) if answerable else None,
        ece=_ece(outcomes),
    )


def table(report: Report) -> str:
    """The report as a table in plain text, percentages to one decimal."""
    names = {
        "paragraph_hit_at_1": "par@1",
        "hit_at_1": "hit@1",
        "hit_at_3": "hit@3",
        "mrr": "MRR",
        "exact_match": "EM",
        "f1": "F1",
        "answered": "answered",
        "silent": "silent",
        "auroc": "AUROC",
        "coverage_at_90": "cov@90",
        "ece": "ECE",
    }
    lines = [f"{'kind':<14}{'n':>6}" + "".join(f"{name:>10}" for name in names.values())]
    for kind, scores in {**report.kinds, "all": report.overall}.items():
        values = asdict(scores)
        cells = (
            f"{'–':>10}" if values[key] is None else f"{100 * values[key]:>10.1f}" for key in names
        )
        lines.append(f"{kind:<14}{scores.questions:>6}" + "".join(cells))
    return "\n".join(lines)


def _outcome(question: LabelledQuestion, answerer: Answerer) -> Outcome:
    answer = answerer.ask(question.question, history=question.history, top_k=TOP_K)
    found = (*answer.citations, *answer.nearest)
    rank = next((i for i, item in enumerate(found, 1) if _supported(item, question)), None)
    places = {(support.document_id, support.paragraph) for support in question.support}
    given = answer.answer or ""
    return Outcome(
        kind=question.kind,
        answerable=bool(question.answers),
        answered=answer.status == "answered",
        rank=rank,
        right_paragraph=bool(found) and (found[0].document_id, found[0].paragraph) in places,
        exact=max((float(_words(given) == _words(gold)) for gold in question.answers), default=0.0),
        f1=max((token_f1(given, gold) for gold in question.answers), default=0.0),
        confidence=answer.confidence,
    )


def _supported(citation: Citation, question: LabelledQuestion) -> bool:
    return any(
        support.document_id == citation.document_id
        and support.start < citation.end_char
        and citation.start_char < support.end
        for support in question.support
    )


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
    wins = sum((a > b) + 0.5 * (a == b) for a in high for b in low)
    return wins / (len(high) * len(low))


def _coverage(outcomes: Sequence[Outcome]) -> float:
    """The largest share of questions answered, by raising the threshold, with PRECISION right."""
    best = right = 0
    ranked = sorted(outcomes, key=lambda item: -item.confidence)
    for count, item in enumerate(ranked, 1):
        right += item.right
        # A threshold cannot part questions of the same confidence.
        last = count == len(ranked) or ranked[count].confidence < item.confidence
        if last and right >= PRECISION * count:
            best = count
    return best / len(outcomes)


def _ece(outcomes: Sequence[Outcome]) -> float:
    bins: dict[int, list[Outcome]] = {}
    for item in outcomes:
        bins.setdefault(min(int(item.confidence * _BINS), _BINS - 1), []).append(item)
    return sum(
        abs(sum(i.confidence for i in items) - sum(i.right for i in items))
        for items in bins.values()
    ) / len(outcomes)
