"""The articles and passages of an index as columns, in memory or mapped from its files.

A record is a number in each column, so that a million passages take little memory and no time to
open. Every table ends with a record that says where a further one would start.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from mmap import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rustqa.types import Span, Vectors

Bytes = bytes | mmap
Table = NDArray[Any]
Numbers = NDArray[np.int64]

# Of an article: where its line and its text start, its first passage, its day as an ordinal (0:
# none), and which article is the next by id.
DOCUMENT = np.dtype(
    [("line", "<u8"), ("text", "<u8"), ("passage", "<u4"), ("day", "<u4"), ("by_id", "<u4")]
)
# Of a passage: its article, its paragraph, its first sentence and its first vector.
PASSAGE = np.dtype([("document", "<u4"), ("paragraph", "<u4"), ("sentence", "<u4"), ("row", "<u4")])
SENTENCE = np.dtype([("start", "<u4"), ("end", "<u4")])


def vector_type(dimensions: int) -> np.dtype[Any]:
    """A vector in eight bits: each value is its code times the scale."""
    return np.dtype([("scale", "<f4"), ("codes", "i1", (dimensions,))])


def pack(vectors: Vectors) -> Table:
    """Unit vectors in eight bits, which changes a cosine by about 0.0005."""
    packed = np.empty(len(vectors), vector_type(vectors.shape[1]))
    largest = np.abs(vectors).max(axis=1, initial=0)
    packed["scale"] = np.maximum(largest, np.finfo(np.float32).tiny) / 127
    packed["codes"] = np.rint(vectors / packed["scale"][:, np.newaxis])
    return packed


def unpack(packed: Table) -> Vectors:
    """The vectors again, shape (rows, dimensions), float32."""
    vectors: Vectors = packed["codes"].astype(np.float32)
    vectors *= packed["scale"][:, np.newaxis]
    return vectors


@dataclass(frozen=True)
class Columns:
    """What an index knows of its articles, passages and sentences.

    `lines` holds a JSON line for each article and `texts` their texts, in UTF-8. A passage has a
    vector and so has each of its sentences, but where it is one sentence they share it. `digests`
    are those of the texts that the vectors are of.
    """

    lines: Bytes
    texts: Bytes
    documents: Table
    passages: Table
    sentences: Table
    vectors: Table
    digests: Table

    def __len__(self) -> int:
        return len(self.passages) - 1

    @cached_property
    def passage_of(self) -> NDArray[np.uint32]:
        """The passage of each sentence."""
        counts = self.counts(np.arange(len(self)))
        return np.repeat(np.arange(len(self), dtype=np.uint32), counts)

    def spans(self, number: int) -> tuple[Span, ...]:
        """The sentences of a passage."""
        first, after = self.passages["sentence"][number : number + 2].tolist()
        return tuple(Span(*span) for span in self.sentences[first:after].tolist())

    def counts(self, numbers: Numbers) -> Numbers:
        """How many sentences each of these passages has."""
        first = self.passages["sentence"]
        counts: Numbers = first[numbers + 1].astype(np.int64) - first[numbers]
        return counts

    def sentence_numbers(self, numbers: Numbers) -> Numbers:
        """The sentences of these passages."""
        return _ranges(self.passages["sentence"][numbers], self.counts(numbers))

    def rows(self, numbers: Numbers) -> Numbers:
        """The places of the vectors of these passages: of each its own, then its sentences'."""
        counts = self.counts(numbers)
        rows = _ranges(self.passages["row"][numbers], counts + 1)
        shared = np.cumsum(counts + 1)[counts == 1] - 1
        rows[shared] -= 1
        return rows

    def passage_vectors(self, numbers: Numbers) -> Vectors:
        """The vectors of these passages, without their sentences'."""
        return unpack(self.vectors[self.passages["row"][numbers]])


def _ranges(starts: Table, counts: Numbers) -> Numbers:
    """For each start so many numbers from there on, in a row."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts.astype(np.int64) - ends + counts, counts)
