"""Tells whose words a claim is: who, by the article, said it, argued it, testified to it.

A claim is its speaker's if it lies in what a cue reports. A pronoun stands for the person last
spoken of. What is doubtful is nobody's: no speaker is better than a wrong one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from rustqa.cues import Cue, find_cues
from rustqa.noun_phrases import CAPITAL, first_subject
from rustqa.quotations import QUOTED, masked
from rustqa.types import Attribution, Block, Document, Span

# Of a claim, so much must lie in reported words or in the cue itself.
_SHARE = 0.6
# So many paragraphs back, its own among them, a pronoun's person is looked for.
_PARAGRAPHS = 3
_PRONOUNS = frozenset({"he", "she", "they", "it", "i", "we"})
_OPPOSITE = {"he": "she", "she": "he"}
_OBJECT = {"he": re.compile(r"\bhim\b"), "she": re.compile(r"\bher\b(?!\s\w)")}
# A further clause has a subject of its own.
_CLAUSE = re.compile(r"\s(?:when|while|after|before|because|as)\s")
_TITLE = re.compile(r"(?:Mr|Mrs|Ms|Dr)\.?\s")
_LAST_NAME = re.compile(rf"[{CAPITAL}][\w’'-]+$")
_FULL_NAME = re.compile(
    rf"(?<!\w)(?:[A-Z][a-zà-þ][\w’'-]*|(?:Mr|Ms|Mrs|Dr)\.?)\s[{CAPITAL}][\w’'-]+"
)
_WITHIN_SENTENCE = re.compile(rf"(?<=[a-z,]\s)[{CAPITAL}]\w*(?:[’'-](?!s\b)\w+)*")
# Several people, or a body: "Lawyers for Roe", "Roe and Doe", "the port of Saltby".
_NO_PERSON = re.compile(
    r"^[Tt]he\s|^(?:[A-Z][\w’'-]*s|[a-z]+s)\s(?:for|of|at|from|in)\b|\sand\s"
    r"|\s(?:for|of|at|from|in|near)(?:\s[A-Z][\w’'-]*)+\s?$"
)
_HE = re.compile(
    r"\b(?:mr|sir|lord|king|prince|father|brother|son|husband|uncle|nephew|widower|grandfather|boy"
    r"|\w*(?<!wo)man|monk)\b",
    re.IGNORECASE,
)
_SHE = re.compile(
    r"\b(?:mrs|ms|miss|dame|lady|queen|princess|mother|sister|daughter|wife|aunt|niece|widow"
    r"|grandmother|girl|\w*woman|actress|nun)\b",
    re.IGNORECASE,
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
        self._starts = [block.start for block in self._blocks]
        self._parsed: dict[int, list[Sentence]] = {}

    def of(self, claim: Span) -> Attribution | None:
        """Who makes the claim at this place; None where the article itself does."""
        number = bisect_right(self._starts, claim.start) - 1
        cue = _innermost(self._sentences(number), claim) if number >= 0 else None
        who = self._resolved(number, cue.who) if cue else None
        return Attribution(*who, *cue.cue) if cue and who else None

    def names(self) -> Iterator[str]:
        """The people who are quoted or reported by name, each once, as first named, in order."""
        named: set[str] = set()
        shorter: set[str] = set()
        for number in range(len(self._blocks)):
            for cue in (cue for sentence in self._sentences(number) for cue in sentence.cues):
                name = self._words(cue.who)
                forms = _forms(name)
                if self._is_person(name) and forms[0] not in shorter and named.isdisjoint(forms):
                    named.add(forms[0])
                    shorter.update(forms)
                    yield name

    def _sentences(self, number: int) -> list[Sentence]:
        if number not in self._parsed:
            block = self._blocks[number]
            self._parsed[number] = _parse(self._text, block, self._split(self._text, block))
        return self._parsed[number]

    def _resolved(self, paragraph: int, who: Span) -> Span | None:
        """The name, or what a pronoun stands for."""
        pronoun = self._words(who).lower()
        if pronoun not in _PRONOUNS:
            return who
        if pronoun in {"i", "we"}:
            return None
        another = False
        for sentence in self._before(paragraph, who.start):
            mentions = [span for span in _mentions(sentence) if span.end <= who.start]
            meant = next((span for span in mentions if self._fits(span, pronoun)), None)
            if meant and not another:
                return None if _is_doubtful(sentence, meant, who, pronoun) else meant
            if meant is None and self._ends_search(sentence, who, mentions):
                return None
            # One who was "he" a moment ago is not "she".
            words = {self._words(span).lower() for span in mentions}
            another = meant is None and (another or _OPPOSITE.get(pronoun) in words)
        return None

    def _before(self, paragraph: int, place: int) -> Iterator[Sentence]:
        """The sentences that start before a place, the last first."""
        for number in range(paragraph, max(-1, paragraph - _PARAGRAPHS), -1):
            for sentence in reversed(self._sentences(number)):
                if sentence.start < place:
                    yield sentence

    def _fits(self, span: Span, pronoun: str) -> bool:
        phrase = self._words(span)
        if phrase.lower() in _PRONOUNS:
            return False
        if pronoun not in _OPPOSITE:
            return not self._is_person(phrase)
        # A surname such as Coleman tells nothing.
        described = _LAST_NAME.sub("", phrase)
        other = _SHE if pronoun == "he" else _HE
        return self._is_person(phrase) and not other.search(described)

    def _ends_search(self, sentence: Sentence, who: Span, mentions: Sequence[Span]) -> bool:
        """Whether the sentence speaks of somebody, but of nobody the pronoun fits."""
        if mentions:
            return any(self._words(span).lower() not in _PRONOUNS for span in mentions)
        whole_before = sentence.start + len(sentence.masked) <= who.start
        return whole_before and bool(re.search(r"\s[A-Z]", sentence.masked))

    def _is_person(self, phrase: str) -> bool:
        """Whether the phrase ends with a name, and does not begin like several people or a body."""
        name = _LAST_NAME.search(phrase)
        if name is None or _NO_PERSON.search(phrase):
            return False
        # A capital at the start of a sentence tells nothing.
        return name.start() > 0 or phrase in self._capitalised

    @cached_property
    def _capitalised(self) -> frozenset[str]:
        """The words that have a capital within a sentence, less an ending 's."""
        return frozenset(_WITHIN_SENTENCE.findall(self._text))

    def _words(self, span: Span) -> str:
        return self._text[span.start : span.end]


