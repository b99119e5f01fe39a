"""Calibration: how the reader's scores are joined, and the threshold set."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rustqa.evaluate import Outcome
from rustqa.labelled import LabelledQuestion
from rustqa.reader import STANDING, Calibration
from rustqa.training.calibrate import Read, fit, fit_standing, lowest_threshold


def _reads(seed: int, count: int = 800) -> list[Read]:
    """Questions of eight sentences; in half of them the third feature lifts a right one."""
    random = np.random.default_rng(seed)
    reads = []
    for number in range(count):
        features = random.normal(size=(8, 3))
        right = np.zeros(8, np.bool_)
        if number % 2:
            right[number % 8] = True
            features[number % 8] += [1.5, 0.0, 3.0]
        answers = ("this",) if number % 2 else ()
        question = LabelledQuestion(f"Which {number}?", "which", (), answers, ())
        file, f1 = Path("made.jsonl"), right.astype(np.float64)
        alone = np.zeros(8)
        reads.append(Read(question, file, str(number), features, right, right, f1, f1, alone))
    return reads


@pytest.fixture(scope="module")
def fitted() -> Calibration:
    """What is fitted on synthetic questions."""
    return fit(_reads(0), (True, True, True))


def test_right_sentences_rank_first(fitted: Calibration) -> None:
    """The features that tell right from wrong count as much as they tell."""
    assert abs(fitted.rank[1]) < 0.3 < 1 < fitted.rank[0] < fitted.rank[2]
    outcomes = [read.outcome(fitted) for read in _reads(1)]
    answerable = [item for item in outcomes if item.answerable]
    assert np.mean([item.rank == 1 for item in answerable]) > 0.85
    assert all(item.f1 == item.right_paragraph == item.right for item in outcomes)
    assert all(item.answered for item in outcomes)


def test_probabilities_hold(fitted: Calibration) -> None:
    """Of fresh questions, about as many are right as the confidences say, low or high."""
    outcomes = [read.outcome(fitted) for read in _reads(2, 3000)]
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        part = [item for item in outcomes if low <= item.confidence < high]
        assert len(part) > 100
        expected = np.mean([item.confidence for item in part])
        assert np.mean([item.right for item in part]) == pytest.approx(expected, abs=0.07)


@pytest.mark.parametrize("kept", [(True, False, True), (True, False, False), (False, False, True)])
def test_what_is_not_kept_has_no_weight(kept: tuple[bool, bool, bool]) -> None:
    """An ablation ranks by the features it keeps."""
    rank = fit(_reads(0), kept).rank
    assert tuple(weight != 0 for weight in rank) == kept


def test_the_standing_counts_as_much_as_it_tells() -> None:
    """Where right sentences are of articles of good standing it is found to; where they are of any
    it counts for nothing."""
    random = np.random.default_rng(3)
    fitted = []
    for telling in (3.0, 0.0):
        reads = []
        for read in _reads(4):
            standings = np.minimum(0, random.normal(-0.5, 0.3, 8) + telling * read.right / 5)
            features = read.features.copy()
            features[:, 2] += STANDING * standings
            reads.append(replace(read, features=features, standings=standings))
        fitted.append(fit_standing(reads, (1.0, 1.0, 1.0)))
    told, untold = fitted
    assert told["weight"] > 2 > abs(untold["weight"])
    assert told["hit@1 with"] > told["hit@1 without"] + 2
    assert untold["hit@1 with"] == pytest.approx(untold["hit@1 without"], abs=2)


def test_a_question_for_which_nothing_was_read_is_not_answered(fitted: Calibration) -> None:
    """Silence is sure to be given."""
    question = LabelledQuestion("Why?", "why", (), (), ())
    empty = np.zeros(0)
    flags = empty.astype(np.bool_)
    read = Read(question, Path("f"), "a", empty.reshape(0, 3), flags, flags, empty, empty, empty)
    outcome = read.outcome(fitted)
    assert (outcome.answered, outcome.rank, outcome.confidence) == (False, None, 0.0)


def _outcome(confidence: float, right: bool) -> Outcome:
    return Outcome("Why?", "why", True, True, 1 if right else 2, right, 0.0, 0.0, confidence)


@pytest.mark.parametrize(
    ("right", "wrong", "threshold"),
    [
        ([0.9, 0.8, 0.7], [], 0.7),
        ([0.9, 0.8, 0.7], [0.6], 0.7),
        ([n / 100 for n in range(80, 98)], [0.5, 0.4, 0.3], 0.4),
        ([n / 100 for n in range(81, 98)], [0.5, 0.4, 0.3], 0.5),
        ([n / 100 for n in range(80, 98)], [0.4, 0.4, 0.4], 0.8),
        ([0.9] * 8 + [0.4], [0.5], 0.4),
        ([0.9, 0.8], [0.95], 1.0),
        ([0.9], [0.9], 1.0),
        ([0.9] * 9, [0.9], 0.9),
        ([], [], 1.0),
    ],
)
def test_the_threshold_is_the_lowest_that_holds(
    right: list[float], wrong: list[float], threshold: float
) -> None:
    """Nine in ten of the answers at it or above are right; the equally sure count together."""
    outcomes = [_outcome(value, True) for value in right]
    outcomes += [_outcome(value, False) for value in wrong]
    assert lowest_threshold(outcomes) == lowest_threshold(outcomes[::-1]) == threshold
