"""What every store of passages does, whether FAISS or Qdrant keeps them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import chain

import numpy as np
import pytest

from fakes import FakeEncoder, FakeReader, FixedEncoder
from rustqa.corpus import make_document
from rustqa.indexing import build_in_memory
from rustqa.passages import split_document
from rustqa.pipeline import Pipeline
from rustqa.types import EVERYTHING, PassageStore, Pool, Scope
from rustqa.words import terms
from store_contract import Opener, dated_articles, kept_articles, open_kind

__all__ = ["kept_articles", "open_kind"]

# The fake encoder's vectors have few values that are not 0, on which eight bits tell more.
EIGHT_BITS = 6e-3
QUESTIONS = ["Who closed the harbour wall?", "What did the jury of Café Zoë eat?", "comet"]


def _search(
    store: PassageStore, questions: Sequence[str], top_k: int = 50, scope: Scope = EVERYTHING
) -> Pool:
    wanted = [sorted(set(terms(question))) for question in questions]
    return store.search(FakeEncoder().encode(questions), wanted, top_k, scope)


def _own_rows(pool: Pool) -> list[int]:
    rows: list[int] = (np.cumsum(pool.counts + 1) - pool.counts - 1).tolist()
    return rows


def test_every_passage_is_found_by_its_own_words(kept_articles: PassageStore) -> None:
    """Asked for with its own text, a passage holds all the words and is nearest in meaning."""
    for document in dated_articles():
        for passage in split_document(document):
            text = document.text[passage.start : passage.end]
            pool = _search(kept_articles, [text], 3)
            place = list(pool.passages).index(passage)
            own = _own_rows(pool)[place]
            assert pool.shares[0, own] == pytest.approx(1)
            assert pool.cosines[0, own] == pytest.approx(1, abs=EIGHT_BITS)
            assert pool.cosines[0].max() < 1 + EIGHT_BITS


def test_a_pool_has_a_row_for_each_passage_and_sentence(kept_articles: PassageStore) -> None:
    """Cosines are those of the texts' own vectors, and shares lie from 0 to 1."""
    pool = _search(kept_articles, QUESTIONS)
    assert len(pool.passages) == len(kept_articles)
    assert pool.counts.tolist() == [len(passage.sentences) for passage in pool.passages]
    texts = list(
        chain.from_iterable(
            (
                text,
                *(text[s.start - item.start : s.end - item.start] for s in item.sentences),
            )
            for item, text in zip(pool.passages, pool.texts, strict=True)
        )
    )
    encoder = FakeEncoder()
    expected = encoder.encode(QUESTIONS) @ encoder.encode(texts).T
    assert pool.cosines.shape == pool.shares.shape == (3, len(texts))
    np.testing.assert_allclose(pool.cosines, expected, atol=EIGHT_BITS)
    assert pool.shares.min() == 0
    assert pool.shares.max() <= 1 + 1e-9


def test_texts_are_slices_of_their_articles(kept_articles: PassageStore) -> None:
    """Offsets hold behind emoji, flags and combining marks."""
    pool = _search(kept_articles, QUESTIONS)
    assert {passage.document_id for passage in pool.passages} >= {"odd", "harbour"}
    for passage, text in zip(pool.passages, pool.texts, strict=True):
        document = kept_articles.documents[passage.document_id]
        assert document.text[passage.start : passage.end] == text


def test_passages_come_in_the_same_order_each_time(kept_articles: PassageStore) -> None:
    """Those of an article stay together and in its order."""
    first, *others = (list(_search(kept_articles, QUESTIONS).passages) for _ in range(3))
    assert others == [first, first]
    for name in {passage.document_id for passage in first}:
        mine = [passage for passage in first if passage.document_id == name]
        assert mine == list(kept_articles.passages_of(name))


def test_the_nearest_and_those_with_the_words_come(open_kind: Opener) -> None:
    """With room for one of each, they are the one nearest in meaning and the one with the words."""
    encoder = FakeEncoder(synonyms={"automobile": "car", "burned": "blaze"})
    texts = ["An automobile burned.", "The blaze was seen from every street of the town.", "Rain."]
    documents = [make_document(f"d{number}", text) for number, text in enumerate(texts)]
    store = open_kind(documents, encoder)
    pool = store.search(encoder.encode(["car blaze"]), [terms("car blaze")], 1)
    assert [passage.document_id for passage in pool.passages] == ["d0", "d1"]
    # Far from everything, a passage comes only by its words.
    away = open_kind([*documents, make_document("far", "Quokkas swim.")], encoder)
    vector = encoder.encode(["Rain."])
    pool = away.search(vector, [terms("quokkas")], 1)
    assert [passage.document_id for passage in pool.passages] == ["d2", "far"]


def test_rare_words_count_more(open_kind: Opener) -> None:
    """Of two words of a question, the one that few passages hold has the greater share."""
    texts = ["The sea rose.", "The sea fell.", "The sea froze.", "A wall fell."]
    store = open_kind(
        [make_document(f"d{number}", text) for number, text in enumerate(texts)], FixedEncoder()
    )
    pool = store.search(FixedEncoder().encode(["?"]), [terms("sea wall")], 4)
    shares = dict(zip(pool.texts, pool.shares[0, _own_rows(pool)].tolist(), strict=True))
    assert shares["A wall fell."] > shares["The sea rose."] > 0
    assert shares["A wall fell."] + shares["The sea rose."] == pytest.approx(1)


