"""Articles of made-up news, as many as are wanted, and an encoder that costs next to nothing."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

import numpy as np

from rustqa.corpus import make_document
from rustqa.encoder import PACKAGED, model_folder
from rustqa.types import Document, Vectors

DIMENSIONS = 384
PASSAGES = 20
# Words follow Zipf's law; of those of a passage a third are of its topic.
_TOPICS, _TOPIC_WORDS, _TOPIC_SHARE = 2000, 60, 0.33
_SMALL = [
    *("the", "of", "to", "and", "a", "in", "that", "said", "for", "on", "was", "is", "with", "as"),
    *("at", "by", "from", "it", "were", "has", "had", "be", "have", "an", "are", "his", "they"),
    *("not", "but", "who", "which", "will", "been", "this", "its", "their", "she", "he"),
]
_SMALL_SHARE = 0.42
_SYLLABLES = ["ka", "lo", "mi", "ren", "tas", "vo", "del", "gru", "han", "bel", "sor", "ti", "nev"]


# Words' vectors lie near a space of so many dimensions: as many lists of an index have to be looked
# through as with the real encoder's vectors of real texts.
_LATENT, _NOISE = 64, 0.3


class News:
    """Made-up news: the same seed gives the same articles."""

    def __init__(self, seed: int = 7) -> None:
        """Sorts the encoder's words by chance, so that each has its frequency."""
        self._chance = random.Random(seed)
        lines = (model_folder(PACKAGED) / "vocab.txt").read_text(encoding="utf-8").split()
        words = [word for word in lines if word.isascii() and word.isalpha() and len(word) > 3]
        self._chance.shuffle(words)
        self._words = words
        self._frequencies = list(accumulate(1 / (rank + 20) for rank in range(len(words))))
        self._topics = [self._chance.sample(words, _TOPIC_WORDS) for _ in range(_TOPICS)]

    def articles(self, passages: int) -> Iterator[Document]:
        """Articles of twenty paragraphs, each a passage, with so many passages in all."""
        chance = self._chance
        for first in range(0, passages, PASSAGES):
            topic = chance.choice(self._topics)
            names = [self._name() for _ in range(3)]
            paragraphs = [
                " ".join(
                    self._sentence(topic, names) for _ in range(chance.choice((1, 1, 2, 2, 3)))
                )
                for _ in range(min(PASSAGES, passages - first))
            ]
            day = (
                f"20{chance.randint(10, 25)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
            )
            fields = {"title": self._sentence(topic, names)[:80], "date": day}
            yield make_document(f"article-{first}", "\n\n".join(paragraphs), metadata=fields)

    def question(self, text: str) -> str:
        """A question in some of the rarer words of a text, and one that it does not hold."""
        found = sorted({word.strip(".").lower() for word in text.split()} - set(_SMALL))
        asked = self._chance.sample(found, min(5, len(found)))
        return f"what did the {' '.join(asked)} {self._chance.choice(self._words)} say?"

    def _sentence(self, topic: Sequence[str], names: Sequence[str]) -> str:
        chance = self._chance
        count = chance.randint(8, 26)
        small = round(count * _SMALL_SHARE)
        own = round(count * _TOPIC_SHARE)
        words = chance.choices(_SMALL, k=small) + chance.choices(topic, k=own)
        words += chance.choices(self._words, cum_weights=self._frequencies, k=count - small - own)
        chance.shuffle(words)
        if chance.random() < 0.4:
            words.insert(0, chance.choice(names))
        return " ".join(words).capitalize() + "."

    def _name(self) -> str:
        return "".join(self._chance.choices(_SYLLABLES, k=self._chance.randint(2, 4))).capitalize()


class WordEncoder:
    """A text's vector is the sum of its words', rare words counting more."""

    name = "sums of words"
    fingerprint = "0" * 64

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), 384)."""
        vectors: Vectors = np.stack([self._vector(text) for text in texts])
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def knows(self, word: str) -> bool:
        """Every word, so that none is mended."""
        return True

    def _vector(self, text: str) -> Vectors:
        codes = [zlib.crc32(word.encode()) for word in text.lower().split()] or [0]
        vector: Vectors = self._table[[code % len(self._table) for code in codes]].sum(0)
        return vector

    @cached_property
    def _table(self) -> Vectors:
        chance = np.random.default_rng(1)
        own = chance.normal(size=(1 << 16, _LATENT)) / np.sqrt(_LATENT)
        spread = own @ chance.normal(size=(_LATENT, DIMENSIONS))
        table: Vectors = (spread + _NOISE * chance.normal(size=spread.shape)).astype(np.float32)
        for word in _SMALL:
            table[zlib.crc32(word.encode()) % len(table)] *= 0.15
        return table
