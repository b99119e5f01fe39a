"""Measures how fast an index is built beside the bare work of the encoder's network."""

from __future__ import annotations

import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import TypeVar

import numpy as np

from rustqa.corpus import make_document
from rustqa.encoder import PACKAGED, model_folder, open_passage_encoder, packaged
from rustqa.indexing import build_in_memory
from rustqa.passages import split_document
from rustqa.runtime import Inputs, open_session, run_all
from rustqa.settings import Settings
from rustqa.types import Document

T = TypeVar("T")

_PARAGRAPHS = 20
_TOKENS = 512
# Words of a sentence and sentences of a paragraph of news, about.
_SENTENCE, _SENTENCES = (8, 32), (1, 4)


def measure_building(passages: int, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of passages a second, built and by the network alone, and of ratios within a round;
    a passage brings the texts of its sentences with it."""
    settings = Settings.from_env()
    session = open_session(packaged(eight_bits=False).network)
    encoder = open_passage_encoder(settings.encoder, settings.cache)
    rows = []
    for number in range(rounds):
        sys.stderr.write(f"building, round {number + 1} of {rounds}\n")
        documents = list(written(passages, seed=number))
        bare, _ = _timed(partial(run_all, session, _batches(documents)))
        built, store = _timed(partial(build_in_memory, documents, encoder))
        changed = [*written(_PARAGRAPHS, seed=number + rounds), *documents[1:]]
        again, _ = _timed(partial(build_in_memory, changed, encoder, store))
        rows.append((passages / bare, passages / built, bare / built, again / built))
    bare_rate, built_rate, ratio, anew = (median(column) for column in zip(*rows, strict=True))
    figures = {"bare_passages_per_s": round(bare_rate, 1), "passages_per_s": round(built_rate, 1)}
    return figures, {"building_to_bare": round(ratio, 3), "one_changed_to_all": round(anew, 4)}


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def written(passages: int, seed: int) -> Iterator[Document]:
    """Articles of so many paragraphs in all, of words drawn from the encoder's vocabulary."""
    chance = random.Random(seed)
    vocabulary = (model_folder(PACKAGED) / "vocab.txt").read_text(encoding="utf-8").split()
    words = [word for word in vocabulary if word.isascii() and word.isalpha() and len(word) > 2]

    def sentence() -> str:
        return " ".join(chance.choices(words, k=chance.randint(*_SENTENCE))).capitalize() + "."

    for first in range(0, passages, _PARAGRAPHS):
        paragraphs = [
            " ".join(sentence() for _ in range(chance.randint(*_SENTENCES)))
            for _ in range(min(_PARAGRAPHS, passages - first))
        ]
        yield make_document(f"article-{first}", "\n\n".join(paragraphs))


def _texts(documents: list[Document]) -> list[str]:
    """What is encoded: each different passage and sentence."""
    found: dict[str, None] = {}
    for document in documents:
        for passage in split_document(document):
            spans = [(passage.start, passage.end), *passage.sentences]
            found.update({document.text[start:end]: None for start, end in spans})
    return list(found)


def _batches(documents: list[Document]) -> list[Inputs]:
    """The same as token numbers, texts of equal length together."""
    tokenizer = packaged(eight_bits=False).tokenizer
    tokenizer.no_padding()
    rows: dict[int, list[list[int]]] = defaultdict(list)
    for encoding in tokenizer.encode_batch(_texts(documents)):
        rows[len(encoding.ids)].append(encoding.ids)
    sizes = {length: max(1, _TOKENS // length) for length in rows}
    return [
        {"input_ids": np.array(ids[start : start + sizes[length]])}
        for length, ids in sorted(rows.items())
        for start in range(0, len(ids), sizes[length])
    ]
