"""The words of a text, as they stand and as they are compared."""

from __future__ import annotations

import re
import unicodedata
from threading import local

import Stemmer

_WORD = re.compile(r"\w+")
_SURFACE = re.compile(r"[^\W\d_]{3,}")
_POSSESSIVE = re.compile(r"['\N{RIGHT SINGLE QUOTATION MARK}]s\b")
# Lucene's for English.
_STOPWORDS = frozenset(
    {"a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it"}
    | {"no", "not", "of", "on", "or", "such", "that", "the", "their", "then", "there", "these"}
    | {"they", "this", "to", "was", "will", "with"}
)
# A stemmer is not to be shared between threads, and takes longer to make than to use.
_own = local()


def terms(text: str) -> list[str]:
    """The stems of the text's words, without accents, case, possessives and stop words."""
    plain = text.casefold()
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain)
        plain = "".join(char for char in plain if not unicodedata.combining(char))
    words = [word for word in _WORD.findall(_POSSESSIVE.sub("", plain)) if word not in _STOPWORDS]
    if not hasattr(_own, "stemmer"):
        _own.stemmer = Stemmer.Stemmer("english")
    stems: list[str] = _own.stemmer.stemWords(words)
    return stems


def surface_words(text: str) -> list[str]:
    """The text's words of three letters or more, as they stand."""
    return _SURFACE.findall(text)
