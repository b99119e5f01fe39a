"""Tells whether an article gives differing accounts of what is asked.

Two sentences that both answer, by different speakers, often side by side, one denying what the
other says: a logistic model of such signs gives the probability that both are accounts of the
same matter. `rustqa.training.accounts` fits its weights.
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
SEEN = 12
# From this probability on, two sentences are differing accounts.
CONTESTED = 0.5

_CONTRAST = re.compile(
    r"\b(?:but|however|den(?:y|ies|ied|ying)|disput(?:es?|ed|ing)|reject(?:s|ed|ing)?|counter(?:s|ed)"
    r"|repl(?:y|ies|ied)|insist(?:s|ed)?|respond(?:s|ed)|contradict\w*|disagree[sd]?|while|instead"
    r"|maintain(?:s|ed)?|contend(?:s|ed)?|less sure|no truth|whereas|although|though|by contrast"
    r"|dismiss(?:es|ed)|refut\w+|call(?:s|ed) (?:that|this|it))\b",
    re.I,
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|without|neither|nor)\b|n['’]t\b", re.I
)
_YES_NO = re.compile(
    r"\W*(?:am|are|can|could|did|do|does|had|has|have|is|may|might|must|shall|should|was|were|will"
    r"|would)\b",
    re.I,
)
_SIDES = re.compile(
    r"\b(?:each side|both sides|either side|sides|disagree\w*|accounts?|versions?)\b", re.I
)

Features = NDArray[np.float64]

WEIGHTS: Features = np.array([-0.4, 0.67, 0.41, 1.22, 0.48, 1.6, 0.05, 0.08, 1.6, 0.23, -5.52])


@dataclass(frozen=True, slots=True)
class Account:
    """A sentence that may answer: its words, who is reported there (None: nobody), its score, its
    paragraph, named by article and number, and its place in the article."""

    text: str
    speaker: str | None
    score: float
    paragraph: tuple[str, int]
    span: Span


@dataclass(frozen=True, slots=True)
class Dispute:
    """Accounts that differ, as places among those given, and the probability that they do."""

    places: tuple[int, ...]
    probability: float


def find_dispute(question: str, accounts: Sequence[Account]) -> Dispute | None:
    """The differing accounts among sentences given best first; None if there is one account."""
    found = {pair: probability(question, accounts, *pair) for pair in pairs(accounts)}
    if not found:
        return None
    first, second = max(found, key=found.__getitem__)
    if found[first, second] < CONTESTED:
        return None
    places = [first, second]
    # A third party's account differs from each of the others.
    for place in range(len(accounts)):
        if place not in places and all(
            found.get((min(place, other), max(place, other)), 0.0) >= CONTESTED for other in places
        ):
            places.append(place)
    return Dispute(tuple(sorted(places)), found[first, second])


def pairs(accounts: Sequence[Account]) -> Iterator[tuple[int, int]]:
    """The pairs that can differ: what one speaker says, or nobody, is a single account."""
    for one, other in combinations(range(len(accounts)), 2):
        speakers = {accounts[place].speaker for place in (one, other)}
        if len(speakers) == 2:
            yield one, other


def probability(question: str, accounts: Sequence[Account], one: int, other: int) -> float:
    """The probability that two of the sentences are differing accounts of what is asked."""
    odds = float(WEIGHTS @ features(question, accounts, one, other))
    return (1 + math.tanh(odds / 2)) / 2


def features(question: str, accounts: Sequence[Account], one: int, other: int) -> Features:
    """The signs, `one` being the better sentence; the last is the constant."""
    better, worse = accounts[one], accounts[other]
    rest = [item.score for place, item in enumerate(accounts) if place not in (one, other)]
    later = max(better, worse, key=lambda item: item.span)
    together = better.paragraph == worse.paragraph
    negated = [bool(_NEGATION.search(item.text)) for item in (better, worse)]
    gap = max(better.span.start, worse.span.start) - min(better.span.end, worse.span.end)
    return np.array(
        [
            better.score,
            worse.score,
            worse.score - max(rest, default=worse.score - 3),
            together,
            together and gap < 4,
            None not in (better.speaker, worse.speaker),
            bool(_CONTRAST.search(later.text)),
            negated[0] != negated[1],
            bool(_YES_NO.match(question)),
            bool(_SIDES.search(question)),
            1.0,
        ],
        np.float64,
    )
