"""Writes BERT as an ONNX network of few and fast operators, from its weights alone.

torch's own export needs torch, has ten times as many nodes, and leaves the attention in pieces.
Here each layer is six products, one fused attention and two norms, in ONNX Runtime's operators
(github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).

In eight bits a product rounds what goes into it by one step for all. The few values that are far
larger than the rest would make that step coarse, so they are scaled down first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto

# Noted in a network whose products round what is computed together alike.
EIGHT_BITS = "eight_bits"

Floats = NDArray[np.float32]
Weights = Mapping[str, Floats]

_OPSET = 17
_IR_VERSION = 9
_RUNTIME = "com.microsoft"
# Seven bits of the eight: processors without VNNI would overflow on more.
_LARGEST_WEIGHT = 63
_LARGEST_WORD = 127
# A normed value lies within so many deviations; its spread is moved to the weights (SmoothQuant,
# Xiao et al. 2023). Of the spread of the weights behind a GELU this power is moved to the values.
_DEVIATIONS = 5
_EVENED = 0.25
_LEAST = 1e-6


@dataclass(frozen=True, slots=True)
class Shape:
    """What the weights do not say: the attention's heads, and the norms' least variance."""

    heads: int
    epsilon: float


def encoder_network(weights: Weights, shape: Shape, eight_bits: bool) -> ModelProto:
    """`input_ids`, int64 (batch, tokens), to `vectors`, float32 (batch, dimensions): the mean over
    the tokens, not yet of unit length. Nothing may be padded."""
    graph = _Graph(weights, shape, eight_bits)
    hidden = graph.bert("", "input_ids")
    graph.add("ReduceMean", hidden, name="vectors", axes=[1], keepdims=0)
    dimensions = len(weights["embeddings.LayerNorm.bias"])
    return graph.model(["input_ids"], "vectors", ["batch", dimensions])


def reader_network(weights: Weights, shape: Shape, eight_bits: bool) -> ModelProto:
    """`input_ids` and `token_type_ids`, int64 (batch, tokens), to `scores`, float32 (batch,
    tokens, 3), relative to the first token's."""
    graph = _Graph(weights, shape, eight_bits)
    hidden = graph.bert("bert.", "input_ids", "token_type_ids")
    scores = graph.product(hidden, "scores")
    first = graph.add("Slice", scores, *(graph.constant(str(n), [n]) for n in (0, 1, 1)))
    graph.add("Sub", scores, first, name="scores")
    return graph.model(["input_ids", "token_type_ids"], "scores", ["batch", "tokens", 3])


