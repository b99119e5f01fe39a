"""Fits how the reader's scores and the retriever's are joined, and what they say of being right.

    python -m rustqa.training.calibrate exported/int8 --on article_dev.jsonl news_dev.jsonl --write

Ranking: a conditional logit over the sentences read for a question. Probability of being right:
logistic regression on the joint score and its lead (Platt 1999), over the three best sentences of
every question. What is printed is cross-validated: each article's questions are judged by weights
fitted on the others (the indexed articles' questions, being few articles, one by one). The
threshold, the lowest at which nine answers in ten are right, is then chosen over all of them. With
--write the weights fitted on all go into the reader's folder. With --together is printed what an
article's standing counts for (STANDING in reader.py), likewise a conditional logit, and how many
sentences come first rightly without it and, cross-validated, with it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from rustqa.encoder import open_passage_encoder
from rustqa.evaluate import PRECISION, TOP_K, Outcome, best_match, by_threshold, score
from rustqa.labelled import LabelledQuestion, merged, read_labelled
from rustqa.opening import open_pipeline
from rustqa.pipeline import Pipeline
from rustqa.reader import (
    DESCRIPTION,
    STANDING,
    Calibration,
    SpanReader,
    description,
    open_reader,
)
from rustqa.report import save
from rustqa.settings import Settings
from rustqa.training import errors_in_a_line
from rustqa.training.retrieval import Floats, fit_ranking

_FOLDS = 8
# Which of the features (span, sentence, evidence) each ablation keeps.
_ABLATIONS = {
    "all together": (True, True, True),
    "reader only": (True, True, False),
    "span only": (True, False, False),
    "fusion only": (False, False, True),
}


@dataclass(frozen=True, slots=True)
class Read:
    """What was read for one question of an article: arrays with a row for each sentence."""

    question: LabelledQuestion
    file: Path
    article: str
    features: Floats
    right: NDArray[np.bool_]
    paragraphs: NDArray[np.bool_]
    exact: Floats
    f1: Floats
    standings: Floats

    def outcome(self, calibration: Calibration) -> Outcome:
        """How the question would go, the answer being given if there is any."""
        ranked = calibration.ranked(self.features.tolist())
        best = ranked[0] if ranked else None
        right = (number for number, one in enumerate(ranked[:TOP_K], 1) if self.right[one.place])
        return Outcome(
            question=self.question.question,
            kind=self.question.kind,
            answerable=bool(self.question.answers),
            answered=best is not None,
            rank=next(right, None),
            right_paragraph=best is not None and bool(self.paragraphs[best.place]),
            exact=0.0 if best is None else float(self.exact[best.place]),
            f1=0.0 if best is None else float(self.f1[best.place]),
            confidence=0.0 if best is None else best.probability,
        )


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Fits, prints the cross-validated measures and, if told to, writes the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", type=Path, help="the folder of an exported reader")
    parser.add_argument("--on", nargs="+", type=Path, required=True, help="labelled files")
    parser.add_argument(
        "--together", type=Path, help="labelled articles that are asked all together"
    )
    parser.add_argument("--write", action="store_true", help="put the weights into the folder")
    options = parser.parse_args(arguments)
    settings = replace(Settings.from_env(), reader=options.reader)
    reads = [read for file in options.on for read in _reads(file, settings)]
    report: dict[str, object] = {}
    for name, kept in _ABLATIONS.items():
        outcomes = _cross_validated(reads, kept)
        threshold = lowest_threshold(outcomes)
        decided = [replace(o, answered=o.confidence >= threshold) for o in outcomes]
        report[name] = {"threshold": threshold} | {
            file.name: asdict(
                score([o for o, read in zip(decided, reads, strict=True) if read.file == file])
            )
            for file in options.on
        }
    weights = asdict(fit(reads, _ABLATIONS["all together"]))
    report["weights"] = weights
    if options.together:
        report["standing"] = fit_standing(
            list(_reads(options.together, settings, together=True)), weights["rank"]
        )
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if options.write:
        file = options.reader / DESCRIPTION
        described = {**json.loads(file.read_text(encoding="utf-8")), **weights}
        save(file, description(described))
    return 0


def fit(reads: Sequence[Read], kept: Sequence[bool]) -> Calibration:
    """The weights under which right sentences rank first and probabilities hold."""
    mask = np.array(kept)
    lists = [(read.features[:, mask], read.right, 1.0) for read in reads if read.right.any()]
    rank = np.zeros(len(mask))
    rank[mask] = fit_ranking(lists)
    ranking = Calibration(_three(rank), (0.0, 0.0, 0.0))
    rows, flags = [], []
    for read in reads:
        for one in ranking.ranked(read.features.tolist())[:TOP_K]:
            rows.append([one.score, one.lead])
            flags.append(read.right[one.place])
    model = LogisticRegression(C=1e6).fit(np.array(rows), np.array(flags))
    return replace(ranking, right=_three([*model.coef_[0], model.intercept_[0]]))


def fit_standing(reads: Sequence[Read], rank: Sequence[float]) -> dict[str, float]:
    """The weight of an article's standing, as a part of the evidence that `rank` weighs, under
    which right sentences rank first, and the shares of them that do without and with it."""
    answerable = [read for read in reads if read.question.answers]
    standings = [rank[2] * read.standings for read in answerable]
    scores = [
        np.stack([read.features @ rank - STANDING * standing, standing], 1)
        for read, standing in zip(answerable, standings, strict=True)
    ]
    fold_of = _folds(answerable)

    def fitted(without: int | None) -> float:
        one, other = fit_ranking(
            [
                (rows, read.right, 1.0)
                for rows, read in zip(scores, answerable, strict=True)
                if read.right.any() and fold_of[read.article] != without
            ]
        )
        return float(other / one)

    def hits(weights: Sequence[float]) -> float:
        right = [
            len(rows) > 0 and read.right[np.argmax(rows @ (1.0, weights[fold_of[read.article]]))]
            for rows, read in zip(scores, answerable, strict=True)
        ]
        return round(100 * float(np.mean(right)), 1)

    return {
        "weight": round(fitted(None), 2),
        "hit@1 without": hits([0.0] * _FOLDS),
        "hit@1 with": hits([fitted(fold) for fold in range(_FOLDS)]),
    }


def _folds(reads: Sequence[Read]) -> dict[str, int]:
    """In which fold each article is judged."""
    articles = sorted({read.article for read in reads})
    return {article: number % _FOLDS for number, article in enumerate(articles)}


def _three(weights: Sequence[float] | Floats) -> tuple[float, float, float]:
    one, two, three = (round(float(weight), 4) for weight in weights)
    return one, two, three


def lowest_threshold(outcomes: Sequence[Outcome]) -> float:
    """The lowest confidence at which, and above which, PRECISION of the answers are right."""
    best, answered, right = 1.0, 0, 0
    for group in by_threshold(outcomes):
        answered += len(group)
        right += sum(item.right for item in group)
        if right >= PRECISION * answered:
            best = group[0].confidence
    return best


def _cross_validated(reads: Sequence[Read], kept: Sequence[bool]) -> list[Outcome]:
    """The outcome of each, under weights fitted on other articles."""
    fold_of = _folds(reads)
    fitted = [
        fit([read for read in reads if fold_of[read.article] != fold], kept)
        for fold in range(_FOLDS)
    ]
    return [read.outcome(fitted[fold_of[read.article]]) for read in reads]


def _reads(file: Path, settings: Settings, together: bool = False) -> Iterator[Read]:
    pipeline, reader = open_pipeline(settings), open_reader(settings.reader)
    sets = read_labelled(file, pipeline.store.documents)
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    sets = [merged(sets)] if together else sets
    for labelled in tqdm(sets, file.name, disable=None):
        asker = pipeline.over(labelled.documents, encoder) if labelled.documents else pipeline
        for number, question in enumerate(labelled.questions):
            article = f"{file}: {question.document_id or number}"
            yield _read(question, file, article, asker, reader)


def _read(
    question: LabelledQuestion, file: Path, article: str, asker: Pipeline, reader: SpanReader
) -> Read:
    asked = asker.understand(question.question, question.history)
    judged = reader.judge_all(asked.question, asker.candidates(asked), asked.contexts)
    right, paragraphs, matches = [], [], []
    for item in judged:
        passage = item.candidate.passage
        right.append(question.supports(passage.document_id, *item.evidence.sentence))
        paragraphs.append(question.is_answered_in(passage.document_id, passage.paragraph))
        start, end = (offset - passage.start for offset in item.answer)
        matches.append(best_match(item.candidate.text[start:end], question.answers))
    exact, f1 = np.array(matches).reshape(-1, 2).T
    return Read(
        question,
        file,
        article,
        np.array([item.features for item in judged]).reshape(-1, 3),
        np.array(right, np.bool_),
        np.array(paragraphs, np.bool_),
        exact,
        f1,
        np.array([item.candidate.standing for item in judged]),
    )


if __name__ == "__main__":
    raise SystemExit(main())
