"""Network: what is written computes BERT, in float32 to the last digits, in eight bits nearly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, checker
from onnx.numpy_helper import to_array

from rustqa.network import Floats, encoder_network, reader_network
from rustqa.runtime import open_session, run_all
from tiny_bert import (
    DIMENSIONS,
    LOUD,
    POSITIONS,
    SHAPE,
    WORDS,
    Doubles,
    Integers,
    add_large_values,
    add_loud_word,
    forward,
    tiny_weights,
)

READER = "bert."
Change = Callable[[dict[str, Floats], str, float], None]


def _output(network: ModelProto, **inputs: Integers) -> Floats:
    [found] = run_all(open_session(network.SerializeToString()), [inputs])
    output: Floats = found
    return output


def _inputs(seed: int, batch: int, tokens: int) -> tuple[Integers, Integers]:
    """Words and types; the word `LOUD` stands in each text."""
    chance = np.random.default_rng(seed)
    ids = chance.integers(0, WORDS, (batch, tokens))
    ids[:, tokens // 3] = LOUD
    return ids, np.sort(chance.integers(0, 2, (batch, tokens)), axis=1)


def _scores(weights: dict[str, Floats], ids: Integers, types: Integers) -> Doubles:
    """What a reader is to give."""
    hidden = forward(weights, ids, types, READER)
    scores = hidden @ weights["scores.weight"].T + weights["scores.bias"]
    return scores - scores[:, :1]


def _error(seed: int, change: Change | None = None, times: float = 1.0) -> float:
    """How far a reader in eight bits is off, relative to what it is to give."""
    weights = tiny_weights(seed, READER)
    if change:
        change(weights, READER, times)
    ids, types = _inputs(seed, 3, 17)
    network = reader_network(weights, SHAPE, eight_bits=True)
    expected = _scores(weights, ids, types)
    off = _output(network, input_ids=ids, token_type_ids=types) - expected
    return float(np.sqrt(np.square(off).mean() / np.square(expected).mean()))


@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, POSITIONS))
def test_a_reader_in_float32_is_bert(seed: int, batch: int, tokens: int) -> None:
    """Of any length up to the most, alone or beside others; the first token's scores are 0."""
    weights, (ids, types) = tiny_weights(seed, READER), _inputs(seed, batch, tokens)
    network = reader_network(weights, SHAPE, eight_bits=False)
    scores = _output(network, input_ids=ids, token_type_ids=types)
    assert scores.dtype == np.float32
    assert scores.shape == (batch, tokens, 3)
    assert not scores[:, 0].any()
    np.testing.assert_allclose(scores, _scores(weights, ids, types), atol=1e-4)


@given(st.integers(0, 99), st.integers(1, 4), st.integers(1, POSITIONS))
def test_an_encoder_in_float32_is_berts_mean(seed: int, batch: int, tokens: int) -> None:
    """Over the tokens, all of them of the first type."""
    weights, (ids, _) = tiny_weights(seed), _inputs(seed, batch, tokens)
    vectors = _output(encoder_network(weights, SHAPE, eight_bits=False), input_ids=ids)
    assert vectors.shape == (batch, DIMENSIONS)
    np.testing.assert_allclose(vectors, forward(weights, ids).mean(axis=1), atol=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_eight_bits_are_nearly_bert(seed: int) -> None:
    """The reader is off by some per cent, and the encoder's vectors point the same way."""
    assert _error(seed) < 0.06
    weights, (ids, _) = tiny_weights(seed), _inputs(seed, 4, 9)
    vectors = _output(encoder_network(weights, SHAPE, eight_bits=True), input_ids=ids)
    expected = forward(weights, ids).mean(axis=1)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(expected, axis=1)
    assert min((vectors * expected).sum(axis=1) / lengths) > 0.995


@pytest.mark.parametrize(
    ("change", "times", "most"), [(add_large_values, 60, 0.08), (add_loud_word, 300, 0.05)]
)
def test_a_few_large_values_do_not_drown_the_rest(
    change: Change, times: float, most: float
) -> None:
    """Neither some places behind a norm, nor one token in the inner layer: rounded by a step for
    all, the others would be off by three times as much."""
    assert np.mean([_error(seed, change, times) for seed in range(6)]) < most


@pytest.mark.parametrize("eight_bits", [False, True])
def test_a_layer_more_is_a_layer_more(eight_bits: bool) -> None:
    """The layers are as many as there are weights for."""
    weights, (ids, _) = tiny_weights(0), _inputs(0, 2, 9)
    fewer = {name: part for name, part in weights.items() if "layer.1." not in name}
    two, one = (
        _output(encoder_network(given, SHAPE, eight_bits), input_ids=ids)
        for given in (weights, fewer)
    )
    assert np.abs(two - one).max() > 0.1


@pytest.mark.parametrize("eight_bits", [False, True])
def test_the_weights_stay_as_they_were(eight_bits: bool) -> None:
    """Writing a network changes nothing of what it is written from."""
    weights, before = tiny_weights(0, READER), tiny_weights(0, READER)
    reader_network(weights, SHAPE, eight_bits)
    assert all(np.array_equal(weights[name], part) for name, part in before.items())


def test_products_leave_the_eighth_bit_free() -> None:
    """On processors without VNNI two products of eight whole bits would overflow; words are not
    multiplied and use all."""
    network = reader_network(tiny_weights(0, READER), SHAPE, eight_bits=True)
    numbers = {item.name: to_array(item) for item in network.graph.initializer}
    largest = {
        node.input[1]: int(np.abs(numbers[node.input[1]].astype(int)).max())
        for node in network.graph.node
        if node.op_type == "DynamicQuantizeMatMul"
    }
    assert len(largest) == 13
    assert set(largest.values()) == {63}
    words = numbers["bert.embeddings.word_embeddings"]
    assert words.dtype == np.int8
    assert set(np.abs(words.astype(int)).max(axis=1)) == {127}


@pytest.mark.parametrize("eight_bits", [False, True])
def test_a_word_without_weights_is_nothing(eight_bits: bool) -> None:
    """A row of zeros, as padding has in many models, is no division by zero."""
    weights, (ids, _) = tiny_weights(0), _inputs(0, 2, 9)
    weights["embeddings.word_embeddings.weight"][LOUD] = 0
    vectors = _output(encoder_network(weights, SHAPE, eight_bits), input_ids=ids)
    np.testing.assert_allclose(vectors, forward(weights, ids).mean(axis=1), atol=0.2)


@pytest.mark.parametrize("part", ["query", "key", "value"])
@pytest.mark.parametrize("eight_bits", [False, True])
def test_what_is_written_is_onnx(part: str, eight_bits: bool) -> None:
    """It passes ONNX's own check; without one of its weights nothing is written."""
    weights = tiny_weights(0)
    checker.check_model(encoder_network(weights, SHAPE, eight_bits))
    del weights[f"encoder.layer.1.attention.self.{part}.weight"]
    with pytest.raises(KeyError, match=part):
        encoder_network(weights, SHAPE, eight_bits)
