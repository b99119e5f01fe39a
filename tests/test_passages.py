"""Passages: whole sentences with exact offsets that tile the paragraphs."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from fakes import documents
from rustqa.corpus import make_document
from rustqa.passages import MAX_CHARACTERS, MAX_WORDS, split_document, splitter_name
from rustqa.types import Document


@given(documents())
def test_sentences_tile_the_paragraphs(document: Document) -> None:
    """Each character but white space is in one sentence of one passage, or it is furniture."""
    held = Counter(
        place
        for passage in split_document(document)
        for start, end in passage.sentences
        for place in range(start, end)
    )
    for block in document.blocks:
        expected = 0 if block.paragraph is None else 1
        for place in range(block.start, block.end):
            if not document.text[place].isspace():
                assert held[place] == expected


@given(documents())
def test_passages_are_runs_of_whole_sentences(document: Document) -> None:
    """A passage starts and ends with its sentences, which follow one another without overlap."""
    blocks = {block.paragraph: block for block in document.blocks}
    ends = []
    for passage in split_document(document):
        block = blocks[passage.paragraph]
        assert passage.document_id == document.id
        assert block.start <= passage.start < passage.end <= block.end
        assert (passage.start, passage.end) == (passage.sentences[0][0], passage.sentences[-1][1])
        for start, end in passage.sentences:
            assert start < end
            assert document.text[start:end] == document.text[start:end].strip()
            ends += [start, end]
    assert ends == sorted(ends)


@given(documents())
def test_every_paragraph_has_its_passages_in_order(document: Document) -> None:
    """No paragraph is lost, and none comes before one that stands above it."""
    numbers = [passage.paragraph for passage in split_document(document)]
    assert list(dict.fromkeys(numbers)) == [b.paragraph for b in document.blocks if b.paragraph]
    assert numbers == sorted(numbers)


def test_a_quotation_keeps_its_speaker(article: Document) -> None:
    """A full stop or comma inside quotation marks does not cut off who said it."""
    sentences = [
        article.text[start:end]
        for passage in split_document(article)
        for start, end in passage.sentences
    ]
    [said] = [sentence for sentence in sentences if "significant prejudice" in sentence]
    assert said.endswith("certainly shows significant prejudice,” Sommer said.")


def test_the_article_has_a_passage_a_paragraph(article: Document) -> None:
    """Its paragraphs are short enough to be read whole."""
    assert [passage.paragraph for passage in split_document(article)] == list(range(1, 12))


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    """Each passage takes as many sentences as fit into what the encoder reads."""
    sentence = "Word " * 49 + "end."
    passages = split_document(make_document("long", " ".join([sentence] * 10)))
    assert [len(passage.sentences) for passage in passages] == [3, 3, 3, 1]
    assert {passage.paragraph for passage in passages} == {1}


def test_a_sentence_too_long_for_a_passage_stands_alone() -> None:
    """Sentences are never cut, nor joined to others beyond the limit."""
    long = "Word " * MAX_WORDS + "end."
    document = make_document("long", f"It rained. {long} It snowed.")
    texts = [document.text[p.start : p.end] for p in split_document(document)]
    assert texts == ["It rained.", long, "It snowed."]


def test_a_text_without_end_is_cut() -> None:
    """Behind a sentence where one ends, else behind white space, else anywhere: no passage is
    longer than MAX_CHARACTERS, and none of the text is lost."""
    half = MAX_CHARACTERS // 2
    ended = f"{'x' * (half + 10)}. {'y' * (2 * half)}"
    for text, first in (
        (ended, half + 11),
        (ended.replace(".", ""), half + 10),
        ("x" * 5 * half, MAX_CHARACTERS),
        ("。" * 5 * half, MAX_CHARACTERS),
    ):
        document = make_document("long", f"{text} Word.")
        passages = split_document(document)
        assert passages[0].end == first
        assert all(passage.end - passage.start <= MAX_CHARACTERS for passage in passages)
        held = "".join(document.text[start:end] for p in passages for start, end in p.sentences)
        assert "".join(held.split()) == "".join(document.text.split())


@given(st.lists(st.sampled_from(["x", "“", "a. ", " ", "x" * 900, "他说。"]), max_size=60))
def test_cutting_loses_nothing(pieces: list[str]) -> None:
    """The sentences of a paragraph of any length hold all of it."""
    text = "It rained. " + "".join(pieces) * 20
    document = make_document("long", text)
    found = [span for passage in split_document(document) for span in passage.sentences]
    held = "".join(text[start:end] for start, end in found)
    assert "".join(held.split()) == "".join(text.split())
    assert all(end - start <= MAX_CHARACTERS for start, end in found)


def test_the_splitter_names_its_settings() -> None:
    """An index made with another limit can be told apart."""
    assert str(MAX_WORDS) in splitter_name()
    assert splitter_name().startswith("sentencex ")
