"""Fits what tells differing accounts from one: the weights in `rustqa.accounts`.

    python -m rustqa.training.accounts --on news_train.jsonl.gz:0.12 --check dev.jsonl

Logistic regression (L2) over the pairs among the best sentences of every disputed question (kind
`contested`) and of a share of the others; a pair is right if both its sentences are labelled. What
is printed are the weights (without --on those in use), and for the files of --check how many
disputes are found, how many with two right accounts, and how many others are taken for disputed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from tqdm import tqdm

from rustqa.accounts import SEEN, WEIGHTS, Account, Features, features, find_dispute, pairs
from rustqa.encoder import open_passage_encoder
from rustqa.labelled import LabelledQuestion, LabelledSet, read_labelled
from rustqa.opening import open_pipeline
from rustqa.pipeline import Pipeline
from rustqa.settings import Settings
from rustqa.training import errors_in_a_line
from rustqa.training.train import shared_file
from rustqa.types import Encoder

KIND = "contested"


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the sentences that may answer, best first, and which of them are right."""

    question: str
    disputed: bool
    accounts: list[Account]
    right: list[bool]


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Fits on one file and prints how the weights do on others."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--on", metavar="FILE[:SHARE]", help="labelled articles to fit on")
    parser.add_argument("--check", nargs="*", type=Path, default=[], help="labelled files")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    settings = Settings.from_env()
    chance = random.Random(options.seed)  # noqa: S311  (a sample, not a secret)
    weights = WEIGHTS
    if options.on:
        file, share = shared_file(options.on)
        weights = fit(list(cases(file, settings, share, chance)))
    report: dict[str, object] = {"weights": np.round(weights, 2).tolist()}
    for other in options.check:
        report[other.name] = found(list(cases(other, settings, 1.0, chance)), weights)
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


def fit(known: Sequence[Case]) -> Features:
    """The weights of the signs, shape (signs,)."""
    signs, right = [], []
    for case in known:
        for one, other in pairs(case.accounts):
            signs.append(features(case.question, case.accounts, one, other))
            right.append(case.disputed and case.right[one] and case.right[other])
    model = LogisticRegression(C=1.0, fit_intercept=False, max_iter=2000).fit(signs, right)
    weights: Features = model.coef_[0]
    return weights


def found(known: Sequence[Case], weights: Features) -> dict[str, int]:
    """How many questions are taken for disputed, those that are and those that are not."""
    counts = dict.fromkeys(("disputed", "found", "both_right", "others", "false"), 0)
    for case in known:
        dispute = find_dispute(case.question, case.accounts, weights)
        counts["disputed" if case.disputed else "others"] += 1
        if dispute is not None:
            counts["found" if case.disputed else "false"] += 1
            right = sum(case.right[place] for place in dispute.places)
            counts["both_right"] += case.disputed and right > 1
    return counts


def cases(file: Path, settings: Settings, share: float, chance: random.Random) -> Iterator[Case]:
    """The disputed questions of a file and a share of the others."""
    pipeline = open_pipeline(settings)
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    for labelled in tqdm(read_labelled(file, pipeline.store.documents), file.name, disable=None):
        chosen = [q for q in labelled.questions if q.kind == KIND or chance.random() < share]
        if chosen:
            yield from _cases(chosen, labelled, pipeline, encoder)


def _cases(
    questions: Sequence[LabelledQuestion],
    labelled: LabelledSet,
    pipeline: Pipeline,
    encoder: Encoder,
) -> Iterator[Case]:
    asker = pipeline.over(labelled.documents, encoder) if labelled.documents else pipeline
    for question in questions:
        asked = asker.understand(question.question, question.history)
        readings = asker.read(asked, asker.candidates(asked), SEEN)
        accounts = [asker.account(reading) for reading in readings]
        right = [
            question.supports(reading.passage.document_id, *reading.sentence)
            for reading in readings
        ]
        yield Case(asked.question, question.kind == KIND, accounts, right)


if __name__ == "__main__":
    raise SystemExit(main())
