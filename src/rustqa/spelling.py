"""Mends misspelt words of a question with words that the articles use."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property

_WORD = re.compile(r"[^\W\d_]{3,}")
# Longer words bear a second slip before they turn into another word.
_LONG = 8
_INFLECTION = re.compile(r"(?:e?s|e?d|ing|ly|e?n|e?r)$")


class Speller:
    """Knows the articles' words and, through `knows`, the words of the language at large."""

    def __init__(
        self, count_words: Callable[[], Mapping[str, int]], knows: Callable[[str], bool]
    ) -> None:
        """`count_words()` gives how often each word stands in the articles, and is not called
        before it is needed; `knows(lower-case word)` spares a word from mending."""
        self._count_words = count_words
        self._knows = knows

    def correct(self, question: str) -> str:
        """The question with each unknown word replaced by the articles' nearest word, if near."""
        return _WORD.sub(lambda match: self._correct_word(match.group()), question)

    def _correct_word(self, word: str) -> str:
        lower = word.lower()
        if self._is_known(lower) or lower in self._words:
            return word
        from rapidfuzz import process
        from rapidfuzz.distance import OSA

        limit = 2 if len(word) >= _LONG else 1
        near = process.extract(
            lower, self._words.keys(), scorer=OSA.distance, score_cutoff=limit, limit=None
        )
        if len(word) == 3:  # so short that only swapped letters count as a slip
            near = [item for item in near if sorted(item[0]) == sorted(lower)]
        if not near:
            return word
        best, *_ = min(near, key=lambda item: (item[1], -self._counts[item[0]], item[0]))
        return self._words[best]

    @cached_property
    def _words(self) -> dict[str, str]:
        """Each word in lower case with its commonest spelling."""
        surfaces = Counter(self._count_words())
        return {word.lower(): word for word, _ in reversed(surfaces.most_common())}

    @cached_property
    def _counts(self) -> Counter[str]:
        counts = Counter[str]()
        for word, count in self._count_words().items():
            counts[word.lower()] += count
        return counts

    def _is_known(self, lower: str) -> bool:
        """Whether the language has the word, or the word it is an inflection of."""
        forms = {
            lower,
            _INFLECTION.sub("", lower),
            lower.removesuffix("s"),
            lower.removesuffix("d"),
        }
        return any(len(form) > 2 and self._knows(form) for form in forms)
