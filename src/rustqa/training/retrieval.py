"""Fits the weights of the retriever.

    python -m rustqa.training.retrieval news_train.jsonl.gz squad11_train_part.jsonl.gz

A conditional logit over all sentences retrieved for a question, the right ones sharing the
likelihood, each file weighing the same. Prints JSON; the constants in retriever.py are these,
rounded.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from rustqa.encoder import PACKAGED, open_passage_encoder
from rustqa.indexing import build_in_memory
from rustqa.labelled import LabelledSet, read_labelled
from rustqa.retriever import FusedRetriever
from rustqa.settings import Settings
from rustqa.training import errors_in_a_line
from rustqa.types import Encoder

Floats = NDArray[np.float64]

# Enough that the right passage is nearly always among them.
_CANDIDATES = 20


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Fits and prints the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="labelled files")
    parser.add_argument(
        "--articles",
        type=int,
        default=300,
        help="at most so many of each training file (%(default)s)",
    )
    options = parser.parse_args(arguments)
    encoder = open_passage_encoder(PACKAGED, Settings.from_env().cache)
    lists = []
    for file in options.files:
        found = [
            pair
            for labelled in _sets(file, options.articles)
            for pair in _ranking_lists(labelled, encoder)
            if pair[1].any()
        ]
        lists += [(features, right, 1 / len(found)) for features, right in found]
    weights = fit_ranking(lists)
    result = {"questions": len(lists), "weights": (weights / weights.sum()).round(3).tolist()}
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


def _sets(file: Path, articles: int) -> Iterator[LabelledSet]:
    sets = read_labelled(file, {})
    random.Random(0).shuffle(sets)  # noqa: S311  (a sample, not a secret)
    return (_sample(labelled, articles) for labelled in sets[:articles])


def _sample(labelled: LabelledSet, articles: int) -> LabelledSet:
    if len(labelled.documents) <= articles:
        return labelled
    documents = tuple(random.Random(0).sample(labelled.documents, articles))  # noqa: S311
    kept = {document.id for document in documents}
    questions = (q for q in labelled.questions if kept.issuperset(s.document_id for s in q.support))
    return LabelledSet(documents, tuple(questions))


def _ranking_lists(
    labelled: LabelledSet, encoder: Encoder
) -> Iterator[tuple[Floats, NDArray[np.bool_]]]:
    retriever = FusedRetriever(build_in_memory(labelled.documents, encoder), encoder)
    for question in labelled.questions:
        if question.history:
            continue
        rows, right = [], []
        for candidate in retriever.retrieve(question.question, _CANDIDATES):
            for item in candidate.evidence:
                rows.append([item.dense, item.passage_dense, item.bm25, item.passage_bm25])
                right.append(question.supports(candidate.passage.document_id, *item.sentence))
        yield np.array(rows), np.array(right)


if __name__ == "__main__":
    raise SystemExit(main())