def _parse(text: str, block: Block, sentences: Sequence[Span]) -> list[Sentence]:
    """The block's sentences; one that ends inside a quotation goes on in the next."""
    hidden = masked(text[block.start : block.end])
    parsed = []
    start: int | None = None
    for place, sentence in enumerate(sentences, start=1):
        start = sentence.start if start is None else start
        end = sentence.end - block.start
        if place < len(sentences) and hidden[end - 1 : end + 1] == QUOTED * 2:
            continue
        part = hidden[start - block.start : end]
        parsed.append(Sentence(start, part, tuple(_moved(cue, start) for cue in find_cues(part))))
        start = None
    return parsed


def _moved(cue: Cue, by: int) -> Cue:
    who, words, *content = (
        Span(span.start + by, span.end + by) for span in (cue.who, cue.cue, *cue.content)
    )
    return Cue(who, words, tuple(content))


def _innermost(sentences: Sequence[Sentence], claim: Span) -> Cue | None:
    """The cue that reports the claim; of several the one that reports least."""
    fitting = [
        (sum(span.end - span.start for span in content), cue)
        for cue, content in _reports(sentences)
        if _lies_in(claim, cue, content)
    ]
    return min(fitting, key=lambda pair: pair[0])[1] if fitting else None


def _reports(sentences: Sequence[Sentence]) -> Iterator[tuple[Cue, Sequence[Span]]]:
    """The cues of a paragraph, each with a stretch or stretches that it reports."""
    last: Cue | None = None
    waiting: list[Span] = []
    for sentence in sentences:
        if not sentence.masked.strip(QUOTED + " .,"):
            # A quotation alone goes on with the last speaker's words, or starts the next's.
            whole = Span(sentence.start, sentence.start + len(sentence.masked))
            if last is None:
                waiting.append(whole)
            else:
                yield last, (whole,)
            continue
        yield from ((cue, cue.content) for cue in sentence.cues)
        quoting = [cue for cue in sentence.cues if _quotes(sentence, cue)]
        if quoting and sentence.masked.startswith(QUOTED):
            yield from ((quoting[0], (span,)) for span in waiting)
        waiting = []
        last = next(reversed(quoting or sentence.cues), None)


def _quotes(sentence: Sentence, cue: Cue) -> bool:
    return any(
        QUOTED in sentence.masked[span.start - sentence.start : span.end - sentence.start]
        for span in cue.content
    )


def _lies_in(claim: Span, cue: Cue, content: Sequence[Span]) -> bool:
    inside = sum(_overlap(claim, span) for span in content)
    return inside > 0 and inside + _overlap(claim, cue.cue) >= _SHARE * (claim.end - claim.start)


def _overlap(one: Span, other: Span) -> int:
    return max(0, min(one.end, other.end) - max(one.start, other.start))


def _mentions(sentence: Sentence) -> list[Span]:
    """Whom a sentence speaks of foremost: its speakers, the last first, then its subject."""
    mentions = [cue.who for cue in reversed(sentence.cues)]
    if subject := first_subject(sentence.masked):
        mentions.append(Span(subject.start + sentence.start, subject.end + sentence.start))
    return mentions


def _is_doubtful(sentence: Sentence, meant: Span, who: Span, pronoun: str) -> bool:
    """Whether the sentence also speaks of another whom the pronoun could mean."""
    before = sentence.masked[: who.start - sentence.start]
    start, end = meant.start - sentence.start, meant.end - sentence.start
    if pronoun not in _OBJECT:
        speaks = any(cue.who == meant for cue in sentence.cues)
        return not speaks and _CLAUSE.search(before, end) is not None
    others = f"{before[:start]},{before[end:]}"
    return bool(_OBJECT[pronoun].search(before) or _FULL_NAME.search(others))


def _forms(name: str) -> list[str]:
    """The ways to write a name from its first word, its second word, and so on, to its last."""
    words = _TITLE.sub("", name).split()
    return [" ".join(words[place:]) for place in range(len(words))]
