"""Builder: a store upon an older one is the store that a fresh build gives, and nothing is encoded
twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import HARBOUR, ORCHARD, CountingEncoder, FakeEncoder, articles, documents
from rustqa.corpus import make_document
from rustqa.errors import StoreError
from rustqa.indexing import build_in_memory
from rustqa.passages import split_document, splitter_name
from rustqa.store.builder import Builder
from rustqa.store.columns import unpack
from rustqa.store.local import FaissStore
from rustqa.types import Document
from vectors import texts_of


@pytest.fixture
def encoder() -> CountingEncoder:
    """One that has encoded nothing."""
    return CountingEncoder()


@pytest.fixture
def before() -> FaissStore:
    """The store of two short articles."""
    return build_in_memory(articles(), CountingEncoder())


def _all_texts(made_of: Sequence[Document]) -> list[str]:
    return [text for document in made_of for text in texts_of(document)]


def _parts(store: FaissStore) -> dict[str, bytes]:
    """All that a store holds."""
    columns, postings = store.columns, store.postings
    return {
        "lines": bytes(columns.lines),
        "texts": bytes(columns.texts),
        "documents": columns.documents.tobytes(),
        "passages": columns.passages.tobytes(),
        "sentences": columns.sentences.tobytes(),
        "vectors": columns.vectors.tobytes(),
        "digests": columns.digests.tobytes(),
        "terms": bytes(postings.terms),
        "table": postings.table.tobytes(),
        "postings": postings.sentences.tobytes(),
        "words": bytes(store.counted),
        "nearest": store.nearest.to_bytes().tobytes(),
    }


def _equals_a_fresh_one(store: FaissStore, made_of: Sequence[Document]) -> bool:
    fresh = build_in_memory(made_of, CountingEncoder())
    return store.id == fresh.id and _parts(store) == _parts(fresh)


def test_each_text_has_its_vector(encoder: CountingEncoder) -> None:
    """Rows follow the passages and their sentences, however many stand twice."""
    made_of = [make_document("a", HARBOUR), make_document("b", HARBOUR + "\n\n" + ORCHARD)]
    store = build_in_memory(made_of, encoder)
    expected = FakeEncoder().encode(_all_texts(made_of))
    rows = store.columns.rows(np.arange(len(store)))
    np.testing.assert_allclose(unpack(store.columns.vectors[rows]), expected, atol=0.005)


def test_duplicates_are_encoded_once(encoder: CountingEncoder) -> None:
    """Within an article, among articles, and where a passage is but a sentence."""
    made_of = [
        make_document("a", "It rained.\n\nIt rained.\n\nIt rained. It froze."),
        make_document("b", "It froze."),
    ]
    assert len(_all_texts(made_of)) > 4
    build_in_memory(made_of, encoder)
    assert sorted(encoder.encoded) == ["It froze.", "It rained.", "It rained. It froze."]


def test_an_unchanged_corpus_is_not_encoded(encoder: CountingEncoder, before: FaissStore) -> None:
    """Nor is one in another order, or one that lost an article."""
    for made_of in (articles(), articles()[::-1], articles()[:1]):
        assert _equals_a_fresh_one(build_in_memory(made_of, encoder, before), made_of)
    assert encoder.encoded == []


def test_of_a_changed_article_the_changed_texts_are_encoded(
    encoder: CountingEncoder, before: FaissStore
) -> None:
    """The sentence, and the passage it stands in."""
    changed = HARBOUR.replace("two million", "three million")
    made_of = [make_document("harbour", changed), articles()[1]]
    store = build_in_memory(made_of, encoder, before)
    sentence = "The work costs three million pounds."
    [passage] = [text for text in _all_texts(made_of) if text.endswith(sentence) and "said" in text]
    assert encoder.encoded == [passage, sentence]
    assert _equals_a_fresh_one(store, made_of)


def test_a_new_article_is_encoded_alone(encoder: CountingEncoder, before: FaissStore) -> None:
    """What it says as others do is known."""
    new = make_document("new", "It rained. The minister promised help.")
    made_of = [new, *articles()]
    store = build_in_memory(made_of, encoder, before)
    assert encoder.encoded == ["It rained. The minister promised help.", "It rained."]
    assert _equals_a_fresh_one(store, made_of)


@pytest.mark.parametrize(
    "encoder", [CountingEncoder(name="other"), CountingEncoder(weights="1" * 64)]
)
def test_another_encoder_takes_nothing_over(before: FaissStore, encoder: CountingEncoder) -> None:
    """Nor does the same one with other weights."""
    store = build_in_memory(articles(), encoder, before)
    assert sorted(encoder.encoded) == sorted(set(_all_texts(articles())))
    assert store.recipe["encoder"] == encoder.name
    assert store.recipe["weights_sha256"] == encoder.fingerprint


def test_another_splitter_changes_no_vector(encoder: CountingEncoder, before: FaissStore) -> None:
    """A text's vector depends on the text alone; what was split alike is taken over."""
    before.recipe["splitter"] = "by hand"
    store = build_in_memory(articles(), encoder, before)
    assert encoder.encoded == []
    assert _equals_a_fresh_one(store, articles())


