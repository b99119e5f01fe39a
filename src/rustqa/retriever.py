"""Finds candidate passages by meaning (vectors) and by words (BM25), fused into one score.

Each sentence is scored by a weighted sum of four shares: cosine and BM25, of the sentence and of
its passage; a passage is worth its best sentence. Weights: rustqa.training.retrieval.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rustqa.types import EVERYTHING, Candidate, Encoder, Evidence, PassageStore, Scope
from rustqa.words import terms

# Share of the score: cosine of sentence and passage, BM25 of sentence and passage.
WEIGHTS = np.array([0.31, 0.36, 0.16, 0.17])
# Passages taken from each of the two searches before they are scored together.
_POOL = 50


class FusedRetriever:
    """Dense and BM25 search over one store."""

    def __init__(self, store: PassageStore, encoder: Encoder) -> None:
        """Joins the store with the encoder of questions."""
        self._store = store
        self._encoder = encoder

    def retrieve(
        self,
        question: str,
        top_k: int,
        scope: Scope = EVERYTHING,
        wordings: Sequence[str] = (),
    ) -> list[Candidate]:
        """At most `top_k` candidates, best first, from the articles in scope.

        `wordings` are other ways to ask the same; what each finds counts alike.
        """
        questions = (question, *wordings)
        wanted = [sorted(set(terms(item))) for item in questions]
        vectors = self._encoder.encode(questions)
        pool = self._store.search(vectors, wanted, max(_POOL, top_k), scope)
        counts = pool.counts
        if not len(counts):
            return []
        own = np.cumsum(counts + 1) - counts - 1
        # Of each row its cosine and its share, and those of its passage: (features, rows).
        cosines, shares = pool.cosines.mean(0), pool.shares.mean(0)
        of_passages = [values[own].repeat(counts + 1) for values in (cosines, shares)]
        features = np.delete(np.stack([cosines, of_passages[0], shares, of_passages[1]]), own, 1)
        scores = WEIGHTS @ features
        ends = np.cumsum(counts)
        best = np.maximum.reduceat(scores, ends - counts)
        # Stable, so that equal scores keep the articles' order.
        order = np.argsort(-best, kind="stable")[:top_k].tolist()
        rows = list(zip(scores.tolist(), *features.tolist(), strict=True))
        # The best of each article comes before its others.
        heads: dict[str, float] = {}
        found = []
        for place in order:
            passage = pool.passages[place]
            head = heads.setdefault(passage.document_id, float(best[place]))
            own_rows = rows[ends[place] - counts[place] : ends[place]]
            pairs = zip(passage.sentences, own_rows, strict=True)
            evidence = tuple(Evidence(sentence, *row) for sentence, row in pairs)
            standing = head - float(best[order[0]])
            found.append(Candidate(passage, pool.texts[place], evidence, standing))
        return found
