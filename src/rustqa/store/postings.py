"""BM25 over the sentences and passages of an index: which sentences hold each term.

With k1 = 0 a word counts once: in a text of one sentence or a few, its second mention says nothing
more, and a text's length says nothing at all. What remains of BM25 is the sum of the words'
weights, log(1 + (N - n + 0.5) / (n + 0.5)) for a word in n of N texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rustqa.store.columns import Bytes, Columns, Numbers, Table
from rustqa.types import Scores

# Of a term: where it starts in the terms, where its sentences start, and how many passages hold it.
TERM = np.dtype([("term", "<u8"), ("sentence", "<u8"), ("passages", "<u4")])

_NONE = np.array([], np.uint32)
# Passages whose best score is looked at together.
_BLOCK = 256


@dataclass(frozen=True)
class Postings:
    """The terms in order, each ended by a line feed, and the sentences of each in order."""

    terms: Bytes
    table: Table
    sentences: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.table) - 1

    @cached_property
    def _starts(self) -> NDArray[np.uint64]:
        return np.ascontiguousarray(self.table["term"])

    def find(self, term: str) -> int | None:
        """The number of a term, if any sentence holds it."""
        wanted = term.encode()
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            start, end = self._starts[middle : middle + 2].tolist()
            found = self.terms[start : end - 1]
            if found == wanted:
                return middle
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return None

    def holders(self, number: int | None) -> NDArray[np.uint32]:
        """The sentences that hold the term of this number."""
        if number is None:
            return _NONE
        start, end = self.table["sentence"][number : number + 2].tolist()
        return self.sentences[start:end]


class WordSearch:
    """The shares of a question's words that passages and sentences hold, rare words more."""

    def __init__(self, postings: Postings, columns: Columns) -> None:
        """Joins which sentence holds what with which passage it is of."""
        self._postings = postings
        self._columns = columns

    def find(self, wanted: Sequence[str]) -> list[int | None]:
        """The number of each term, None for one that no sentence holds."""
        return list(map(self._postings.find, wanted))

    def passages(self, found: Sequence[int | None]) -> NDArray[np.float32]:
        """For each passage of the index its share of the terms of these numbers, in [0, 1]."""
        counts = [int(self._postings.table["passages"][n]) if n is not None else 0 for n in found]
        weights = _weights(counts, len(self._columns))
        shares = np.zeros(len(self._columns), np.float32)
        for number, weight in zip(found, weights.tolist(), strict=True):
            # Assignment, so that a passage counts once however many of its sentences hold the word.
            holders = self._columns.passage_of[self._postings.holders(number)]
            shares[holders] += weight
        return shares

    def sentences(self, found: Sequence[int | None], numbers: Numbers) -> Scores:
        """For each of these sentences its share of the terms of these numbers, in [0, 1]."""
        holders = list(map(self._postings.holders, found))
        weights = _weights(list(map(len, holders)), len(self._columns.sentences))
        shares = np.zeros(len(numbers))
        sought = numbers.astype(np.uint32)
        for places, weight in zip(holders, weights.tolist(), strict=True):
            if len(places):
                at = np.minimum(np.searchsorted(places, sought), len(places) - 1)
                shares[places[at] == sought] += weight
        return shares


def _weights(counts: Sequence[int], total: int) -> Scores:
    """The share of each word in the sum of all their weights."""
    held = np.array(counts, np.float64)
    weights: Scores = np.log1p((total - held + 0.5) / (held + 0.5))
    return weights / weights.sum() if len(weights) else weights


def best(scores: NDArray[np.float32], top_k: int) -> Numbers:
    """The places of the `top_k` largest scores above 0, in falling order, equal ones in theirs.

    They lie in the `top_k` blocks with the largest maxima, so only these are looked through.
    """
    whole = len(scores) // _BLOCK
    if whole <= top_k:
        places = np.arange(len(scores))
    else:
        tops = scores[: whole * _BLOCK].reshape(whole, _BLOCK).max(axis=1)
        tops = np.append(tops, scores[whole * _BLOCK :].max(initial=0))
        chosen = np.sort(np.argsort(-tops, kind="stable")[:top_k])
        places = (chosen[:, np.newaxis] * _BLOCK + np.arange(_BLOCK)).ravel()
        places = places[places < len(scores)]
        scores = scores[places]
    least = np.partition(scores, -top_k)[-top_k] if len(scores) > top_k else np.float32(0)
    above = np.flatnonzero(scores > least)
    above = above[np.argsort(-scores[above], kind="stable")]
    equal = np.flatnonzero(scores == least)[: top_k - len(above)] if least > 0 else above[:0]
    found: Numbers = places[np.concatenate([above, equal])]
    return found


Pairs = tuple[NDArray[np.uint32], NDArray[np.uint32]]
"""Numbers of terms, and of a sentence that holds each."""


def collect(
    vocabulary: Mapping[str, int],
    held: Pairs,
    passage_of: NDArray[np.uint32],
    before: tuple[Postings, Numbers] | None = None,
) -> Postings:
    """The postings of pairs, whose terms are numbered by the vocabulary, and of an earlier index
    whose sentences have new numbers (-1: left out)."""
    names = [term.encode() for term in vocabulary]
    number, sentence = held
    if before is not None:
        old, moved = before
        places = moved[old.sentences]
        starts = old.table["sentence"].astype(np.int64)
        of_term = np.repeat(np.arange(len(old), dtype=np.uint32), starts[1:] - starts[:-1])
        kept = places >= 0
        number = np.concatenate([number, of_term[kept] + np.uint32(len(names))])
        sentence = np.concatenate([sentence, places[kept].astype(np.uint32)])
        names += old.terms[:].split(b"\n")[:-1]
    ranked = sorted(set(names))
    rank = {name: place for place, name in enumerate(ranked)}
    ranks = np.array([rank[name] for name in names], np.uint64)
    keys = (ranks[number] << np.uint64(32)) | sentence
    keys.sort()
    number, sentence = (keys >> np.uint64(32)).astype(np.uint32), keys.astype(np.uint32)
    counts = np.bincount(number, minlength=len(ranked))
    # The first of a term's sentences in each passage.
    passages = passage_of[sentence]
    first = np.ones(len(keys), bool)
    first[1:] = (number[1:] != number[:-1]) | (passages[1:] != passages[:-1])
    in_passages = np.bincount(number[first], minlength=len(ranked))
    used = np.flatnonzero(counts)
    terms = [ranked[place] + b"\n" for place in used.tolist()]
    table = np.zeros(len(used) + 1, TERM)
    table["term"][1:] = np.cumsum(list(map(len, terms)))
    table["sentence"][1:] = np.cumsum(counts[used])
    table["passages"][:-1] = in_passages[used]
    return Postings(b"".join(terms), table, sentence)
