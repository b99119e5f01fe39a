"""Notices the same article when it comes again, word for word or with small changes."""

from __future__ import annotations

import re
from functools import cache
from hashlib import blake2b
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rustqa.types import Document

_Hashes = NDArray[np.uint64]
_Signature = NDArray[np.uint32]

# Runs of five words: shared by articles only where one repeats the other.
_RUN = 5
_FEWEST_WORDS = 30
# Articles that share 9 in 10 of their runs meet in one of eight bands of eight rows 99 times in
# 100, those that share 8 in 10 3 times in 4; those that share half do once in 30, and are refused.
_BANDS, _ROWS = 8, 8
_NEAR = 0.75
_CHUNK = 4096

MARK = np.dtype([("digest", "<u8", (2,)), ("signature", "<u4", (_BANDS * _ROWS,))])
Mark = NDArray[Any]
"""An article's digest and signature, of the type MARK."""

_POWERS: _Hashes = np.array([6364136223846793005**power % 2**64 for power in range(_RUN)], "u8")


class Duplicate(NamedTuple):
    """The earlier article, and whether this one is the same text or only nearly the same."""

    id: str
    exact: bool


class Duplicates:
    """The articles seen so far, each by its mark: a digest and a signature.

    Signatures are those of MinHash (Broder, On the resemblance and containment of documents, 1997).
    """

    def __init__(self) -> None:
        """None is seen yet."""
        self._digests: dict[bytes, str] = {}
        self._signatures: list[tuple[str, _Signature]] = []
        self._bands: dict[int, int] = {}

    def seen(self, document: Document) -> Duplicate | None:
        """The earlier article that this one repeats, if any; remembers this one."""
        return self.met(document.id, mark_of(document))

    def met(self, name: str, mark: Mark) -> Duplicate | None:
        """The same by the article's id and mark."""
        digest = mark["digest"].tobytes()
        if digest in self._digests:
            return Duplicate(self._digests[digest], exact=True)
        self._digests[digest] = name
        signature: _Signature = mark["signature"]
        if not signature.any():
            return None
        keys = [hash((band, part.tobytes())) for band, part in enumerate(_parts(signature))]
        met = sorted({self._bands[key] for key in keys if key in self._bands})
        for key in keys:
            self._bands.setdefault(key, len(self._signatures))
        self._signatures.append((name, signature))
        for earlier, other in (self._signatures[place] for place in met):
            if np.mean(signature == other) >= _NEAR:
                return Duplicate(earlier, exact=False)
        return None


def mark_of(document: Document) -> Mark:
    """What the article is known by when it comes again."""
    text = " ".join(document.text.casefold().split())
    mark = np.zeros((), MARK)
    mark["digest"] = np.frombuffer(blake2b(text.encode(), digest_size=16).digest(), "<u8")
    mark["signature"] = _signature(document)
    return mark


def _parts(signature: _Signature) -> _Signature:
    return signature.reshape(_BANDS, _ROWS)


@cache
def _orders() -> tuple[_Hashes, _Hashes]:
    """Factors and terms that put all runs of words into as many different orders."""
    chance = np.random.default_rng(20240712)
    factors: _Hashes = chance.integers(1, 2**63, _BANDS * _ROWS, np.uint64) * 2 + 1
    return factors, chance.integers(0, 2**63, _BANDS * _ROWS, np.uint64)


def _signature(document: Document) -> _Signature:
    """Of each of 64 orders of all runs of words, the first run in the article; zeros where it is
    too short to tell."""
    text = " ".join(document.text[b.start : b.end] for b in document.blocks if b.paragraph)
    words = re.findall(r"\w+", text.casefold())
    if len(words) < _FEWEST_WORDS:
        return np.zeros(_BANDS * _ROWS, np.uint32)
    hashes = np.array([crc32(word.encode()) for word in words], np.uint64)
    runs = np.lib.stride_tricks.sliding_window_view(hashes, _RUN) @ _POWERS
    factors, terms = _orders()
    least = np.full(len(factors), 2**32 - 1, np.uint32)
    for start in range(0, len(runs), _CHUNK):
        orders = (runs[start : start + _CHUNK, None] * factors + terms) >> np.uint64(32)
        least = np.minimum(least, orders.min(axis=0).astype(np.uint32))
    return least
