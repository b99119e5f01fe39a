"""Tells whose words a claim is: who, by the article, said it, argued it, testified to it.

A claim is its speaker's if it lies in what a cue reports. A pronoun stands for the person last
spoken of. What is doubtful is nobody's: no speaker is better than a wrong one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rustqa.cues import QUOTED, Cue, find_cues, first_subject, masked
from rustqa.types import Attribution, Block, Document, Span

# Of a claim, so much must lie in reported words or in the cue itself.
_SHARE = 0.6
_PRONOUNS = frozenset({"he", "she", "they", "it", "i", "we"})
_NAMED = re.compile(r"[A-ZÀ-ÞŁŠŽČ][\w’'-]+$")
_NOBODY = re.compile(
    r"^(?:[A-Z][\w’'-]*s|[a-z]+s)\s(?:for|of|at|from|in)\b|\sand\s"
    r"|\s(?:for|of|at|from|in|near)\s(?:[A-Z][\w’'-]*\s?)+$"
)
_FULL_NAME = re.compile(r"(?:[A-Z][a-zà-þ][\w’'-]*|\b(?:Mr|Ms|Mrs|Dr)\.?)\s[A-ZÀ-ÞŁŠŽČ][\w’'-]+")
_HE = re.compile(
    r"\b(?:mr|sir|lord|king|prince|father|brother|son|husband|uncle|nephew|widower|grandfather|boy"
    r"|\w*(?<!wo)man|businessman|monk)\b",
    re.I,
)
_SHE = re.compile(
    r"\b(?:mrs|ms|miss|dame|lady|queen|princess|mother|sister|daughter|wife|aunt|niece|widow"
    r"|grandmother|girl|\w*woman|actress|nun)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, its quotations masked, where it starts in the article, and its cues there."""

    start: int
    masked: str
    cues: tuple[Cue, ...]


