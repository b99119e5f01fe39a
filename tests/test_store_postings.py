"""Postings: who holds a word, what share of a question a text holds, and the best of many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from fakes import FakeEncoder
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.store.local import FaissStore
from rustqa.store.postings import WordSearch, best
from rustqa.types import Scores
from rustqa.words import terms

TEXTS = [
    "The judge dismissed the case.",
    "The judge praised the judge. A judge is a judge.",
    "Bullets were stored in Arizona. The judge slept.",
    "Nobody slept.",
]


@pytest.fixture(scope="module")
def store() -> FaissStore:
    """Four short articles."""
    made_of = [make_document(f"d{number}", text) for number, text in enumerate(TEXTS)]
    return build_in_memory(made_of, FakeEncoder())


def _wanted(question: str) -> list[str]:
    return sorted(set(terms(question)))


def _shares(store: FaissStore, question: str) -> NDArray[np.float32]:
    words = WordSearch(store.postings, store.columns)
    return words.passages(words.find(_wanted(question)))


def _sentence_shares(store: FaissStore, question: str) -> Scores:
    places = np.arange(len(store.columns.sentences))
    words = WordSearch(store.postings, store.columns)
    return words.sentences(words.find(_wanted(question)), places)


def test_every_term_is_found_with_its_sentences(store: FaissStore) -> None:
    """In order, each sentence once; the number of passages counts a passage once."""
    columns, postings = store.columns, store.postings
    held: dict[str, list[int]] = {}
    for number, (start, end) in enumerate(columns.sentences.tolist()):
        document = int(columns.passages["document"][columns.passage_of[number]])
        for term in set(terms(store.articles.text(document)[start:end])):
            held.setdefault(term, []).append(number)
    assert len(postings) == len(held)
    for term, numbers in held.items():
        place = postings.find(term)
        assert place is not None
        assert postings.holders(place).tolist() == numbers
        assert postings.table["passages"][place] == len(set(columns.passage_of[numbers].tolist()))
    for unknown in ("", "zeppelin", "judges", "a", "\N{PISTOL}"):
        assert postings.find(unknown) is None
    assert len(postings.holders(None)) == 0


@given(st.lists(st.sampled_from(["judge", "case", "judge's", "Arizona", "quux", "the", "?"])))
def test_shares_are_shares(store: FaissStore, words: list[str]) -> None:
    """Whatever is asked, each text's share lies in [0, 1]."""
    for shares, count in ((_shares, 4), (_sentence_shares, 6)):
        found = shares(store, " ".join(words))
        assert found.shape == (count,)
        assert np.all((found >= 0) & (found <= 1.0001))


def test_rare_words_weigh_more(store: FaissStore) -> None:
    """A text with the question's rare word has the larger share."""
    shares = _shares(store, "judge Arizona slept")
    assert shares[2] == pytest.approx(1)
    assert shares[3] > max(shares[0], shares[1]) > 0
    sentences = _sentence_shares(store, "judge Arizona")
    assert sentences[3] > sentences[0] > 0


def test_a_second_mention_says_nothing(store: FaissStore) -> None:
    """In a sentence or in another of the passage."""
    shares = _shares(store, "judge zeppelin")
    assert shares[0] == shares[1]


def test_unknown_words_lower_the_share(store: FaissStore) -> None:
    """A question half about something else is half answered."""
    for shares in (_shares, _sentence_shares):
        assert 0 < shares(store, "judge zeppelin")[0] < shares(store, "judge")[0]


def test_no_words_no_shares(store: FaissStore) -> None:
    """Stop words and signs ask for nothing."""
    assert not _shares(store, "of the ?!").any()
    assert not _sentence_shares(store, "of the ?!").any()


_SCORES = arrays.arrays(
    np.float32, st.integers(0, 9000), elements=st.sampled_from([0, 0.25, 0.5, 0.75, 1.0])
)


@given(_SCORES, st.integers(1, 60))
def test_the_best_are_those_of_a_whole_sort(scores: NDArray[np.float32], top_k: int) -> None:
    """Equal scores in their order, nothing that scores nothing."""
    order = np.argsort(-scores, kind="stable")[:top_k]
    assert best(scores, top_k).tolist() == order[scores[order] > 0].tolist()


def test_the_best_of_many_are_found_across_blocks() -> None:
    """However they are spread."""
    scores = np.random.default_rng(3).random(200_000).astype(np.float32)
    assert best(scores, 50).tolist() == np.argsort(-scores, kind="stable")[:50].tolist()
