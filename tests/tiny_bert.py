"""A BERT of a few numbers: its weights, what it computes in plain numpy, and a tokenizer."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from rustqa.network import Floats, Shape, encoder_network
from rustqa.onnx_encoder import Exported

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]

WORDS, POSITIONS, LAYERS, DIMENSIONS, INNER = 60, 40, 2, 32, 64
SHAPE = Shape(heads=4, epsilon=1e-12)
VOCABULARY = ["[CLS]", "[SEP]", "[UNK]", *(f"w{number}" for number in range(WORDS - 3))]
LONGEST = 12
LOUD = 7


def tiny_weights(seed: int = 0, prefix: str = "") -> dict[str, Floats]:
    """Random weights under the names that a reader (prefix "bert.") or an encoder gives them."""
    chance = np.random.default_rng(seed)
    weights: dict[str, Floats] = {}

    def matrix(name: str, *shape: int, size: float = 1.0) -> None:
        weights[f"{prefix}{name}"] = chance.normal(0, size, shape).astype(np.float32)

    def linear(name: str, outputs: int, inputs: int) -> None:
        matrix(f"{name}.weight", outputs, inputs, size=inputs**-0.5)
        matrix(f"{name}.bias", outputs, size=0.1)

    def norm(name: str) -> None:
        matrix(f"{name}.bias", DIMENSIONS, size=0.1)
        scale = chance.uniform(0.5, 1.5, DIMENSIONS)
        weights[f"{prefix}{name}.weight"] = scale.astype(np.float32)

    matrix("embeddings.word_embeddings.weight", WORDS, DIMENSIONS)
    matrix("embeddings.position_embeddings.weight", POSITIONS, DIMENSIONS, size=0.3)
    matrix("embeddings.token_type_embeddings.weight", 2, DIMENSIONS, size=0.3)
    norm("embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}."
        for part in ("self.query", "self.key", "self.value", "output.dense"):
            linear(f"{layer}attention.{part}", DIMENSIONS, DIMENSIONS)
        norm(f"{layer}attention.output.LayerNorm")
        linear(f"{layer}intermediate.dense", INNER, DIMENSIONS)
        linear(f"{layer}output.dense", DIMENSIONS, INNER)
        norm(f"{layer}output.LayerNorm")
    if prefix:
        weights["scores.weight"] = chance.normal(0, 1, (3, DIMENSIONS)).astype(np.float32)
        weights["scores.bias"] = chance.normal(0, 1, 3).astype(np.float32)
    return weights


def add_large_values(weights: dict[str, Floats], prefix: str, times: float) -> None:
    """Behind the last attention two values are so many times as large as the rest, and count no
    more for it."""
    layer = f"{prefix}encoder.layer.{LAYERS - 1}."
    large = slice(2)
    weights[f"{layer}attention.output.LayerNorm.weight"][large] *= times
    weights[f"{layer}intermediate.dense.weight"][:, large] /= times
    # The next norm would leave little of the other values.
    weights[f"{layer}output.LayerNorm.weight"] *= times / 4
    weights[f"{layer}output.LayerNorm.weight"][large] /= times


def add_loud_word(weights: dict[str, Floats], prefix: str, times: float) -> None:
    """The word `LOUD` alone brings into the last inner layer a value so many times as large."""
    place = 3
    for name in weights:
        if name.endswith(("embeddings.weight", "output.dense.weight", "output.dense.bias")):
            weights[name][..., place] = 0
        if name.endswith(("LayerNorm.bias", "output.dense.weight")):
            weights[name][place] = 0
    weights[f"{prefix}embeddings.word_embeddings.weight"][LOUD, place] = 6
    layer = f"{prefix}encoder.layer.{LAYERS - 1}.intermediate.dense."
    weights[f"{layer}weight"][0] = 0
    weights[f"{layer}weight"][0, place] = times
    weights[f"{layer}bias"][0] = -times


def forward(
    weights: dict[str, Floats], ids: Integers, types: Integers | None = None, prefix: str = ""
) -> Doubles:
    """BERT's last layer, (batch, tokens, dimensions), as its authors describe it."""

    def get(name: str) -> Doubles:
        return weights[f"{prefix}{name}"].astype(np.float64)

    def linear(hidden: Doubles, name: str) -> Doubles:
        return hidden @ get(f"{name}.weight").T + get(f"{name}.bias")

    def norm(hidden: Doubles, name: str) -> Doubles:
        centred = hidden - hidden.mean(-1, keepdims=True)
        scaled: Doubles = centred / np.sqrt(hidden.var(-1, keepdims=True) + SHAPE.epsilon)
        return scaled * get(f"{name}.weight") + get(f"{name}.bias")

    def apart(hidden: Doubles) -> Doubles:
        return hidden.reshape(*ids.shape, SHAPE.heads, -1).swapaxes(1, 2)

    kinds = np.zeros_like(ids) if types is None else types
    hidden = get("embeddings.word_embeddings.weight")[ids]
    hidden = hidden + get("embeddings.position_embeddings.weight")[: ids.shape[1]]
    hidden = hidden + get("embeddings.token_type_embeddings.weight")[kinds]
    hidden = norm(hidden, "embeddings.LayerNorm")
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}."
        query, key, value = (
            apart(linear(hidden, f"{layer}attention.self.{part}"))
            for part in ("query", "key", "value")
        )
        seen = np.exp(query @ key.swapaxes(2, 3) / math.sqrt(DIMENSIONS / SHAPE.heads))
        seen = (seen / seen.sum(-1, keepdims=True)) @ value
        seen = linear(seen.swapaxes(1, 2).reshape(hidden.shape), f"{layer}attention.output.dense")
        hidden = norm(hidden + seen, f"{layer}attention.output.LayerNorm")
        inner = linear(hidden, f"{layer}intermediate.dense")
        inner = inner * (1 + np.vectorize(math.erf)(inner / math.sqrt(2))) / 2
        hidden = norm(hidden + linear(inner, f"{layer}output.dense"), f"{layer}output.LayerNorm")
    return hidden


def tiny_tokenizer() -> Tokenizer:
    """Each word between spaces is a token, [CLS] stands before and [SEP] behind; of a long text
    only the beginning is left."""
    words = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(WordLevel(words, "[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        "[CLS] $A [SEP]", None, [("[CLS]", 0), ("[SEP]", 1)]
    )
    tokenizer.enable_truncation(LONGEST)
    return tokenizer


def tiny_exported(seed: int = 0) -> Exported[bytes]:
    """The encoder for ONNX Runtime, in float32."""
    network = encoder_network(tiny_weights(seed), SHAPE, eight_bits=False)
    return Exported(network.SerializeToString(), tiny_tokenizer())
