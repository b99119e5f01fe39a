"""ONNX encoder: each text has its row, whatever stands beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa import onnx_encoder
from rustqa.network import encoder_network
from rustqa.onnx_encoder import Exported, OnnxEncoder, open_tokenizer
from rustqa.types import Vectors
from tiny_bert import (
    DIMENSIONS,
    LONGEST,
    SHAPE,
    VOCABULARY,
    forward,
    tiny_exported,
    tiny_tokenizer,
    tiny_weights,
)

WEIGHTS = tiny_weights(0)


@pytest.fixture(scope="module")
def tiny() -> OnnxEncoder:
    """A BERT of a few numbers."""
    return OnnxEncoder("tiny", "0" * 64, tiny_exported())


def _expected(text: str) -> Vectors:
    """The text's vector, by plain numpy."""
    words = [VOCABULARY.index(word) if word in VOCABULARY else 2 for word in text.split()]
    ids = np.array([[0, *words[: LONGEST - 2], 1]])
    vector = forward(WEIGHTS, ids)[0].mean(axis=0)
    unit: Vectors = (vector / np.linalg.norm(vector)).astype(np.float32)
    return unit


def _texts() -> st.SearchStrategy[list[str]]:
    """Texts of none to more words than are read, some of them alike."""
    word = st.sampled_from([*VOCABULARY[3:], "unknown"])
    return st.lists(st.lists(word, max_size=LONGEST + 3).map(" ".join), max_size=30)


@given(_texts())
def test_each_text_has_its_row(tiny: OnnxEncoder, texts: list[str]) -> None:
    """Whatever the texts' lengths and order, and how many they are."""
    vectors = tiny.encode(texts)
    assert vectors.shape == (len(texts), DIMENSIONS)
    assert vectors.dtype == np.float32
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(vector, _expected(text), atol=1e-5)


@given(_texts(), st.integers(1, 7), st.integers(1, 40))
def test_many_texts_are_encoded_in_parts(
    tiny: OnnxEncoder, texts: list[str], at_a_time: int, tokens: int
) -> None:
    """However many are taken at a time, the vectors are the same."""
    whole = tiny.encode(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_encoder, "_TEXTS", at_a_time)
        patch.setattr(onnx_encoder, "_TOKENS", tokens)
        np.testing.assert_allclose(tiny.encode(texts), whole, atol=1e-6)


def test_no_text_is_no_vector(tiny: OnnxEncoder) -> None:
    """Of as many numbers as any."""
    vectors = tiny.encode([])
    assert vectors.shape == (0, DIMENSIONS)
    assert vectors.dtype == np.float32


def test_long_texts_are_cut(tiny: OnnxEncoder) -> None:
    """What stands behind the tokenizer's limit counts for nothing, the last before it does."""
    words = VOCABULARY[3 : LONGEST + 1]
    texts = [" ".join(words), " ".join([*words, "w40"]), " ".join([*words[:-1], "w40"])]
    whole, longer, other = tiny.encode(texts)
    assert np.array_equal(longer, whole)
    assert np.abs(other - whole).max() > 0.01


def test_a_tokenizer_that_pads_pads_nothing() -> None:
    """As models come with one that does, and padding would be read as words."""
    padded = tiny_tokenizer()
    padded.enable_padding(pad_id=5, length=LONGEST)
    network = encoder_network(WEIGHTS, SHAPE, eight_bits=False).SerializeToString()
    vectors = OnnxEncoder("tiny", "0" * 64, Exported(network, padded)).encode(["w1", "w1 w2"])
    np.testing.assert_allclose(vectors[0], _expected("w1"), atol=1e-5)
    np.testing.assert_allclose(vectors[1], _expected("w1 w2"), atol=1e-5)


def test_it_says_what_it_is_and_which_words_it_knows(tiny: OnnxEncoder) -> None:
    """The name and fingerprint given, and the tokenizer's words."""
    assert (tiny.name, tiny.fingerprint) == ("tiny", "0" * 64)
    assert tiny.knows("w7")
    assert not tiny.knows("unknown")


def test_a_network_may_lie_in_a_file(tmp_path: Path, tiny: OnnxEncoder) -> None:
    """With its tokenizer in another."""
    exported = tiny_exported()
    (tmp_path / "model.onnx").write_bytes(exported.network)
    exported.tokenizer.save(str(tmp_path / "tokenizer.json"))
    tokenizer = open_tokenizer(tmp_path / "tokenizer.json")
    opened = OnnxEncoder("tiny", "0" * 64, Exported(tmp_path / "model.onnx", tokenizer))
    texts = ["w1", "w2 " * 30, ""]
    assert np.array_equal(opened.encode(texts), tiny.encode(texts))
