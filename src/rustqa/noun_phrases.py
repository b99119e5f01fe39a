"""Finds whom a sentence of English news speaks of: the noun phrases that stand before and after
its verbs.

The sentence's quotations are masked. Rules on the surface, made to be right rather than complete.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from rustqa.quotations import QUOTED
from rustqa.types import Span
from rustqa.verbs import VERB

# Parts of regular expressions: a class of letters, a pronoun, and the verbs whose form alone tells
# that they are the clause's.
CAPITAL = "A-ZÀ-ÞĆČĐĞİŁŃŘŚŞŠŹŻŽ"
PRONOUN = r"(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|I|[Ww]e)"
FINITE = (
    r"\b(?:is|are|was|were|has|had|have|will|would|can|could|may|might|must|do|does|did|be|been)\b"
)

_PARTICLE = r"(?:de|del|della|van|von|der|den|da|di|du|la|le|al|bin|el|ten|ter|y)"
_WORD_OF_NAME = rf"[{CAPITAL}][\w’'.-]*"
_NAME = rf"{_WORD_OF_NAME}(?:\s(?:{_PARTICLE}\s)*{_WORD_OF_NAME})*"
_TITLED = rf"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.?\s)?{_NAME}"
_TITLED_NAME = re.compile(_TITLED)
_NAME_AT_END = re.compile(rf"(?<![’'])\b{_NAME}$")
_FULL_NAME_AT_END = re.compile(rf"\s[{CAPITAL}]\w[\w’'-]*\s[{CAPITAL}][\w’'-]+$")
_NAME_IN_APPOSITION = re.compile(rf",\s({_TITLED})(?=[,.;]|$)")
_NAME_AT_START = re.compile(rf"{_NAME}(?=,\s|\s[a-z]+s\s)")
_PRONOUN_AT_END = re.compile(rf"\s({PRONOUN})$")
_SHORT_SUBJECT_AT_END = re.compile(
    rf"(?<![\w’'-])(?:{PRONOUN}|(?:the|a|an|his|her|its|their)\s[\w’'-]+|{_NAME})$"
)

# What a subject may begin with, or consist of.
_SUBJECT = re.compile(
    rf"{PRONOUN}$"
    r"|(?i:an?|the|his|her|its|their|one|some|two|three|many|most|several|both|other|another|no"
    r"|those)\s"
    rf"|[{CAPITAL}\d]"
    r"|(?:[a-z’'-]+\s)?(?:[a-z]+(?:s|men|women)|people|police|counsel|staff|media)(?:\s|$)"
)
# "(an institute that) advises the ministry", "(according to) police the driver"
_TWO_PHRASES = re.compile(r"(?:[a-z]+s|police|people)\s(?:an?|the|his|her|its|their)\s")
_CONJUNCTION = re.compile(r"(?:But|And|So|Yet)\s+")
# What stands before the subject.
_PREPOSED = re.compile(
    r"(?:In|On|At|By|For|From|After|Before|During|Since|Under|With|Without|Among|Asked|Over|Until"
    r"|Despite|Unlike|Like|Last|Next|Earlier|Later|Yesterday|Today|Meanwhile|Then|Now|Also|Still"
    r"|Through|Throughout|Across|Around|Inside|Outside|Near|To|Of|Nor|If|When|While|As|Although"
    r"|Though|Because|Once|Speaking|Defending|Prosecuting|Even|Only)\b"
)
_MAX_WORDS = 12
_MAX_WORDS_WITH_NAME = 5
# How many stretches between commas are looked at.
_MAX_PIECES = 5
# Looked at before a verb for the end of a subject, and at a sentence's start for its first, in
# characters.
_NEAR = 200
_OPENING = 1000

# One behind an initial or a title ends nothing.
_FULL_STOP = (
    r"(?<!\b[A-Z])(?<!\b(?:Dr|Mr|Ms|St|Lt))"
    r"(?<!\b(?:Mrs|Sgt|Gov|Sen|Rep|Gen|Maj|Col|Rev))(?<!\b(?:Prof|Capt|Supt|Insp))\."
)
_CLAUSE_BREAK = re.compile(
    rf".*(?:,(?!\d)|[;:–—(]|{_FULL_STOP}\s(?=[{CAPITAL}])|[?!]\s|{QUOTED}"
    r"|\b(?:but|while|because|when|after|before|although|though|that|which|if|whether|with|than"
    r"|where|as|until|so|yet|what)\b)\s*",
    re.DOTALL,
)
_AND = re.compile(r"\band\s")
_VERB_FORM = re.compile(rf"{FINITE}|\w(?:ed|ing)\b")
_CONJUNCTION_AT_END = re.compile(r",? (?:and|but)$")
_WHO = re.compile(r"\swho\s")
_WHO_AT_END = re.compile(r"(?:^|[\s,])(?:who|which)$")
_COMMA_WHO_AT_END = re.compile(r",?\s*(?:who|which)$")
_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
)
_DAY_AT_END = re.compile(rf"\s(?:on\s{_DAY}|yesterday|today|last\s(?:night|week|month|year))$")
_DATE_AT_START = re.compile(
    rf"(?:On|In|By|Since|Last)\s(?:{_DAY}|{_MONTH})(?:\s(?:morning|afternoon|evening|night))?"
    r"(?:\s\d{1,2}\b)?(?:,?\s\d{4}\b)?\s"
)
_ANTECEDENT = re.compile(rf"(?:\b(?:an?|the|his|her|its|their|one|another)\s[^,;]*?|{_NAME})$")
_OF_ANOTHER = re.compile(r".*\b(?:of|to|by|with|from|for|in|at|on)\s(?=an?\s|the\s)")
_BETWEEN_COMMAS = re.compile(r"[^,]+(?:,\d[^,]*)*")
_NO_HEAD = re.compile(r"\s*(?:who|which|\d|\w+ing\s|\w+ed\s)")
# "LISBON, 3 June - ", "NEW YORK (Reuters) – "
_PLACE_OR_DATE = r"(?:[A-Z]\w*\.?|\d+)"
_DATELINE = re.compile(
    rf"[A-Z]{{3,}}(?:\s[A-Z]{{2,}})*(?:(?:,\s|\s\(){_PLACE_OR_DATE}(?:\s{_PLACE_OR_DATE})*\)?)*"
    r"\s[–—-]\s"
)
_PAST = (
    r"(?:[a-z]+(?:ed|ew|ke|lt)|arose|became|began|bought|brought|came|fell|gave|held|kept|led|lost"
    r"|made|met|ran|rose|sat|sent|sold|spent|stood|took|went|won)\b"
)
_FIRST_VERB = re.compile(rf"\s(?:{FINITE}|{VERB.pattern}|{_PAST})")
_NOUN_END = re.compile(
    rf",(?!\d)|{_FULL_STOP}|[;:()–—]"
    r"|\s(?:who|which|that|in|on|at|after|before|during|as|when|while|and|to|with|about)\s"
    rf"|\s?{QUOTED}"
)


def ends_with_name(phrase: str) -> bool:
    """Whether the last words of a noun phrase are a name."""
    return _NAME_AT_END.search(phrase) is not None


def clause_start(text: str, end: int, start: int = 0) -> int:
    """Where the clause begins that goes on at `end`; not before `start`."""
    start = max(start, _dateline_end(text))
    if stop := _CLAUSE_BREAK.match(text, start, end):
        start = stop.end()
    # "A and B said": only what follows "and" if a verb stands before it.
    for conjunction in _AND.finditer(text, start, end):
        left = text[start : conjunction.start()]
        if len(left.split()) > 4 or _VERB_FORM.search(left):
            return conjunction.end()
    return start


def subject_before(text: str, edge: int, participle: bool = False) -> Span | None:
    """The noun phrase or pronoun that ends at `edge`, before its verb."""
    head = text[:edge]
    if _CONJUNCTION_AT_END.search(head) or (participle and head.endswith(",")):
        first = first_subject(text)
        return first if first and first.end <= edge else None
    if head.endswith(","):
        return _before_aside(text, edge - 1)
    if _WHO_AT_END.search(head):
        return _antecedent(text, edge)
    return _noun_phrase(text, clause_start(text, edge), edge)


def first_subject(text: str) -> Span | None:
    """The subject that a sentence begins with."""
    begin = _dateline_end(text)
    if name := _NAME_AT_START.match(text, begin, begin + _OPENING):
        return _trimmed(text, *name.span())
    verb = _FIRST_VERB.search(text, 0, begin + _OPENING)
    if verb is None:
        return None
    end = verb.start()
    if text.endswith(",", 0, end):
        return _before_aside(text, end - 1)
    return _noun_phrase(text, max(begin, text.find(", ", begin, end) + 1), end)


def noun_after(text: str, start: int) -> Span | None:
    """The noun phrase that begins at `start`; where a name stands in apposition to it, the name."""
    stop = _NOUN_END.search(text, start)
    end = stop.start() if stop else len(text)
    noun = _noun_phrase(text, start, end)
    # "said its chairman, Kimmo Rautala"
    name = _NAME_IN_APPOSITION.match(text, end)
    if noun and name and not ends_with_name(text[slice(*noun)]):
        return _trimmed(text, *name.span(1))
    return noun


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """The stretch without white space and punctuation at its ends; None where nothing is left."""
    while start < end and _is_edge(text[start]):
        start += 1
    while start < end and _is_edge(text[end - 1]):
        end -= 1
    return Span(start, end) if start < end else None


def _is_edge(char: str) -> bool:
    return char.isspace() or unicodedata.category(char)[0] in "PZC"


def _dateline_end(text: str) -> int:
    """Where the text begins, behind its place and date."""
    dateline = _DATELINE.match(text)
    return dateline.end() if dateline else 0


def _noun_phrase(text: str, start: int, end: int) -> Span | None:
    """The noun phrase between two places, if what stands there can be one."""
    start += len(text[start:end]) - len(text[start:end].lstrip())
    if date := _DATE_AT_START.match(text, start, end):
        start = date.end()
    if conjunction := _CONJUNCTION.match(text, start, end):
        start = conjunction.end()
    phrase = text[start:end].rstrip()
    if _PREPOSED.match(phrase):
        tail = _SHORT_SUBJECT_AT_END.search(phrase, max(0, len(phrase) - _NEAR))
        return _trimmed(text, start + tail.start(), end) if tail and tail.start() else None
    if who := _WHO.search(phrase):
        phrase = phrase[: who.start()]
    phrase = _DAY_AT_END.sub("", phrase)
    if pronoun := _PRONOUN_AT_END.search(phrase):
        return Span(start + pronoun.start(1), start + pronoun.end(1))
    words = len(phrase.split())
    described = words <= _MAX_WORDS_WITH_NAME and _FULL_NAME_AT_END.search(phrase)
    if words > _MAX_WORDS or re.search(FINITE, phrase) or _TWO_PHRASES.match(phrase):
        return None
    if not (_SUBJECT.match(phrase) or described):
        return None
    return _trimmed(text, start, start + len(phrase))


def _before_aside(text: str, edge: int) -> Span | None:
    """The subject of which something is said between commas, up to `edge`, before its verb."""
    pieces = [
        Span(*piece.span()) for piece in _BETWEEN_COMMAS.finditer(text, _dateline_end(text), edge)
    ]
    for piece, aside in reversed(list(pairwise(pieces[-_MAX_PIECES:]))):
        head = _noun_phrase(text, clause_start(text, piece.end, piece.start), piece.end)
        if head is None or _NO_HEAD.match(text, *piece):
            continue
        name = _trimmed(text, *aside)
        # "the harbour master, Ada Quill, said"
        if name and not ends_with_name(text[slice(*head)]) and _is_name(text[slice(*name)]):
            return name
        return head
    return None


def _is_name(phrase: str) -> bool:
    return _TITLED_NAME.fullmatch(phrase) is not None


def _antecedent(text: str, edge: int) -> Span | None:
    """What the "who" that ends at `edge` refers to."""
    end = len(_COMMA_WHO_AT_END.sub("", text[:edge]))
    start = clause_start(text, len(text[:end].rstrip(QUOTED)))
    words = _ANTECEDENT.search(text, start, end)
    if words is None:
        return None
    # "the mother of a pupil who"
    inner = _OF_ANOTHER.match(text, words.start(), end)
    return _noun_phrase(text, inner.end() if inner else words.start(), end)