class _Graph:
    """A network being written; values and weights go by their names."""

    def __init__(self, weights: Weights, shape: Shape, eight_bits: bool) -> None:
        self._weights = weights
        self._shape = shape
        self._eight_bits = eight_bits
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def bert(self, prefix: str, ids: str, types: str | None = None) -> str:
        """The last layer's output, (batch, tokens, dimensions); without `types` all are 0."""
        embeddings = f"{prefix}embeddings."
        positions = self._weights[f"{embeddings}position_embeddings.weight"]
        kinds = self._weights[f"{embeddings}token_type_embeddings.weight"]
        if types is None:
            positions = positions + kinds[0]
        tokens = self.add("Shape", ids, start=1, end=2)
        begin = self.constant("0", [0])
        places = self.add("Slice", self.constant("positions", positions), begin, tokens)
        hidden = self.add("Add", self._words(f"{embeddings}word_embeddings", ids), places)
        if types is not None:
            kind = self.add("Gather", self.constant("types", kinds), types)
            hidden = self.add("Add", hidden, kind)
        hidden = self._norm(hidden, f"{embeddings}LayerNorm")
        number = 0
        while f"{prefix}encoder.layer.{number}.output.dense.weight" in self._weights:
            hidden = self._layer(hidden, f"{prefix}encoder.layer.{number}.")
            number += 1
        return hidden

    def _layer(self, hidden: str, layer: str) -> str:
        parts = [
            self.product(hidden, f"{layer}attention.self.{part}")
            for part in ("query", "key", "value")
        ]
        heads = self._shape.heads
        seen = self.add("MultiHeadAttention", *parts, domain=_RUNTIME, num_heads=heads)
        seen = self.product(seen, f"{layer}attention.output.dense")
        norm = f"{layer}attention.output.LayerNorm"
        hidden = self._norm(self.add("Add", seen, hidden), norm)
        inner = self._spread_product(hidden, f"{layer}intermediate.dense", norm)
        outer = self._row_product(self.add("Gelu", inner, domain=_RUNTIME), f"{layer}output.dense")
        return self._norm(self.add("Add", outer, hidden), f"{layer}output.LayerNorm")

    def product(self, hidden: str, name: str) -> str:
        """A linear layer."""
        return self._product(hidden, name, self._matrix(name), self._bias(name))

    def _spread_product(self, hidden: str, name: str, norm: str) -> str:
        """A linear layer behind a norm, whose weights tell how large each of its values can be."""
        if not self._eight_bits:
            return self.product(hidden, name)
        shift, scale = (np.abs(self._weights[f"{norm}.{part}"]) for part in ("bias", "weight"))
        smooth, matrix = self._smoothed(hidden, name, shift + _DEVIATIONS * scale)
        return self._product(smooth, name, matrix, self._bias(name))

    def _row_product(self, hidden: str, name: str) -> str:
        """A linear layer in which each token's values are relative to its largest."""
        if not self._eight_bits:
            return self.product(hidden, name)
        weight = np.abs(self._matrix(name)).max(axis=1)
        smooth, matrix = self._smoothed(hidden, name, np.maximum(weight, _LEAST) ** -_EVENED)
        largest = self.add("ReduceMax", smooth, axes=[2], keepdims=1)
        largest = self.add("Max", largest, self.constant("least", np.float32(_LEAST)))
        product = self._product(self.add("Div", smooth, largest), name, matrix)
        return self.add("Add", self.add("Mul", product, largest), self._bias(name))

    def _smoothed(self, hidden: str, name: str, sizes: Floats) -> tuple[str, Floats]:
        """The values divided by these sizes, and the layer's matrix multiplied by them."""
        sizes = np.maximum(sizes / sizes.mean(), np.float32(_LEAST))
        smooth = self.add("Mul", hidden, self.constant(f"{name}.smooth", 1 / sizes))
        return smooth, self._matrix(name) * sizes[:, np.newaxis]

    def _product(self, hidden: str, name: str, matrix: Floats, bias: str = "") -> str:
        """Times the matrix, plus the bias if any; in eight bits each column has its own scale."""
        if not self._eight_bits:
            product = self.add("MatMul", hidden, self.constant(f"{name}.weight", matrix))
            return self.add("Add", product, bias)
        numbers, scales = _rounded(matrix, 0, _LARGEST_WEIGHT)
        weight = self.constant(f"{name}.weight", numbers)
        scale = self.constant(f"{name}.scale", scales.ravel())
        return self.add("DynamicQuantizeMatMul", hidden, weight, scale, "", bias, domain=_RUNTIME)

    def _matrix(self, name: str) -> Floats:
        return self._weights[f"{name}.weight"].T

    def _bias(self, name: str) -> str:
        return self.constant(f"{name}.bias", self._weights[f"{name}.bias"])

    def _words(self, name: str, ids: str) -> str:
        """The words' embeddings; in eight bits each word has a scale of its own."""
        table = self._weights[f"{name}.weight"]
        if not self._eight_bits:
            return self.add("Gather", self.constant(name, table), ids)
        numbers, scales = _rounded(table, 1, _LARGEST_WORD)
        found = self.add("Gather", self.constant(name, numbers), ids)
        scale = self.add("Gather", self.constant(f"{name}.scale", scales), ids)
        return self.add("Mul", self.add("Cast", found, to=1), scale)

    def _norm(self, hidden: str, name: str) -> str:
        weight, bias = (
            self.constant(f"{name}.{part}", self._weights[f"{name}.{part}"])
            for part in ("weight", "bias")
        )
        return self.add("LayerNormalization", hidden, weight, bias, epsilon=self._shape.epsilon)

    def add(
        self, operator: str, *inputs: str, name: str = "", domain: str = "", **more: Any
    ) -> str:
        """Adds a node; the name of its one output."""
        from onnx.helper import make_node

        name = name or f"{operator}_{len(self._nodes)}"
        self._nodes.append(make_node(operator, inputs, [name], domain=domain, **more))
        return name

    def constant(self, name: str, values: Any) -> str:
        """The name under which the values stand in the network, once."""
        from onnx.numpy_helper import from_array

        if name not in self._constants:
            self._constants[name] = from_array(np.ascontiguousarray(values), name)
        return name

    def model(self, inputs: Sequence[str], output: str, shape: Sequence[str | int]) -> ModelProto:
        """The network as written so far."""
        from onnx import TensorProto
        from onnx.helper import (
            make_graph,
            make_model,
            make_opsetid,
            make_tensor_value_info,
            set_model_props,
        )

        graph = make_graph(
            self._nodes,
            "bert",
            [make_tensor_value_info(x, TensorProto.INT64, ["batch", "tokens"]) for x in inputs],
            [make_tensor_value_info(output, TensorProto.FLOAT, list(shape))],
            list(self._constants.values()),
        )
        opsets = [make_opsetid("", _OPSET), make_opsetid(_RUNTIME, 1)]
        model = make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        if self._eight_bits:
            set_model_props(model, {EIGHT_BITS: "yes"})
        return model


def _rounded(matrix: Floats, axis: int, largest: int) -> tuple[NDArray[np.int8], Floats]:
    """The matrix in whole numbers up to `largest`, and the scales along the axis."""
    scales = np.abs(matrix).max(axis, keepdims=True) / np.float32(largest)
    return np.round(matrix / np.where(scales, scales, 1)).astype(np.int8), scales