def test_the_store_before_stays_as_it_was(encoder: CountingEncoder, before: FaissStore) -> None:
    """What is built upon it leaves it whole."""
    parts = _parts(before)
    build_in_memory([make_document("new", "It rained.")], encoder, before)
    assert _parts(before) == parts


def _taking(before: FaissStore, *items: Document | tuple[int, int]) -> FaissStore:
    """A store of new articles, and of ranges of those of an older one."""
    builder = Builder(CountingEncoder(), split_document, splitter_name(), before)
    for item in items:
        if isinstance(item, Document):
            builder.add(item)
        else:
            builder.keep(*item)
    return builder.finish()


def test_articles_are_taken_over_whole(before: FaissStore) -> None:
    """In any order, among new ones, with all that the index knows of them."""
    harbour, orchard = articles()
    new = make_document("new", "A late frost destroyed the cherry crop. It rained.")
    assert _equals_a_fresh_one(_taking(before, (0, 2)), [harbour, orchard])
    assert _equals_a_fresh_one(_taking(before, (0, 1), (1, 2)), [harbour, orchard])
    assert _equals_a_fresh_one(_taking(before, (1, 2), new, (0, 1)), [orchard, new, harbour])
    assert _equals_a_fresh_one(_taking(before, new, (1, 2)), [new, orchard])


def test_only_the_same_recipe_lets_articles_be_taken_over(before: FaissStore) -> None:
    """Another splitter or encoder would have made other passages or vectors."""
    for encoder, splitter, can in (
        (CountingEncoder(), splitter_name(), True),
        (CountingEncoder(), "by hand", False),
        (CountingEncoder(name="other"), splitter_name(), False),
    ):
        assert Builder(encoder, split_document, splitter, before).can_keep() is can
    assert not Builder(CountingEncoder(), split_document, splitter_name()).can_keep()


def test_a_builder_counts_what_it_took(before: FaissStore) -> None:
    """At every moment, whatever is still to be copied."""
    builder = Builder(CountingEncoder(), split_document, splitter_name(), before)
    builder.keep(0, 1)
    builder.keep(1, 2)
    assert len(builder) == 2
    builder.add(make_document("new", "It rained."))
    assert len(builder) == 3


def test_a_store_holds_an_article(encoder: CountingEncoder) -> None:
    """Of nothing no store is made."""
    with pytest.raises(StoreError, match="no article to index; name a folder"):
        build_in_memory([], encoder)


def _corpora() -> st.SearchStrategy[list[Document]]:
    """Corpora of a few articles with much in common, as they are after any edits."""
    sentence = st.sampled_from(["It rained.", "It froze.", "Nobody slept.", "Ada left on Monday."])
    paragraph = st.lists(sentence, min_size=1, max_size=3).map(" ".join)
    text = st.lists(paragraph, min_size=1, max_size=3).map("\n\n".join)
    return st.dictionaries(st.sampled_from("abcd"), text, min_size=1).map(
        lambda found: [make_document(name, text) for name, text in found.items()]
    )


@given(_corpora(), _corpora())
def test_whatever_is_edited_the_vectors_are_those_of_a_fresh_build(
    old: list[Document], new: list[Document]
) -> None:
    """And just the texts are encoded that stood nowhere before, each once."""
    encoder = CountingEncoder()
    store = build_in_memory(new, encoder, build_in_memory(old, CountingEncoder()))
    assert _equals_a_fresh_one(store, new)
    assert sorted(encoder.encoded) == sorted(set(_all_texts(new)) - set(_all_texts(old)))


@given(documents(), documents())
def test_odd_texts_are_told_apart(old: Document, new: Document) -> None:
    """White space, marks and emoji make another text."""
    store = build_in_memory([new], CountingEncoder(), build_in_memory([old], CountingEncoder()))
    assert _equals_a_fresh_one(store, [new])


@given(_corpora(), st.data())
def test_whatever_is_taken_over_the_store_is_that_of_a_fresh_build(
    old: list[Document], data: st.DataObject
) -> None:
    """Any articles of the old store, in any order, and new ones between them."""
    before = build_in_memory(old, CountingEncoder())
    new = [make_document(f"new-{n}", f"It rained {n} times. Ada slept.") for n in range(2)]
    kept: list[Document | tuple[int, int]] = [(n, n + 1) for n in range(len(old))]
    items = data.draw(st.lists(st.sampled_from([*kept, *new]), min_size=1, unique_by=str))
    made_of = [item if isinstance(item, Document) else old[item[0]] for item in items]
    assert _equals_a_fresh_one(_taking(before, *items), made_of)
