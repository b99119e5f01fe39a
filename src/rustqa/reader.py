"""The reader that needs no weights of its own: answers with the sentence of the best evidence.

To the retriever's score it adds what the question asks for: a person's name after "who", a date
after "when", and the like. Weights: rustqa.training.evidence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from rustqa.types import Candidate, Evidence, Reading

# Log-odds of being right, of the best sentence from its score, of the others from their score and
# how far they lie behind the best (Platt scaling, Platt 1999).
_BEST_SLOPE, _BEST_OFFSET = 3.19, -1.43
_OTHER_SLOPE, _OTHER_GAP, _OTHER_OFFSET = 2.79, -6.85, -2.28


class Cue(NamedTuple):
    """A kind of question, what a sentence that answers it tends to hold, and its worth."""

    asks: re.Pattern[str]
    holds: re.Pattern[str]
    weight: float


def _cue(asks: str, holds: str, weight: float, flags: int = re.IGNORECASE) -> Cue:
    return Cue(re.compile(asks, re.IGNORECASE), re.compile(holds, flags), weight)


CUES = (
    _cue(r"\bwho(?:m|se)?\b", r"\b[A-Z][\w’'-]+ [A-Z][\w’'-]+", 0.09, 0),
    _cue(
        r"\bwhen\b|\b(?:what|which) (?:year|day|date|month|time)\b",
        r"\b(?:1[5-9]|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september"
        r"|october|november|december|(?:mon|tues|wednes|thurs|fri|satur|sun)day|yesterday|today"
        r"|tomorrow|week|month|year|morning|night|evening|afternoon|noon|midnight|century|ago)s?\b",
        0.07,
    ),
    _cue(
        r"\bhow (?:many|much|long|old|far|big|tall|often|fast|high|large)\b"
        r"|\b(?:what|which) (?:age|percentage|number|amount|price|sum)\b",
        r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred"
        r"|thousand|million|half|third|twice)s?\b",
        0.13,
    ),
    _cue(
        r"\bwhere\b|\b(?:what|which) (?:city|country|town|place)\b",
        r"\b(?:in|at|near|outside|inside|from|to|on|of|across) (?:the )?[A-Z]",
        0.06,
        0,
    ),
    _cue(
        r"\bwhy\b|\breason",
        r"\b(?:because|due to|so that|so|since|citing|blam(?:ed|ing)|reasons?|caused?|owing|result"
        r"|grounds?|therefore|after|over|meant|means|led|to avoid|to keep|in order)\b",
        0.06,
    ),
    _cue(
        r"\b(?:say|said|tell|told|comment|call|called|describe|words|quote)\b",
        r"[“”\"]|\b(?:said|told|says|called|added|argued|testified|claimed|accused|admitted"
        r"|stated|described)\b",
        0.07,
    ),
)


_WORD = re.compile(r"\w")


class EvidenceReader:
    """Reads a whole sentence as the answer."""

    name = "evidence-1"

    def read(self, question: str, candidates: Sequence[Candidate], top_k: int) -> list[Reading]:
        """At most `top_k` readings, the most probably right first."""
        scored = self._score(question, candidates)
        best = scored[0][0] if scored else 0.0
        return [
            Reading(
                passage=candidate.passage,
                sentence=item.sentence,
                answer=item.sentence,
                confidence=confidence(score, best if place else None),
                scores={"dense": item.dense, "bm25": item.bm25, "reader": score},
            )
            for place, (score, candidate, item) in enumerate(scored[:top_k])
        ]

    def _score(
        self, question: str, candidates: Sequence[Candidate]
    ) -> list[tuple[float, Candidate, Evidence]]:
        """Each sentence's score, with its candidate and evidence, best first."""
        # A bare "who?" asks for nothing that a name would answer.
        asked = [
            cue
            for cue in CUES
            if cue.asks.search(question) and _WORD.search(cue.asks.sub("", question))
        ]
        scored = []
        for candidate in candidates:
            origin = candidate.passage.start
            for item in candidate.evidence:
                start, end = item.sentence
                sentence = candidate.text[start - origin : end - origin]
                met = sum(cue.weight for cue in asked if cue.holds.search(sentence))
                scored.append((item.score + met, candidate, item))
        return sorted(scored, key=lambda entry: -entry[0])


def confidence(score: float, best: float | None = None) -> float:
    """The probability that a sentence with this score answers the question.

    `best` is the score of the best sentence, None if this is the one.
    """
    if best is None:
        odds = _BEST_SLOPE * score + _BEST_OFFSET
    else:
        odds = _OTHER_SLOPE * score + _OTHER_GAP * (best - score) + _OTHER_OFFSET
    return 1 / (1 + math.exp(-odds))
