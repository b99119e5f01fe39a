"""Turns texts into unit vectors by an encoder on ONNX Runtime, without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

import numpy as np

from rustqa.network import EIGHT_BITS
from rustqa.runtime import Inputs, open_session, run_all
from rustqa.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

# Texts that are tokenised at a time, and tokens that are encoded at a time: beyond, what one layer
# hands to the next no longer fits a processor's cache.
_TEXTS = 2048
_TOKENS = 512


Network = TypeVar("Network", Path, bytes)


class Exported(NamedTuple, Generic[Network]):
    """An encoder for ONNX Runtime: its network, as its file or what that would hold, and its
    tokenizer, which knows where texts are cut."""

    network: Network
    tokenizer: Tokenizer


class OnnxEncoder:
    """An encoder's network and its tokenizer."""

    def __init__(
        self, name: str, fingerprint: str, exported: Exported[Path] | Exported[bytes]
    ) -> None:
        """Loads the network."""
        self.name = name
        self.fingerprint = fingerprint
        self._tokenizer = exported.tokenizer
        self._tokenizer.no_padding()
        self._session = open_session(exported.network)
        self._inputs = [item.name for item in self._session.get_inputs()]
        self._dimensions = int(self._session.get_outputs()[0].shape[1])
        noted = self._session.get_modelmeta().custom_metadata_map
        # A text's vector does not depend on what is encoded beside it.
        self._together = 1 if EIGHT_BITS in noted else _TOKENS

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32; a progress bar on a terminal."""
        vectors = np.zeros((len(texts), self._dimensions), np.float32)
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        with _progress(len(texts)) as bar:
            for start in range(0, len(order), _TEXTS):
                places = order[start : start + _TEXTS]
                encodings = self._tokenizer.encode_batch_fast([texts[place] for place in places])
                batches = list(_batches(encodings, self._together))
                found = run_all(self._session, [self._feed(encodings, rows) for rows in batches])
                for rows, part in zip(batches, found, strict=True):
                    vectors[[places[row] for row in rows]] = part
                if bar is not None:
                    bar.update(len(places))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def knows(self, word: str) -> bool:
        """Whether the lower-case word stands whole in the model's vocabulary."""
        return self._tokenizer.token_to_id(word) is not None

    def _feed(self, encodings: Sequence[Encoding], rows: Sequence[int]) -> Inputs:
        ids = np.array([encodings[row].ids for row in rows], np.int64)
        every = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        return {name: every[name] for name in self._inputs}


def open_tokenizer(file: Path) -> Tokenizer:
    """A tokenizer from its file."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))


def _batches(encodings: Sequence[Encoding], tokens: int) -> Iterator[list[int]]:
    """The places of texts with equally many tokens, so that nothing is padded or masked; at most
    about so many tokens together."""
    lengths = [len(encoding.ids) for encoding in encodings]
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for length, same in groupby(order, lengths.__getitem__):
        rows = list(same)
        size = max(1, tokens // max(1, length))
        yield from (rows[start : start + size] for start in range(0, len(rows), size))


def _progress(texts: int) -> Any:
    # A chunk, such as a question, is over before a bar could be read.
    if texts <= _TEXTS:
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=texts, desc="encoding", unit=" texts", disable=None)
