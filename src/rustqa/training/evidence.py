"""Fits the weights of the retriever and of the evidence reader, and the reader's calibration.

    python -m rustqa.training.evidence --train news_train.jsonl.gz squad11_train_part.jsonl.gz

Ranking: a conditional logit over all sentences retrieved for a question, the right ones sharing
the likelihood, each training file weighing the same. Calibration: logistic regression of "the
sentence is right" on its score, for the best, and on its score and distance to the best, for the
others (Platt 1999). Prints JSON; the constants in retriever.py and reader.py are these, rounded.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from rustqa.encoder import PACKAGED, PassageEncoder
from rustqa.labelled import LabelledQuestion, LabelledSet, read_labelled
from rustqa.pipeline import build_in_memory, open_store
from rustqa.reader import CUES, EvidenceReader
from rustqa.retriever import FusedRetriever
from rustqa.settings import Settings
from rustqa.types import Candidate, Encoder, PassageStore

Floats = NDArray[np.float64]

# Enough that the right passage is nearly always among them.
_CANDIDATES = 20


def main(arguments: list[str] | None = None) -> int:
    """Fits and prints the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", nargs="+", type=Path, default=[], help="labelled files")
    parser.add_argument("--calibrate", nargs="+", type=Path, default=[], help="labelled files")
    parser.add_argument(
        "--articles",
        type=int,
        default=300,
        help="at most so many of each training file (%(default)s)",
    )
    options = parser.parse_args(arguments)
    store = open_store(Settings.from_env())
    encoder = PassageEncoder(PACKAGED)
    lists = []
    for file in options.train:
        found = [
            pair
            for labelled, documents in _sets([file], store, options.articles)
            for pair in _ranking_lists(labelled, documents, encoder)
            if pair[1].any()
        ]
        lists += [(features, right, 1 / len(found)) for features, right in found]
    result: dict[str, object] = {}
    if lists:
        # The retriever first, by itself; then what the cues add to its score.
        retriever = fit_ranking([(x[:, :4], right, weight) for x, right, weight in lists])
        scored = [
            (np.column_stack([x[:, :4] @ retriever, x[:, 4:]]), right, weight)
            for x, right, weight in lists
        ]
        unit, *cues = fit_ranking(scored)
        total = retriever.sum()
        result = {
            "questions": len(lists),
            "retriever": (retriever / total).round(3).tolist(),
            "cues": (np.array(cues) / (unit * total)).round(3).tolist(),
        }
    pairs = [
        pair
        for labelled, documents in _sets(options.calibrate, store)
        for pair in _readings(labelled, documents, encoder)
    ]
    for name, others in (("best", False), ("others", True)):
        chosen = [
            (score, best - score, right) for score, best, right, first in pairs if first != others
        ]
        if chosen:
            rows = np.array(chosen)
            features = rows[:, :2] if others else rows[:, :1]
            model = LogisticRegression(C=1e6).fit(features, rows[:, 2])
            result[name] = [*model.coef_[0].tolist(), float(model.intercept_[0])]
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


def fit_ranking(lists: Sequence[tuple[Floats, NDArray[np.bool_], float]]) -> Floats:
    """The weights under which right sentences rank first.

    Each list is (features of shape (sentences, weights), whether each sentence is right, how much
    the list counts); each has a right sentence.
    """
    rows = np.concatenate([features for features, _, _ in lists])
    right = np.concatenate([flags for _, flags, _ in lists])
    starts = np.cumsum([0] + [len(flags) for _, flags, _ in lists[:-1]])
    worth = np.array([weight for _, _, weight in lists])
    worth /= worth.sum()
    owner = np.repeat(np.arange(len(lists)), np.diff([*starts, len(rows)]))

    def loss(weights: Floats) -> tuple[float, Floats]:
        scores = rows @ weights
        scores -= np.maximum.reduceat(scores, starts)[owner]
        odds = np.exp(scores)
        everything = np.add.reduceat(odds, starts)
        hits = np.add.reduceat(np.where(right, odds, 0), starts)
        pull = odds / everything[owner] - np.where(right, odds, 0) / hits[owner]
        value = float(worth @ (np.log(everything) - np.log(hits)) + 1e-4 * weights @ weights)
        return value, rows.T @ (pull * worth[owner]) + 2e-4 * weights

    fitted: Floats = minimize(loss, np.ones(rows.shape[1]), jac=True, method="L-BFGS-B").x
    return fitted


def _sets(
    files: Iterable[Path], store: PassageStore, articles: int | None = None
) -> Iterator[tuple[LabelledSet, PassageStore | None]]:
    """The sets of the files, each with the store it is asked of unless it brings its articles."""
    for file in files:
        sets = read_labelled(file, store.documents)
        random.Random(0).shuffle(sets)  # noqa: S311  (a sample, not a secret)
        for labelled in sets[:articles]:
            yield _sample(labelled, articles), None if labelled.documents else store


def _sample(labelled: LabelledSet, articles: int | None) -> LabelledSet:
    if articles is None or len(labelled.documents) <= articles:
        return labelled
    documents = tuple(random.Random(0).sample(labelled.documents, articles))  # noqa: S311
    kept = {document.id for document in documents}
    questions = (q for q in labelled.questions if kept.issuperset(s.document_id for s in q.support))
    return LabelledSet(documents, tuple(questions))


def _retrieved(
    labelled: LabelledSet, store: PassageStore | None, encoder: Encoder
) -> Iterator[tuple[LabelledQuestion, list[Candidate]]]:
    if store is None:
        store = build_in_memory(labelled.documents, encoder)
    retriever = FusedRetriever(store, encoder)
    for question in labelled.questions:
        if not question.history:
            yield question, retriever.retrieve(question.question, _CANDIDATES)


def _ranking_lists(
    labelled: LabelledSet, store: PassageStore | None, encoder: Encoder
) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    for question, candidates in _retrieved(labelled, store, encoder):
        rows, right = [], []
        for candidate in candidates:
            passage = candidate.passage
            for item in candidate.evidence:
                start, end = item.sentence
                text = candidate.text[start - passage.start : end - passage.start]
                cues = [
                    float(bool(cue.asks.search(question.question) and cue.holds.search(text)))
                    for cue in CUES
                ]
                evidence = [item.dense, item.passage_dense, item.bm25, item.passage_bm25]
                rows.append(evidence + cues)
                right.append(_is_right(question, passage.document_id, start, end))
        yield np.array(rows), np.array(right)


def _readings(
    labelled: LabelledSet, store: PassageStore | None, encoder: Encoder
) -> Iterator[tuple[float, float, bool, bool]]:
    """Of each of the three best readings its score, the best's, whether it is right and first."""
    for question, candidates in _retrieved(labelled, store, encoder):
        readings = EvidenceReader().read(question.question, candidates, 3)
        for place, reading in enumerate(readings):
            right = _is_right(question, reading.passage.document_id, *reading.sentence)
            yield reading.scores["reader"], readings[0].scores["reader"], right, place == 0


def _is_right(question: LabelledQuestion, document_id: str, start: int, end: int) -> bool:
    return any(
        support.document_id == document_id and support.start < end and start < support.end
        for support in question.support
    )


if __name__ == "__main__":
    raise SystemExit(main())
