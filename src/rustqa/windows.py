"""Lays a question and passages out as the windows that the reader's model reads.

A window is `[CLS] said before [SEP] question [SEP] passage [SEP] passage [SEP] ...` with whole
passages of one document, so that the model compares them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rustqa.types import Span

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Integers = NDArray[np.int64]

MAX_TOKENS = 480
_MAX_ASKED = 128
# Of what was said before, so many texts are read with the question.
MAX_CONTEXT = 2


@dataclass(frozen=True, slots=True)
class Tokens:
    """A passage's tokens, arrays of shape (tokens,): vocabulary number, start and end in the
    document's text, and which of the passage's sentences each lies in."""

    ids: Integers
    starts: Integers
    ends: Integers
    sentences: Integers


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the model, arrays of shape (tokens,).

    `starts` and `ends` are offsets in the document's text, `passages` and `sentences` the place
    of the passage among those given and of the sentence in it: all -1 outside the passages.
    """

    ids: Integers
    types: Integers
    starts: Integers
    ends: Integers
    passages: Integers
    sentences: Integers

    def __len__(self) -> int:
        """How many tokens it has."""
        return len(self.ids)


class Layout:
    """Makes windows with the tokenizer that the model was trained with."""

    def __init__(self, tokenizer: Path) -> None:
        """Reads the tokenizer's file; knows BERT's special tokens."""
        from tokenizers import Tokenizer

        self._tokenizer: Tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        # A text that holds "[SEP]" is not to part anything.
        self._tokenizer.encode_special_tokens = True
        self._cls = self._tokenizer.token_to_id("[CLS]")
        self._sep = self._tokenizer.token_to_id("[SEP]")

    def tokens(self, text: str, origin: int, sentences: Sequence[Span]) -> Tokens:
        """The tokens of a passage whose text starts at `origin` in its document."""
        encoding = self._tokenizer.encode(text, add_special_tokens=False)
        offsets = np.array(encoding.offsets, np.int64).reshape(-1, 2) + origin
        firsts = [sentence.start for sentence in sentences]
        places = np.searchsorted(firsts, offsets[:, 0], side="right") - 1
        return Tokens(np.array(encoding.ids, np.int64), offsets[:, 0], offsets[:, 1], places)

    def asked(self, question: str, context: Sequence[str] = ()) -> Integers:
        """The question, led by the last of what was said before; a long one is cut."""
        earlier = [self._ids(text)[: _MAX_ASKED // 3] for text in context[-MAX_CONTEXT:]]
        room = _MAX_ASKED - sum(map(len, earlier))
        parts = [*earlier, self._ids(question)[:room]]
        return np.array([self._cls, *(x for part in parts for x in (*part, self._sep))], np.int64)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def windows(self, asked: Integers, passages: Sequence[Tokens]) -> list[Window]:
        """As few windows as hold the passages of one document, in their order."""
        return [self._window(asked, group) for group in _pack(passages, MAX_TOKENS - len(asked))]

    def _window(self, asked: Integers, pieces: Sequence[tuple[int, Tokens]]) -> Window:
        outside = np.full(len(asked), -1)
        sep, none = np.array([self._sep]), np.array([-1])

        def joined(question: Integers, between: Integers, parts: Iterable[Integers]) -> Integers:
            return np.concatenate([question, *(x for part in parts for x in (part, between))])

        ids = joined(asked, sep, (piece.ids for _, piece in pieces))
        return Window(
            ids=ids,
            types=(np.arange(len(ids)) >= len(asked)).astype(np.int64),
            starts=joined(outside, none, (piece.starts for _, piece in pieces)),
            ends=joined(outside, none, (piece.ends for _, piece in pieces)),
            passages=joined(outside, none, (np.full(len(p.ids), n) for n, p in pieces)),
            sentences=joined(outside, none, (piece.sentences for _, piece in pieces)),
        )


def _pack(passages: Sequence[Tokens], room: int) -> Iterator[list[tuple[int, Tokens]]]:
    """As few runs of numbered passages of at most `room` tokens as may be, the longest of them as
    short as may be; a longer passage is cut."""
    pieces = [
        (number, piece)
        for number, whole in enumerate(passages)
        for piece in _pieces(whole, room - 1)
    ]
    if not pieces:
        return
    sizes = [len(piece.ids) + 1 for _, piece in pieces]
    least = len(_filled(sizes, room))
    rooms = range(max(sizes), room)
    enough = bisect_left(rooms, True, key=lambda some: len(_filled(sizes, some)) <= least)
    ends = list(accumulate(_filled(sizes, max(sizes) + enough)))
    for start, end in pairwise([0, *ends]):
        yield pieces[start:end]


def _filled(sizes: Sequence[int], room: int) -> list[int]:
    """How many pieces each run holds if they fill one after another."""
    counts: list[int] = []
    used = room
    for size in sizes:
        if used + size > room:
            counts.append(0)
            used = 0
        counts[-1] += 1
        used += size
    return counts


def _pieces(tokens: Tokens, room: int) -> Iterator[Tokens]:
    for start in range(0, len(tokens.ids), room):
        part = slice(start, start + room)
        yield Tokens(
            tokens.ids[part], tokens.starts[part], tokens.ends[part], tokens.sentences[part]
        )
