"""Windows: every token in its place, nothing lost, nothing too long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from fakes import HARBOUR, documents
from rustqa.corpus import make_document
from rustqa.passages import split_document
from rustqa.types import Document, Span
from rustqa.windows import MAX_TOKENS, Integers, Layout, Tokens, Window

Words = Callable[[Integers], list[str]]


def _tokens(layout: Layout, document: Document) -> list[Tokens]:
    return [
        layout.tokens(document.text[passage.start : passage.end], passage.start, passage.sentences)
        for passage in split_document(document)
    ]


def _numbered(lengths: Sequence[int]) -> list[Tokens]:
    """Passages of so many tokens each, no two tokens alike."""
    ends = np.cumsum(lengths)
    places = [np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    return [Tokens(at + 10_000, 2 * at, 2 * at + 1, np.zeros_like(at)) for at in places]


@pytest.fixture(scope="module")
def words(tokenizer: Path) -> Words:
    """What the numbers stand for."""
    vocabulary = Tokenizer.from_file(str(tokenizer))
    return lambda numbers: [str(vocabulary.id_to_token(number)) for number in numbers.tolist()]


@given(documents())
def test_tokens_lie_in_their_sentence(layout: Layout, document: Document) -> None:
    """Each token's offsets are a stretch of the document that starts in the sentence named."""
    passages = split_document(document)
    for passage, tokens in zip(passages, _tokens(layout, document), strict=True):
        assert len(tokens.ids) == len(tokens.starts) == len(tokens.ends) == len(tokens.sentences)
        assert (np.diff(tokens.starts) >= 0).all()
        for start, end, number in zip(tokens.starts, tokens.ends, tokens.sentences, strict=True):
            sentence = passage.sentences[number]
            assert sentence.start <= start < sentence.end
            assert start < end <= passage.end


def test_tokens_slice_to_their_words(layout: Layout, words: Words) -> None:
    """The text between a token's offsets is what the model reads there."""
    for tokens in _tokens(layout, make_document("harbour", HARBOUR)):
        read = [word.removeprefix("##") for word in words(tokens.ids)]
        places = zip(tokens.starts, tokens.ends, strict=True)
        assert read == [HARBOUR[start:end].lower() for start, end in places]


@given(st.lists(st.integers(0, 3 * MAX_TOKENS), max_size=6), st.integers(1, 130))
def test_windows_hold_every_passage_once_and_in_order(
    layout: Layout, lengths: list[int], question: int
) -> None:
    """No token is lost or doubled, no window is too long, and all its arrays are of one length."""
    asked = np.arange(question)
    passages = _numbered(lengths)
    windows = layout.windows(asked, passages)
    for window in windows:
        arrays = (window.types, window.starts, window.ends, window.passages, window.sentences)
        assert {len(array) for array in arrays} == {len(window)}
        assert len(window) <= MAX_TOKENS
        outside = window.passages < 0
        assert outside[:question].all()
        for array in (window.starts, window.ends, window.sentences):
            assert ((array < 0) == outside).all()
    for number, passage in enumerate(passages):
        for name in ("ids", "starts", "ends", "sentences"):
            pieces = [getattr(one, name)[one.passages == number] for one in windows]
            assert np.concatenate([[], *pieces]).tolist() == getattr(passage, name).tolist()
    order = [number for one in windows for number in one.passages.tolist() if number >= 0]
    assert order == sorted(order)


def _parts(window: Window) -> list[int]:
    """How many tokens of each passage the window holds, in their order."""
    return [int((window.passages == number).sum()) for number in np.unique(window.passages)[1:]]


@pytest.mark.parametrize(
    ("lengths", "parts"),
    [
        ([200, 200], [[200, 200]]),
        ([200, 268], [[200, 268]]),
        ([200, 269], [[200], [269]]),
        ([469], [[469]]),
        ([470], [[469], [1]]),
        ([10, 940, 10], [[10], [469], [469], [2, 10]]),
        ([10, 0, 10], [[10, 10]]),
        ([0], []),
        ([], []),
    ],
)
def test_windows_are_few(layout: Layout, lengths: list[int], parts: list[list[int]]) -> None:
    """Passages share a window while they fit, and are cut only where they are longer than one."""
    windows = layout.windows(np.arange(10), _numbered(lengths))
    assert [_parts(window) for window in windows] == parts


