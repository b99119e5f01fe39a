"""Fits how the reader's scores and the retriever's are joined, and what they say of being right.

    python -m rustqa.training.calibrate exported/int8 --on article_dev.jsonl news_dev.jsonl --write

Ranking: a conditional logit over the sentences read for a question. Probability of being right:
logistic regression on the joint score and its lead (Platt 1999), over the three best sentences of
every question. What is printed is cross-validated: each article's questions are judged by
weights fitted on the other articles. So is the threshold, the lowest at which nine answers in
ten are right. With --write the weights fitted on all go into the reader's folder.
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

from rustqa.encoder import PACKAGED, PassageEncoder
from rustqa.evaluate import PRECISION, TOP_K, Outcome, exact_match, score, token_f1
from rustqa.labelled import LabelledQuestion, read_labelled
from rustqa.pipeline import Pipeline, open_pipeline
from rustqa.reader import DESCRIPTION, SpanReader, lead, open_reader
from rustqa.settings import Settings
from rustqa.training.retrieval import Floats, fit_ranking, is_right

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
    """What was read for one question: arrays with a row for each sentence."""

    question: LabelledQuestion
    file: Path
    article: str
    features: Floats
    right: NDArray[np.bool_]
    paragraphs: NDArray[np.bool_]
    exact: Floats
    f1: Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """The weights of `rustqa.reader.Calibration`."""

    rank: Floats
    right: Floats

    def outcome(self, read: Read, threshold: float) -> Outcome:
        """How the question would go."""
        order, scores = self._ranked(read)
        ranks = [place for place, n in enumerate(order[:TOP_K], 1) if read.right[n]]
        first = order[0] if order else None
        confidence = 0.0 if first is None else self._probability(scores, order, first)
        return Outcome(
            question=read.question.question,
            kind=read.question.kind,
            answerable=bool(read.question.answers),
            answered=confidence >= threshold,
            rank=ranks[0] if ranks else None,
            right_paragraph=first is not None and bool(read.paragraphs[first]),
            exact=0.0 if first is None else float(read.exact[first]),
            f1=0.0 if first is None else float(read.f1[first]),
            confidence=confidence,
        )

    def _ranked(self, read: Read) -> tuple[list[int], list[float]]:
        scores = (read.features @ self.rank).tolist()
        return sorted(range(len(scores)), key=lambda n: -scores[n]), scores

    def _probability(self, scores: list[float], order: list[int], place: int) -> float:
        row = np.array([scores[place], lead(scores, order, place), 1.0])
        return float(1 / (1 + np.exp(-row @ self.right)))


def main(arguments: list[str] | None = None) -> int:
    """Fits, prints the cross-validated measures and, if told to, writes the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("reader", type=Path, help="the folder of an exported reader")
    parser.add_argument("--on", nargs="+", type=Path, required=True, help="labelled files")
    parser.add_argument("--write", action="store_true", help="put the weights into the folder")
    options = parser.parse_args(arguments)
    reader = open_reader(options.reader)
    pipeline = open_pipeline(replace(Settings.from_env(), reader=options.reader))
    reads = [read for file in options.on for read in _reads(file, pipeline, reader)]
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
    fitted = fit(reads, _ABLATIONS["all together"])
    weights = {"rank": fitted.rank.round(4).tolist(), "right": fitted.right.round(4).tolist()}
    report["weights"] = weights
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    if options.write:
        file = options.reader / DESCRIPTION
        described = {**json.loads(file.read_text(encoding="utf-8")), **weights}
        file.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return 0


def fit(reads: Sequence[Read], kept: Sequence[bool]) -> Fitted:
    """The weights under which right sentences rank first and probabilities hold."""
    mask = np.array(kept)
    lists = [(read.features[:, mask], read.right, 1.0) for read in reads if read.right.any()]
    rank = np.zeros(len(mask))
    rank[mask] = fit_ranking(lists)
    rows, flags = [], []
    for read in reads:
        scores = (read.features @ rank).tolist()
        order = sorted(range(len(scores)), key=lambda n: -scores[n])
        for place in order[:TOP_K]:
            rows.append([scores[place], lead(scores, order, place)])
            flags.append(read.right[place])
    model = LogisticRegression(C=1e6).fit(np.array(rows), np.array(flags))
    return Fitted(rank, np.array([*model.coef_[0], model.intercept_[0]]))


def lowest_threshold(outcomes: Sequence[Outcome]) -> float:
    """The lowest confidence at which, and above which, PRECISION of the answers are right."""
    best, right = 1.0, 0
    # Of equally sure answers the wrong ones count first: all of them would be given.
    order = sorted(outcomes, key=lambda item: (-item.confidence, item.right))
    for count, item in enumerate(order, 1):
        right += item.right
        if right >= PRECISION * count:
            best = item.confidence
    return best


def _cross_validated(reads: Sequence[Read], kept: Sequence[bool]) -> list[Outcome]:
    """The outcome of each, under weights fitted on other articles."""
    articles = sorted({read.article for read in reads})
    fold_of = {article: number % _FOLDS for number, article in enumerate(articles)}
    fitted = [
        fit([read for read in reads if fold_of[read.article] != fold], kept)
        for fold in range(_FOLDS)
    ]
    return [fitted[fold_of[read.article]].outcome(read, 0.0) for read in reads]


def _reads(file: Path, pipeline: Pipeline, reader: SpanReader) -> Iterator[Read]:
    sets = read_labelled(file, pipeline.store.documents)
    encoder = PassageEncoder(PACKAGED) if any(labelled.documents for labelled in sets) else None
    for labelled in tqdm(sets, file.name, disable=None):
        asker = pipeline.over(labelled.documents, encoder) if encoder else pipeline
        for number, question in enumerate(labelled.questions):
            # The shipped article's questions are so many that each fold takes some of them.
            article = f"{file}: {question.document_id or number}"
            yield _read(question, file, article, asker, reader)


def _read(
    question: LabelledQuestion, file: Path, article: str, asker: Pipeline, reader: SpanReader
) -> Read:
    asked = asker.understand(question.question, question.history)
    judged = reader.judge(asked.question, asker.candidates(asked), asked.turns)
    documents = asker.store.documents
    places = {(support.document_id, support.paragraph) for support in question.support}
    right, paragraphs, exact, f1 = [], [], [], []
    for item in judged:
        passage = item.candidate.passage
        right.append(is_right(question, passage.document_id, item.evidence.sentence))
        paragraphs.append((passage.document_id, passage.paragraph) in places)
        given = documents[passage.document_id].text[slice(*item.answer)]
        exact.append(max((exact_match(given, gold) for gold in question.answers), default=0.0))
        f1.append(max((token_f1(given, gold) for gold in question.answers), default=0.0))
    return Read(
        question,
        file,
        article,
        np.array([item.features for item in judged]).reshape(-1, 3),
        np.array(right, np.bool_),
        np.array(paragraphs, np.bool_),
        np.array(exact),
        np.array(f1),
    )


if __name__ == "__main__":
    raise SystemExit(main())
