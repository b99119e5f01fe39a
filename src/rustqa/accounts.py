"""Tells whether an article gives differing accounts of what is asked.

Two sentences that both answer, by different speakers, often side by side, one denying what the
other says: a logistic model of such signs gives the probability that both are accounts of the
same matter. `rustqa.training.accounts` fits its weights on questions of which one in four is
disputed; where disputes are rarer, so are they among those taken for one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from rustqa.types import Span

# So many of the best sentences are compared.
SEEN = 8
# From this probability on, two sentences are taken for differing accounts.
CONTESTED = 0.45
# What a dispute adds to the log-odds that an account of it answers.
DISPUTED = 0.7

_DENIAL = re.compile(
    r"\b(?:den(?:y|ies|ied|ying)|disput\w+|reject\w*|counter(?:s|ed)|contradict\w*|disagree\w*"
    r"|no truth|dismiss\w+|refut\w+|not true|untrue|false|wrong|nonsense|insist\w*|baseless"
    r"|unsubstantiated|no record|no evidence)\b",
    re.I,
)
_CONTRAST = re.compile(
    r"\b(?:but|however|while|although|though|whereas|instead|by contrast|on the other hand|yet)\b",
    re.I,
)
_YES_NO = re.compile(
    r"\W*(?:am|are|can|could|did|do|does|had|has|have|is|may|might|must|shall|should|was|were|will"
    r"|would)\b",
    re.I,
)
_OF_REASONS = re.compile(r"\W*(?:why|how)\b", re.I)
_OF_NAMES = re.compile(r"\W*(?:who|whom|whose|when|where)\b", re.I)
_NAME = re.compile(r"[\w’'-]+")
_WORD = re.compile(r"\w{4,}")
_KEYWORDS = 4

Features = NDArray[np.float64]

# In the order of `features`.
WEIGHTS: Features = np.array(
    [
        *(-0.19, 0.4, 0.35, -0.7, -0.06, 0.65, -0.25, 2.27, 0.71),
        *(-0.33, -0.13, 0.27, 0.94, -0.1, 0.42, 0.59, 0.79, -1.42, -2.44),
    ]
)


@dataclass(frozen=True, slots=True)
class Account:
    """A sentence that may answer: its words, who is reported there (None: nobody), whether the
    answer is among what is reported, its score, its paragraph, named by article and number, and
    its place in the article."""

    text: str
    speaker: str | None
    reported: bool
    score: float
    paragraph: tuple[str, int]
    span: Span


@dataclass(frozen=True, slots=True)
class Dispute:
    """Accounts that differ, as places among those given, and the probability that they do."""

    places: tuple[int, ...]
    probability: float


def surer(confidence: float) -> float:
    """The probability that an account is right, given that others dispute it: what is disputed is
    what was asked."""
    return _logistic(math.log(max(confidence, 1e-9) / max(1 - confidence, 1e-9)) + DISPUTED)


def _logistic(odds: float) -> float:
    return (1 + math.tanh(odds / 2)) / 2


def find_dispute(
    question: str, accounts: Sequence[Account], weights: Features = WEIGHTS
) -> Dispute | None:
    """The differing accounts among sentences given best first; None if there is one account."""
    found = {
        pair: _logistic(float(weights @ features(question, accounts, *pair)))
        for pair in pairs(accounts)
    }
    # What differs has to differ from the best.
    best = max((pair for pair in found if pair[0] == 0), key=found.__getitem__, default=None)
    if best is None or found[best] < CONTESTED:
        return None
    places = list(best)
    # A third party's account differs from each of the others.
    for place in range(len(accounts)):
        if place not in places and all(
            found.get((min(place, other), max(place, other)), 0.0) >= CONTESTED for other in places
        ):
            places.append(place)
    return Dispute(tuple(sorted(places)), found[best])


def pairs(accounts: Sequence[Account]) -> Iterator[tuple[int, int]]:
    """The pairs that can differ: of two speakers. What one says, however named, is one account."""
    names = [account.speaker and set(_NAME.findall(account.speaker)) for account in accounts]
    for one, other in combinations(range(len(accounts)), 2):
        first, second = names[one], names[other]
        if first and second and not (first <= second or second <= first):
            yield one, other


def features(question: str, accounts: Sequence[Account], one: int, other: int) -> Features:
    """The signs, `one` being the place of the better sentence; the last is the constant."""
    better, worse = accounts[one], accounts[other]
    earlier, later = sorted((better, worse), key=lambda item: item.span)
    rest = [item.score for place, item in enumerate(accounts) if place not in (one, other)]
    words, others = (set(_WORD.findall(item.text.lower())) for item in (better, worse))
    signs = (
        better.score,
        worse.score,
        worse.score - max(rest, default=worse.score - 3),
        one,
        other,
        better.paragraph == worse.paragraph,
        math.log1p(max(0, later.span.start - earlier.span.end)),
        len(words & others) / (1 + min(len(words), len(others))),
        _DENIAL.search(later.text) is not None,
        _DENIAL.search(earlier.text) is not None,
        _CONTRAST.search(later.text) is not None,
        _CONTRAST.match(later.text) is not None,
        _YES_NO.match(question) is not None,
        _OF_REASONS.match(question) is not None,
        _OF_NAMES.match(question) is not None,
        better.reported and worse.reported,
        better.reported or worse.reported,
        len(question.split()) < _KEYWORDS,
        1.0,
    )
    return np.array(signs, np.float64)
