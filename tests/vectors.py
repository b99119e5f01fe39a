"""What the tests of the encoders share: texts to encode, and how near vectors are."""

from __future__ import annotations

import numpy as np

from rustqa.passages import split_document
from rustqa.types import Document, Vectors

ODD_TEXTS = [
    "why was the case dismissed?",
    "",
    "e\u0301 é \N{FAMILY} 他说。 \u2028\ufeff",
    "The judge dismissed the case. " * 200,
    "[SEP] [MASK] ??",
    "who",
]


def cosines(one: Vectors, other: Vectors) -> list[float]:
    """Of each row's unit vector with the other's."""
    products: list[float] = np.sum(one * other, axis=1).tolist()
    return products


def texts_of(document: Document) -> list[str]:
    """Its passages and their sentences."""
    spans = [
        span
        for passage in split_document(document)
        for span in ((passage.start, passage.end), *passage.sentences)
    ]
    return [document.text[slice(*span)] for span in spans]
