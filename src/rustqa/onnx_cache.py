"""Keeps encoders exported to ONNX in the user's cache folder, each keyed by its weights."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rustqa.checksums import sha256_of
from rustqa.errors import EncoderError
from rustqa.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

_FORMAT = 1
_FILES = ("model.onnx", "tokenizer.json")
_PROBES = ("why was the case dismissed?", "A short passage, in two clauses, on one line.", "who")


class OnnxEncoder:
    """An exported encoder on ONNX Runtime; starts without torch."""

    def __init__(self, name: str, fingerprint: str, folder: Path) -> None:
        """Loads the exported files from a folder of the cache."""
        from onnxruntime import InferenceSession
        from tokenizers import Tokenizer

        self.name = name
        self.fingerprint = fingerprint
        self._tokenizer: Tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._session = InferenceSession(
            str(folder / "model.onnx"), providers=["CPUExecutionProvider"]
        )
        self._inputs = [item.name for item in self._session.get_inputs()]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32."""
        encodings = self._tokenizer.encode_batch(list(texts))
        columns = {
            "input_ids": [encoding.ids for encoding in encodings],
            "attention_mask": [encoding.attention_mask for encoding in encodings],
            "token_type_ids": [encoding.type_ids for encoding in encodings],
        }
        inputs = {name: np.array(columns[name], np.int64) for name in self._inputs}
        vectors: Vectors = self._session.run(None, inputs)[0]
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""
        return self._tokenizer.token_to_id(word) is not None


def open_cached(cache: Path, name: str, fingerprint: str) -> OnnxEncoder | None:
    """The exported model with these weights, or None if there is none or it is damaged."""
    folder = _folder(cache, fingerprint)
    try:
        checksums = json.loads((folder / "checksums.json").read_text())
        damaged = [name for name in _FILES if sha256_of(folder / name) != checksums.get(name)]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, AttributeError):
        damaged = ["checksums.json"]
    if damaged:
        log.warning("%s in %s is damaged and will be made anew", damaged[0], folder)
        return None
    return OnnxEncoder(name, fingerprint, folder)


def store_cached(
    cache: Path, name: str, fingerprint: str, model: SentenceTransformer
) -> OnnxEncoder:
    """Exports a model into the cache, whole or not at all.

    Raises EncoderError if the exported model's vectors differ from the model's own, OSError if
    the cache cannot be written.
    """
    folder = _folder(cache, fingerprint)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        _export(model, made / "model.onnx")
        tokenizer = model.tokenizer.backend_tokenizer
        tokenizer.enable_truncation(int(model.max_seq_length or 512))
        tokenizer.enable_padding(
            pad_id=model.tokenizer.pad_token_id, pad_token=model.tokenizer.pad_token
        )
        tokenizer.save(str(made / "tokenizer.json"))
        _check_parity(OnnxEncoder(name, fingerprint, made), model)
        checksums = {name: sha256_of(made / name) for name in _FILES}
        (made / "checksums.json").write_text(json.dumps(checksums, indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.rename(folder)
        except OSError:
            # Another process put the same model there first.
            if not folder.is_dir():
                raise
    return OnnxEncoder(name, fingerprint, folder)


def _folder(cache: Path, fingerprint: str) -> Path:
    return cache / f"encoder-v{_FORMAT}" / fingerprint[:16]


def _export(model: SentenceTransformer, file: Path) -> None:
    import torch

    features = model.preprocess(["two short", "questions"])
    names = [name for name, value in features.items() if isinstance(value, torch.Tensor)]

    class Positional(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *tensors: torch.Tensor) -> Any:
            return self.model(dict(zip(names, tensors, strict=True)))["sentence_embedding"]

    axes = {name: {0: "batch", 1: "tokens"} for name in names}
    # The tracer warns of branches that are fixed for an encoder; parity is checked afterwards.
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
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


def _check_parity(exported: OnnxEncoder, model: SentenceTransformer) -> None:
    original = model.encode(list(_PROBES), normalize_embeddings=True, show_progress_bar=False)
    worst = float(np.min(np.sum(exported.encode(_PROBES) * np.asarray(original), axis=1)))
    if not worst > 0.9999:
        raise EncoderError(f"the exported model's vectors differ (cosine {worst:.5f})")