class Speakers:
    """The speakers of one article; its paragraphs are looked at as they are needed."""

    def __init__(self, document: Document, split: Callable[[str, Block], Sequence[Span]]) -> None:
        """`split` gives the sentences of a paragraph."""
        self._text = document.text
        self._split = split
        self._blocks = [block for block in document.blocks if block.paragraph is not None]
        self._parsed: dict[int, list[Sentence]] = {}

    def names(self) -> Iterator[str]:
        """The people and bodies that are quoted or reported by name, each once, in order."""
        seen = set()
        for number in range(len(self._blocks)):
            for sentence in self._sentences(number):
                for cue in sentence.cues:
                    name = self._text[cue.who.start : cue.who.end]
                    if self._is_person(name) and name not in seen:
                        seen.add(name)
                        yield name

    def _sentences(self, number: int) -> list[Sentence]:
        if number not in self._parsed:
            block = self._blocks[number]
            self._parsed[number] = _parse(self._text, block, self._split(self._text, block))
        return self._parsed[number]

    def of(self, claim: Span) -> Attribution | None:
        """Who makes the claim at this place; None where the article itself does."""
        starts = [block.start for block in self._blocks]
        number = bisect_right(starts, claim.start) - 1
        cue = self._cue(self._sentences(number), claim) if number >= 0 else None
        who = self._resolved(number, cue.who) if cue else None
        return Attribution(*who, *cue.cue) if cue and who else None

    def _cue(self, sentences: Sequence[Sentence], claim: Span) -> Cue | None:
        """The cue that reports the claim, the innermost of several."""
        found = []
        last: Cue | None = None
        waiting: list[Span] = []
        for sentence in sentences:
            whole = Span(sentence.start, sentence.start + len(sentence.masked))
            if not sentence.masked.strip(QUOTED + " .,"):
                # A quotation alone goes on with the last speaker's words, or starts the next's.
                if last is not None:
                    found.append((last, (whole,)))
                else:
                    waiting.append(whole)
                continue
            for cue in sentence.cues:
                found.append((cue, cue.content))
            quoting = [
                c for c in sentence.cues if any(self._quotes(sentence, s) for s in c.content)
            ]
            if waiting and quoting and sentence.masked.startswith(QUOTED):
                found += [(quoting[0], (span,)) for span in waiting]
            waiting = []
            last = (quoting or sentence.cues or (None,))[-1]
        fitting = [
            (sum(span.end - span.start for span in content), cue)
            for cue, content in found
            if _lies_in(claim, cue, content)
        ]
        return min(fitting, key=lambda pair: pair[0])[1] if fitting else None

    def _quotes(self, sentence: Sentence, span: Span) -> bool:
        part = sentence.masked[span.start - sentence.start : span.end - sentence.start]
        return QUOTED in part

    def _resolved(self, paragraph: int, who: Span) -> Span | None:
        """The name, or what a pronoun stands for."""
        word = self._word(who)
        if word not in _PRONOUNS:
            return who
        if word in {"i", "we"}:
            return None
        opposite = {"he": "she", "she": "he"}.get(word)
        skip = False
        for number in range(paragraph, max(-1, paragraph - 3), -1):
            for sentence in reversed(self._sentences(number)):
                if sentence.start >= who.start:
                    continue
                mentions = [span for span in self._mentions(sentence) if span.end <= who.start]
                pronouns = {self._word(span) for span in mentions} & _PRONOUNS
                for span in mentions:
                    if self._fits(span, word):
                        # One who was "he" a moment ago is not "she".
                        if not skip:
                            return None if self._doubtful(sentence, span, who, word) else span
                        skip = False
                        break
                else:
                    skip = skip or opposite in pronouns
                    if self._ends_search(sentence, who, mentions):
                        return None
        return None

    def _ends_search(self, sentence: Sentence, who: Span, mentions: Sequence[Span]) -> bool:
        """Whether the sentence speaks of somebody, but of nobody the pronoun fits."""
        if mentions:
            return not all(self._word(span) in _PRONOUNS for span in mentions)
        here = sentence.start + len(sentence.masked) > who.start
        return not here and bool(re.search(r"\s[A-Z]", sentence.masked))

    def _word(self, span: Span) -> str:
        return self._text[span.start : span.end].lower()

    def _is_person(self, phrase: str) -> bool:
        """Whether the phrase ends with a name, and does not begin like several people or a body."""
        if phrase.startswith(("The ", "the ")) or _NOBODY.search(phrase):
            return False
        name = _NAMED.search(phrase)
        # A capital at the start of a sentence tells nothing.
        alone = name is not None and name.start() == 0
        return name is not None and not (
            alone and not re.search(rf"[a-z,]\s{re.escape(name.group())}\b", self._text)
        )

    def _doubtful(self, sentence: Sentence, span: Span, who: Span, pronoun: str) -> bool:
        """Whether the sentence also speaks of another whom the pronoun could mean."""
        other = {"he": r"\bhim\b", "she": r"\bher\b(?!\s\w)"}.get(pronoun)
        before = sentence.masked[: max(0, who.start - sentence.start)]
        if other is None:
            return False
        rest = (
            before[: max(0, span.start - sentence.start)]
            + ","
            + before[span.end - sentence.start :]
        )
        return bool(re.search(other, before) or _FULL_NAME.search(rest))

    def _mentions(self, sentence: Sentence) -> list[Span]:
        """Whom a sentence speaks of foremost: its speakers, the last first, then its subject."""
        mentions = [cue.who for cue in reversed(sentence.cues)]
        if subject := first_subject(sentence.masked):
            mentions.append(Span(subject.start + sentence.start, subject.end + sentence.start))
        return mentions

    def _fits(self, span: Span, pronoun: str) -> bool:
        if self._word(span) in _PRONOUNS:
            return False
        phrase = self._text[span.start : span.end]
        named = self._is_person(phrase)
        if pronoun in {"he", "she"}:
            other = _SHE if pronoun == "he" else _HE
            return named and not other.search(phrase)
        return not named


def _parse(text: str, block: Block, sentences: Sequence[Span]) -> list[Sentence]:
    """The block's sentences; one that ends inside a quotation goes on in the next."""
    hidden = masked(text[block.start : block.end])
    parsed = []
    start = None
    for sentence in sentences:
        start = sentence.start if start is None else start
        end = sentence.end - block.start
        if end < len(hidden) and hidden[end - 1] == hidden[end] == QUOTED:
            continue
        part = hidden[start - block.start : end]
        parsed.append(Sentence(start, part, tuple(_moved(cue, start) for cue in find_cues(part))))
        start = None
    return parsed


def _moved(cue: Cue, by: int) -> Cue:
    who, words, *content = (
        Span(s.start + by, s.end + by) for s in (cue.who, cue.cue, *cue.content)
    )
    return Cue(who, words, tuple(content))


def _lies_in(claim: Span, cue: Cue, content: Sequence[Span]) -> bool:
    inside = sum(_overlap(claim, span) for span in content)
    return inside > 0 and inside + _overlap(claim, cue.cue) >= _SHARE * (claim.end - claim.start)


def _overlap(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))
