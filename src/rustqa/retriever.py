"""Finds candidate passages by meaning (vectors) and by words (BM25), fused into one score.

Each sentence is scored by a weighted sum of four shares: cosine and BM25, of the sentence and of
its passage; a passage is worth its best sentence. Weights: rustqa.training.retrieval.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np
import Stemmer

from rustqa.types import Candidate, Encoder, Evidence, PassageStore, Scores

# Share of the score: cosine of sentence and passage, BM25 of sentence and passage.
WEIGHTS = np.array([0.31, 0.36, 0.16, 0.17])
# Passages taken from each of the two searches before they are scored together.
_POOL = 50

_NO_TEXTS = np.array([], np.int64)

_WORD = re.compile(r"\w+")
_POSSESSIVE = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}]s\b")
# Lucene's for English.
_STOPWORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it"}
    | {"no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these"}
    | {"they", "this", "to", "was", "will", "with"}
)


class FusedRetriever:
    """Dense and BM25 search over one store."""

    def __init__(self, store: PassageStore, encoder: Encoder) -> None:
        """Builds the BM25 tables from the store's texts."""
        self._store = store
        self._encoder = encoder
        passages = store.passages
        self._texts = [
            store.documents[passage.document_id].text[passage.start : passage.end]
            for passage in passages
        ]
        self._passage_terms = TermIndex(self._texts)
        self._sentence_terms = TermIndex(
            [
                text[start - passage.start : end - passage.start]
                for text, passage in zip(self._texts, passages, strict=True)
                for start, end in passage.sentences
            ]
        )
        self._first_sentence = np.cumsum([0] + [len(p.sentences) for p in passages])

    def retrieve(
        self,
        question: str,
        top_k: int,
        documents: Collection[str] | None = None,
        wordings: Sequence[str] = (),
    ) -> list[Candidate]:
        """At most `top_k` candidates, best first, from the named documents (None: from all).

        `wordings` are other ways to ask the same; what each finds counts alike.
        """
        store = self._store
        pool = max(_POOL, top_k) if documents is None else len(store.passages)
        questions = (question, *wordings)
        vectors = self._encoder.encode(questions)
        wanted = [sorted(set(terms(item))) for item in questions]
        by_words = np.stack([self._passage_terms.shares(item) for item in wanted])
        sentence_shares = np.stack([self._sentence_terms.shares(item) for item in wanted])
        # Stable, so that equal scores keep the articles' order.
        numbers = {
            *(number for vector in vectors for number in store.search(vector, pool)),
            *np.argsort(-by_words, kind="stable")[:, :pool].ravel().tolist(),
        }
        found = [
            number
            for number in sorted(numbers)
            if documents is None or store.passages[number].document_id in documents
        ]
        if not found:
            return []
        counts = np.array([len(store.passages[number].sentences) for number in found])
        ends = np.cumsum(counts)
        cosines = store.similarities(vectors, found)
        own = ends - counts + np.arange(len(found))
        firsts = self._first_sentence[found]
        sentences = np.arange(ends[-1]) + np.repeat(firsts - ends + counts, counts)
        # What each wording finds counts alike: (features, sentences).
        features = np.stack(
            [
                np.delete(cosines, own, 1).mean(0),
                cosines[:, own].mean(0).repeat(counts),
                sentence_shares[:, sentences].mean(0),
                by_words[:, found].mean(0).repeat(counts),
            ]
        )
        scores = WEIGHTS @ features
        best = np.maximum.reduceat(scores, ends - counts)
        order = np.argsort(-best, kind="stable")[:top_k].tolist()
        return [
            self._candidate(found[place], scores[part], features[:, part])
            for place in order
            for part in [slice(ends[place] - counts[place], ends[place])]
        ]

    def _candidate(self, number: int, scores: Scores, features: Scores) -> Candidate:
        passage = self._store.passages[number]
        rows = zip(passage.sentences, scores.tolist(), features.T.tolist(), strict=True)
        evidence = tuple(Evidence(sentence, score, *row) for sentence, score, row in rows)
        return Candidate(passage, self._texts[number], evidence)


class TermIndex:
    """BM25 over short texts, as shares of the score of a text that holds every word.

    With k1 = 0 a word counts once: in a text of one sentence or a few, its second mention says
    nothing more, and a text's length says nothing at all. What remains of BM25 is the sum of the
    words' weights, log(1 + (N - n + 0.5) / (n + 0.5)) for a word in n of N texts.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        """Notes which texts hold each word."""
        holders: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for term in set(terms(text)):
                holders[term].append(number)
        self._count = len(texts)
        self._holders = {term: np.array(numbers) for term, numbers in holders.items()}

    def shares(self, wanted: Iterable[str]) -> Scores:
        """For each text the share, in [0, 1], of the different terms it holds, rare ones more."""
        scores = np.zeros(self._count)
        whole = 0.0
        for term in wanted:
            holders = self._holders.get(term, _NO_TEXTS)
            weight = np.log1p((self._count - len(holders) + 0.5) / (len(holders) + 0.5))
            whole += weight
            scores[holders] += weight
        return scores / whole if whole else scores


def terms(text: str) -> list[str]:
    """The stems of the text's words, without accents, case, possessives and stop words."""
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = [word for word in _WORD.findall(_POSSESSIVE.sub("", plain)) if word not in _STOPWORDS]
    # A stemmer of its own for each call: one is not to be shared between threads.
    return list(Stemmer.Stemmer("english").stemWords(words))
