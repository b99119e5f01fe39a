"""The reader that needs no weights of its own: answers with the sentence of the best evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rustqa.types import Candidate, Reading

# Probability that the sentence is right, from its score: Platt scaling (Platt 1999), fitted by
# rustqa.training.calibrate.
_SLOPE = 10.0
_OFFSET = -5.0


class EvidenceReader:
    """Reads a whole sentence as the answer."""

    name = "evidence-1"

    def read(self, question: str, candidates: Sequence[Candidate], top_k: int) -> list[Reading]:
        """At most `top_k` readings, the most probably right first."""
        readings = [
            Reading(
                passage=candidate.passage,
                sentence=item.sentence,
                answer=item.sentence,
                confidence=confidence(item.score),
                scores={"dense": item.dense, "bm25": item.bm25, "reader": item.score},
            )
            for candidate in candidates
            for item in candidate.evidence
        ]
        return sorted(readings, key=lambda reading: -reading.confidence)[:top_k]


def confidence(score: float) -> float:
    """The probability that a sentence with this score answers the question."""
    return 1 / (1 + math.exp(-(_SLOPE * score + _OFFSET)))