def _sizes(windows: Sequence[Window]) -> list[int]:
    """How many tokens each window has beside the ten of the question."""
    return [len(window) - 10 for window in windows]


@given(st.lists(st.integers(5, 60), min_size=15, max_size=60))
def test_no_window_is_much_longer_than_others(layout: Layout, lengths: list[int]) -> None:
    """The longest, which those read side by side wait for, exceeds the mean by a passage at most;
    where that leaves room, they are as few as the tokens fill."""
    room, largest = MAX_TOKENS - 10, max(lengths) + 1
    total = sum(lengths) + len(lengths)
    windows = layout.windows(np.arange(10), _numbered(lengths))
    share = total / -(-total // room)
    assume(share + largest <= room)
    assert len(windows) == -(-total // room)
    assert max(_sizes(windows)) <= share + largest


@example([365, 74, 389, 117])
@given(st.lists(st.integers(1, MAX_TOKENS - 11), max_size=12))
def test_windows_are_as_few_as_may_be(layout: Layout, lengths: list[int]) -> None:
    """As many as are made by filling each as far as it goes."""
    room = MAX_TOKENS - 10
    filled: list[int] = []
    for length in lengths:
        if filled and filled[-1] + length + 1 <= room:
            filled[-1] += length + 1
        else:
            filled.append(length + 1)
    windows = layout.windows(np.arange(10), _numbered(lengths))
    assert len(windows) == len(filled)


def test_a_window_is_laid_out_as_it_says(layout: Layout, words: Words) -> None:
    """[CLS], the earlier question, the question and the passages, each closed by [SEP]."""
    passages = [
        layout.tokens(text, 0, [Span(0, len(text))]) for text in ("It froze.", "It thawed.")
    ]
    [window] = layout.windows(layout.asked("And when?", ["Did it rain?"]), passages)
    assert " ".join(words(window.ids)) == (
        "[CLS] did it rain ? [SEP] and when ? [SEP] it froze . [SEP] it tha ##wed . [SEP]"
    )
    assert window.types.tolist() == [0] * 10 + [1] * 9
    assert window.passages.tolist() == [-1] * 10 + [0] * 3 + [-1] + [1] * 4 + [-1]


def test_special_tokens_in_a_text_are_text(layout: Layout) -> None:
    """Whoever writes "[SEP]" in a question or an article does not end it there."""
    separator = layout.asked("")[-1]
    assert layout.asked("Is [SEP] a word?").tolist().count(separator) == 1
    assert separator not in layout.tokens("A [SEP] b.", 0, [Span(0, 10)]).ids


@pytest.mark.parametrize("turns", [[], ["Who?"], ["Who?", "When?"], ["Where?", "Who?", "When?"]])
def test_the_last_two_turns_lead_the_question(
    layout: Layout, words: Words, turns: list[str]
) -> None:
    """Earlier ones are left out."""
    parts = [*turns[-2:], "Why?"]
    read = " ".join(words(layout.asked("Why?", turns)))
    assert read == " ".join(["[CLS]", *(f"{part[:-1].lower()} ? [SEP]" for part in parts)])


@pytest.mark.parametrize("turns", [[], ["frost"], ["frost " * 900], ["frost " * 900] * 3])
def test_long_questions_are_cut(layout: Layout, turns: list[str]) -> None:
    """Neither leaves a passage without room; what the history does not take is the question's."""
    rain, frost = (int(layout.asked(word)[1]) for word in ("rain", "frost"))
    asked = layout.asked("rain " * 900, turns).tolist()
    assert len(asked) <= 132
    assert asked.count(rain) >= 42
    assert asked.count(rain) + asked.count(frost) == 128