@pytest.mark.parametrize("wanted", [[], ["xylophon", "quux"]])
def test_a_question_of_no_known_word_finds_by_meaning(
    kept_articles: PassageStore, wanted: list[str]
) -> None:
    """The nearest passages come, with no share of words."""
    pool = kept_articles.search(FakeEncoder().encode(["xylophone quux"]), [wanted], 2)
    assert len(pool.passages) == 2
    assert pool.shares.max() == 0


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(frozenset({"orchard", "odd"})), {"orchard", "odd"}),
        (Scope(frozenset({"nobody"})), set()),
        (Scope(frozenset()), set()),
        (Scope(since=dt.date(2024, 5, 2)), {"harbour", "orchard"}),
        (Scope(since=dt.date(2024, 5, 3)), {"orchard"}),
        (Scope(until=dt.date(2024, 5, 2)), {"harbour", "odd"}),
        (Scope(since=dt.date(2023, 1, 1), until=dt.date(2023, 1, 1)), {"odd"}),
        (Scope(frozenset({"harbour"}), since=dt.date(2024, 6, 1)), set()),
    ],
)
def test_scopes_are_exact(kept_articles: PassageStore, scope: Scope, expected: set[str]) -> None:
    """All passages of the articles in scope are found and none of another; nor is one listed."""
    pool = _search(kept_articles, QUESTIONS, scope=scope)
    wanted = sum(len(kept_articles.passages_of(name)) for name in expected)
    assert {passage.document_id for passage in pool.passages} == expected
    assert len(pool.passages) == wanted
    listing = kept_articles.list_documents(scope=scope)
    assert {document.id for document in listing.documents} == expected
    assert listing.total == len(expected)


def test_articles_are_listed_the_newest_first(kept_articles: PassageStore) -> None:
    """Those without a date come last; a page is a part of the whole list."""
    names = [document.id for document in kept_articles.list_documents().documents]
    assert names == ["orchard", "harbour", "odd", "undated"]
    page = kept_articles.list_documents(start=1, count=2)
    assert ([document.id for document in page.documents], page.total) == (names[1:3], 4)
    assert kept_articles.list_documents(start=9).documents == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("cherry", {"orchard"}),
        ("LOST crop", {"orchard"}),
        ("saltby", {"harbour"}),
        ("äther bread", {"odd"}),
        ("harbour cherry", set()),
        ("zebra", set()),
    ],
)
def test_articles_are_looked_for_by_title_and_source(
    kept_articles: PassageStore, words: str, expected: set[str]
) -> None:
    """All the words must stand there, in any case and order."""
    listing = kept_articles.list_documents(words)
    assert {document.id for document in listing.documents} == expected
    assert listing.total == len(expected)


def test_articles_come_back_as_they_were(kept_articles: PassageStore) -> None:
    """By id, one by one or all, with every field; an unknown id is told."""
    expected = {document.id: document for document in dated_articles()}
    documents = kept_articles.documents
    assert dict(documents) == expected
    assert len(documents) == len(expected)
    assert "odd" in documents
    assert "nobody" not in documents
    with pytest.raises(KeyError):
        documents["nobody"]


def test_passages_come_back_as_they_were_split(kept_articles: PassageStore) -> None:
    """Of each article in order; of an unknown one none."""
    for document in dated_articles():
        assert list(kept_articles.passages_of(document.id)) == split_document(document)
    assert list(kept_articles.passages_of("nobody")) == []
    total = sum(len(split_document(document)) for document in dated_articles())
    assert len(kept_articles) == total


def test_the_id_follows_the_articles_and_the_encoder(open_kind: Opener) -> None:
    """The same articles by the same encoder have the same id, anything else another."""
    one, *others = dated_articles()
    same = open_kind([one, *others], FakeEncoder()).id
    assert open_kind([one, *others], FakeEncoder()).id == same
    changed = make_document(one.id, one.text + " It rained.", metadata={"title": one.title})
    assert open_kind([changed, *others], FakeEncoder()).id != same
    assert open_kind(others, FakeEncoder()).id != same
    assert open_kind([one, *others], FakeEncoder(name="other")).id != same


@pytest.mark.parametrize("question", ["Who is the harbour master?", "What destroyed the crop?"])
def test_answers_are_the_same_everywhere(kept_articles: PassageStore, question: str) -> None:
    """What is asked through the pipeline is answered with the same words from the same place."""
    expected = Pipeline(
        build_in_memory(dated_articles(), FakeEncoder()), FakeEncoder(), FakeReader()
    )
    answer = Pipeline(kept_articles, FakeEncoder(), FakeReader()).ask(question)
    wanted = expected.ask(question)
    assert answer.status == wanted.status == "answered"
    assert answer.answer == wanted.answer
    assert answer.citations[0].cited_text == wanted.citations[0].cited_text
    assert answer.citations[0].start_char == wanted.citations[0].start_char
