"""The store in an index folder: passages found by FAISS and by BM25, with how well they match."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, overload

import numpy as np
from numpy.typing import NDArray

from rustqa.errors import StoreError
from rustqa.store.columns import Bytes, Columns, Numbers, unpack
from rustqa.store.documents import Documents
from rustqa.store.nearest import Nearest
from rustqa.store.postings import Postings, WordSearch, best
from rustqa.types import EVERYTHING, Document, Listing, Passage, Pool, Scope, Vectors

T = TypeVar("T")
Recipe = dict[str, str]
"""What made the vectors: `encoder`, its `weights_sha256`, and the `splitter`."""

FORMAT_VERSION = 2

# So few passages in scope are all compared, as an index of lists would find but some of them.
_COMPARED = 5_000


def make_recipe(encoder: str, fingerprint: str, splitter: str) -> Recipe:
    """The recipe of an index to be built or to be expected."""
    return {"encoder": encoder, "weights_sha256": fingerprint, "splitter": splitter}


class FaissStore:
    """Articles and passages as columns, a FAISS index of the passages, and their words."""

    def __init__(
        self, id: str, recipe: Recipe, columns: Columns, nearest: Nearest, postings: Postings,
        counted: Bytes,
    ) -> None:  # fmt: skip
        """Joins the parts; `counted` holds a line "count word" for each word."""
        if len(nearest) != len(columns):
            raise StoreError("the vectors do not match the passages; build again: rustqa index")
        self.id = id
        self.recipe = recipe
        self.columns = columns
        self.nearest = nearest
        self.postings = postings
        self.counted = counted
        self.articles = Documents(columns)
        self._words = WordSearch(postings, columns)

    @property
    def documents(self) -> Mapping[str, Document]:
        """The articles by id, each read when it is asked for."""
        return self.articles

    @cached_property
    def words(self) -> Mapping[str, int]:
        """How often each word of three letters or more stands in the articles."""
        lines = self.counted[:].decode().splitlines()
        pairs = (line.split(" ", 1) for line in lines)
        return {word: int(count) for count, word in pairs}

    def __len__(self) -> int:
        return len(self.columns)

    def passages_of(self, document_id: str) -> Sequence[Passage]:
        """The passages of one article, in order."""
        number = self.articles.number(document_id)
        if number is None:
            return ()
        first, after = self.columns.documents["passage"][number : number + 2].tolist()
        return [self.passage(place) for place in range(first, after)]

    def list_documents(
        self, words: str = "", scope: Scope = EVERYTHING, start: int = 0, count: int = 50
    ) -> Listing:
        """The articles in scope whose title or source holds all the words, from the `start`-th on,
        the newest first, then those without a date."""
        return self.articles.listing(words.split(), scope, start, count)

    def search(
        self,
        vectors: Vectors,
        terms: Sequence[Sequence[str]],
        top_k: int,
        scope: Scope = EVERYTHING,
    ) -> Pool:
        """For each question the `top_k` passages nearest in meaning and the `top_k` with most of
        its words, together, in the order of the articles."""
        inside = None
        if scope != EVERYTHING:
            inside = self.articles.inside(scope)[self.columns.passages["document"][:-1]]
        words = list(map(self._words.find, terms))
        by_words = list(map(self._words.passages, words))
        found = [self._near(vectors, top_k, inside)]
        found += [best(held if inside is None else held * inside, top_k) for held in by_words]
        numbers = np.unique(np.concatenate(found))
        counts = self.columns.counts(numbers)
        own = np.cumsum(counts + 1) - counts - 1
        sentences = self.columns.sentence_numbers(numbers)
        shares = np.empty((len(terms), int(counts.sum()) + len(numbers)))
        is_own = np.zeros(shares.shape[1], bool)
        is_own[own] = True
        for row, (wanted, of_passages) in enumerate(zip(words, by_words, strict=True)):
            shares[row, is_own] = of_passages[numbers]
            shares[row, ~is_own] = self._words.sentences(wanted, sentences)
        rows = unpack(self.columns.vectors[self.columns.rows(numbers)])
        return Pool(
            passages=_Each(self.passage, numbers),
            texts=_Each(self._text, numbers),
            counts=counts,
            cosines=(vectors @ rows.T).astype(np.float64),
            shares=shares,
        )

    def passage(self, number: int) -> Passage:
        """The passage of this number."""
        document, paragraph, *_ = self.columns.passages[number].tolist()
        spans = self.columns.spans(number)
        name = self.articles.id_of(document)
        return Passage(name, paragraph, spans[0].start, spans[-1].end, spans)

    def _text(self, number: int) -> str:
        document = int(self.columns.passages["document"][number])
        spans = self.columns.spans(number)
        return self.articles.text(document)[spans[0].start : spans[-1].end]

    def _near(self, vectors: Vectors, top_k: int, inside: NDArray[np.bool_] | None) -> Numbers:
        if inside is None:
            return _real(self.nearest.search(vectors, top_k))
        allowed = np.flatnonzero(inside)
        if len(allowed) > _COMPARED:
            return _real(self.nearest.search(vectors, top_k, inside))
        if len(allowed) <= 2 * top_k:
            return allowed
        cosines = vectors @ self.columns.passage_vectors(allowed).T
        places = np.argpartition(-cosines, top_k, axis=1)[:, :top_k]
        return allowed[places.ravel()]


class _Each(Sequence[T]):
    """What a function gives for each of some numbers, found when it is looked at: of a pool only
    the best are."""

    def __init__(self, find: Callable[[int], T], numbers: Numbers) -> None:
        self._find = find
        self._numbers = numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[T]: ...
    def __getitem__(self, place: int | slice) -> T | Sequence[T]:
        if isinstance(place, slice):
            return _Each(self._find, self._numbers[place])
        return self._find(int(self._numbers[place]))


def _real(found: Numbers) -> Numbers:
    return found[found >= 0]
