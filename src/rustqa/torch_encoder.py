"""Runs a sentence-transformers model in torch, and exports it to ONNX."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rustqa.errors import EncoderError
from rustqa.onnx_encoder import Exported, OnnxEncoder
from rustqa.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_PROBES = ("why was the case dismissed?", "A short passage, in two clauses, on one line.", "who")


class TorchEncoder:
    """A model as sentence-transformers loads it, on the CPU."""

    def __init__(self, name: str, folder: Path, fingerprint: str) -> None:
        """Loads the model in a folder, whose weights have this SHA-256; raises EncoderError if it
        cannot be used."""
        self.name = name
        self.fingerprint = fingerprint
        self._model = _load(folder)
        self._words = frozenset(self._model.tokenizer.get_vocab())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32."""
        vectors: Vectors = self._model.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False
        )
        return vectors.reshape(-1, _dimensions(self._model)).astype(np.float32, copy=False)

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""
        return word in self._words

    def export(self) -> Exported[bytes]:
        """The model for ONNX Runtime; raises EncoderError if it comes out otherwise."""
        tokenizer = self._model.tokenizer.backend_tokenizer
        tokenizer.enable_truncation(int(self._model.max_seq_length or 512))
        exported = Exported(_to_onnx(self._model), tokenizer)
        copy = OnnxEncoder(self.name, self.fingerprint, exported)
        worst = float(np.min(np.sum(copy.encode(_PROBES) * self.encode(_PROBES), axis=1)))
        if not worst > 0.9999:
            raise EncoderError(f"the exported model's vectors differ (cosine {worst:.5f})")
        return exported


def _load(folder: Path) -> SentenceTransformer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        from sentence_transformers import SentenceTransformer
    except ModuleNotFoundError as error:
        raise EncoderError(
            f"another encoder than the packaged one needs {error.name}, which is not installed; "
            "run: pip install sentence-transformers"
        ) from None
    from transformers.utils import logging as transformers_logging

    for pickled in sorted(folder.rglob("pytorch_model*.bin")):
        # Weights of this kind are programs, which are not run; beside safetensors nobody reads it.
        if not pickled.with_name("model.safetensors").is_file():
            raise EncoderError(
                f"{pickled} is not read, as it can hold a program; save the model as safetensors"
            )
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"attn_implementation": "eager", "use_safetensors": True}
    try:
        return SentenceTransformer(
            str(folder),
            device="cpu",
            model_kwargs=options,
            local_files_only=True,
            trust_remote_code=False,
        ).eval()
    # What a damaged model raises depends on the file; each has one mend.
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise EncoderError(
            f"{folder} is not a usable sentence-transformers model ({first_line}); install it anew"
        ) from error


def _to_onnx(model: SentenceTransformer) -> bytes:
    import torch

    dimensions = _dimensions(model)
    features = model.preprocess(["two short", "questions"])
    names = [name for name, value in features.items() if isinstance(value, torch.Tensor)]

    class Positional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: torch.Tensor) -> Any:
            vectors = self.model(dict(zip(names, tensors, strict=True)))["sentence_embedding"]
            # Said outright, as the exporter cannot tell for every pooling.
            return vectors.reshape(-1, dimensions)

    axes = {name: {0: "batch", 1: "tokens"} for name in names}
    # The tracer warns of branches that are fixed for an encoder; parity is checked afterwards.
    with (
        warnings.catch_warnings(),
        torch.no_grad(),
        tempfile.TemporaryDirectory() as scratch,
    ):
        warnings.simplefilter("ignore")
        file = Path(scratch) / "model.onnx"
        try:
            torch.onnx.export(
                Positional().eval(),
                tuple(features[name] for name in names),
                str(file),
                input_names=names,
                output_names=["vectors"],
                dynamic_axes={**axes, "vectors": {0: "batch"}},
                opset_version=17,
                dynamo=False,
            )
        # The exporter documents no errors of its own; any means that it cannot.
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise EncoderError(f"the model cannot be exported to ONNX ({reason})") from error
        return file.read_bytes()


def _dimensions(model: SentenceTransformer) -> int:
    dimensions = model.get_embedding_dimension()
    if dimensions is None:
        raise EncoderError("the model does not say how long its vectors are")
    return int(dimensions)
