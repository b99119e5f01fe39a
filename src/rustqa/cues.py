"""Finds the cues of reported speech: the speaker, the verb of saying, and what is reported.

A sentence's quotations are masked. Rules on the surface of English news prose, made to be right
rather than complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rustqa.noun_phrases import (
    FINITE,
    PRONOUN,
    clause_start,
    ends_with_name,
    noun_after,
    subject_before,
)
from rustqa.quotations import QUOTED
from rustqa.types import Span
from rustqa.verbs import (
    ALSO_NOUNS,
    INVERTIBLE,
    OF_THINGS,
    UNHEARD,
    VERB,
    WITH_CLAUSE,
    WITH_HEARER,
    WITH_PLAIN_CLAUSE,
)

_ACCORDING = re.compile(r"\b[Aa]ccording to\s")
_PAST_COMMA = re.compile(r",\s")
_PAST_COMMA_AND_VERB = re.compile(rf",\s{FINITE}")
_DESCRIBED_BY = re.compile(
    r"\b(?:described|called|denounced|condemned|branded|dismissed|denied|rejected|hailed)\s"
    r"(?:\w+\s)?by\s(.{2,80}?)\s(?=as\s)"
)
# "accused of theft", "described as big"
_PASSIVE = re.compile(r"\s(?:by|as|of)\s")
# "…, arguing that", "with Roe alleging that"; but "a storm warning"
_BEFORE_PARTICIPLE = re.compile(r",$|\bwith\s[^,]*$")
# Adverbs and auxiliaries between a subject and its verb, and those that make of it no saying.
_BETWEEN = re.compile(
    r"(?:\s+(?:had|has|have|always|since|also|later|then|once|again|earlier|afterwards|already"
    r"|still|now|just|meanwhile|however|further|even|both|all|himself|herself|themselves|[a-z]+ly"
    r"|did|does|do|would|will|could|may|might|can|must|should|not|never|no longer|to"
    r"|is|are|was|were|be|been|being|[a-z]+n['’]t))+$"
)
_UNSAID = re.compile(
    r"\b(?:not|never|no longer|to|is|are|was|were|be|been|being|\w+n['’]t|would|could|might"
    r"|should)\b"
)
# So much before a verb holds what may stand between it and its subject, in characters.
_NEAR = 100

_CLAUSE_ENDS = re.compile(r"\s*(?:[,.;:–—(]|$|\s(?:of|who|in|on|at|after|during|as|when)\b)")
_END = re.compile(r"[,.;]|$")
_CLAUSE_OPENS = re.compile(
    rf"\s*(?:[,:]?\s*{QUOTED}|that\b|how\b|why\b|whether\b|what\b|:"
    rf"|{PRONOUN}\s|(?:there|this|these|those|nothing|nobody|no one|everyone)\s)"
)
_CLAUSE_NEAR = re.compile(rf"[^,;.]{{0,60}}?(?:\sthat\s|{QUOTED}|{FINITE})")
_THAT_NEAR = re.compile(r"\s(?:[\w’']+\s){0,3}that\s")
_CLAUSE_INSIDE = re.compile(rf"\bthat\b|{QUOTED}|\b(?:is|are|was|were|had|has|have|will|would)\b")
_HEARER = re.compile(
    r"(?:\s+(?!that\b)[\w’'.-]+){1,8}?,?(?=:?\s(?:that|how|why|he|she|they|it|there)\s"
    rf"|[:,]?\s*{QUOTED})"
)
# "said on Monday that"
_UP_TO_REPORT = re.compile(
    r"(?:\s(?:on|in|at|to|after|during|from|last|later|early|yesterday|today)\b[^,;]{0,40}?)?"
    r"\sthat\s|\s*[:,]?\s*"
)
_SHORT_REST = re.compile(
    r"(?:[^,.;]{0,40}?|\s(?:after|at|before|during|in|on)\s[^,.;]*)(?=[,.;]|$)"
)
_JOINED = re.compile(r"\b(?:and|but|or),$")
_AND_DID = re.compile(r"\sand\s[a-z]+ed\b")
_AND_IS = re.compile(r"\sand\s(?:has|is|are|will)\s")
_CUT = (
    r";\s|,\sbut\s(?!that\b)|,\s(?:while|although|though|whereas)\s|\s[–—]\s"
    r"|,\sand\s[a-z]+ed\s|,\s[a-z]+ed\sby\s|,\s(?:sa|say|add|argu|tell|accus)\w*ing\s"
)
_CUT_BEHIND = re.compile(_CUT)
_CUT_BEFORE = re.compile(rf"{_CUT}|:\s|,\s(?:\w+\s)?(?:which|who|whom|whose|where)\b")
_RELATIVE_CLAUSE = re.compile(r",\s(?:which|who|whose|whom|where)\s[^,;]*(?:,|$)")
_PRONOUN = re.compile(PRONOUN)

# Prose has no longer sentences, in characters outside quotations and in all, nor more verbs of
# saying in one; the time taken grows with the product of length and number.
_MAX_OWN = 2000
_MAX_LENGTH = 10_000
_MAX_SIGNS = 30


class Cue(NamedTuple):
    """A mention of a speaker with its verb, as places in the text: who, the words that attribute,
    and the stretches reported. `who` may be a pronoun."""

    who: Span
    cue: Span
    content: tuple[Span, ...]


def find_cues(text: str) -> list[Cue]:
    """The cues in one sentence, its quotations masked; places count in the sentence."""
    if not _is_prose(text):
        return []
    of_verbs = (_of_verb(text, verb) for verb in VERB.finditer(text))
    cues = [*_according(text), *_described_by(text), *filter(None, of_verbs)]
    # "… told her so, the singer announced": the inner report ends where the outer cue begins.
    outer = [cue.cue.start for cue in cues if cue.content and cue.content[0] < cue.cue]
    return [_ending(cue, [place for place in outer if place > cue.cue.start]) for cue in cues]


def _is_prose(text: str) -> bool:
    own = len(text) - text.count(QUOTED)
    if own > _MAX_OWN or len(text) > _MAX_LENGTH:
        return False
    return sum(len(sign.findall(text)) for sign in (VERB, _ACCORDING)) <= _MAX_SIGNS


def _ending(cue: Cue, places: Sequence[int]) -> Cue:
    """The cue with its content cut at the first of the places."""
    if not places:
        return cue
    end = min(places)
    kept = (span._replace(end=min(span.end, end)) for span in cue.content if span.start < end)
    return cue._replace(content=tuple(kept))


def _according(text: str) -> Iterator[Cue]:
    for match in _ACCORDING.finditer(text):
        if noun := noun_after(text, match.end()):
            cue = Span(match.start(), noun.end)
            # "According to Roe, it rained"; "the rain, according to Roe, was warm"
            goes_on = _PAST_COMMA if match.start() == 0 else _PAST_COMMA_AND_VERB
            yield Cue(noun, cue, _around(text, cue, aside=not goes_on.match(text, noun.end)))


def _described_by(text: str) -> Iterator[Cue]:
    for match in _DESCRIBED_BY.finditer(text):
        if noun := noun_after(text, match.start(1)):
            yield Cue(noun, Span(match.start(), match.end(1)), _behind(text, match.end()))


def _of_verb(text: str, verb: re.Match[str]) -> Cue | None:
    edge = len(text[: verb.start()].rstrip())
    participle = verb.group().endswith("ing")
    if _PASSIVE.match(text, verb.end()) or (
        participle and not _BEFORE_PARTICIPLE.search(text, 0, edge)
    ):
        return None
    if cue := _inverted(text, verb, edge):
        return cue
    between = _BETWEEN.search(text, max(0, edge - _NEAR), edge)
    if between and _UNSAID.search(between.group()):
        return None
    who = subject_before(text, between.start() if between else edge, participle)
    if who is None or (verb.group() in ALSO_NOUNS and not _is_named(text[slice(*who)])):
        return None
    return _inserted(text, who, verb) or _reporting(text, who, verb)


def _inverted(text: str, verb: re.Match[str], edge: int) -> Cue | None:
    """“…,” said Ada Quill; he has not been seen since, said Ada Quill."""
    quoted = text[:edge].rstrip(",").endswith(QUOTED)
    if not quoted and not (text.endswith(",", 0, edge) and verb.group() in INVERTIBLE):
        return None
    noun = noun_after(text, verb.end())
    if noun is None:
        return None
    if not quoted and not ends_with_name(text[slice(*noun)]):
        return None
    if not (_CLAUSE_ENDS if quoted else _END).match(text, noun.end):
        return None
    cue = Span(verb.start(), noun.end)
    return Cue(noun, cue, _around(text, cue))


def _inserted(text: str, who: Span, verb: re.Match[str]) -> Cue | None:
    """It is, she said, a little fast; …, he added."""
    begin = _subject_start(text, who, verb.start())
    lead = text[:begin].rstrip()
    rest = _SHORT_REST.match(text, verb.end())
    if not lead.endswith((",", QUOTED)) or rest is None or _CLAUSE_INSIDE.search(rest.group()):
        return None
    around = _around(text, Span(begin, rest.end()), aside=lead.endswith(QUOTED))
    # What another clause says is not reported with it: "…, and, she said, …".
    return Cue(who, _cue(who, verb), around[1:] if _JOINED.search(lead) else around)


def _reporting(text: str, who: Span, verb: re.Match[str]) -> Cue | None:
    """She said that it rained; she told him that it rained; she described it as rain."""
    word = verb.group()
    start = verb.end()
    if word in WITH_HEARER:
        hearer = _HEARER.match(text, start)
        if hearer is None and (word not in UNHEARD or not _CLAUSE_OPENS.match(text, start)):
            return None
        start = hearer.end() if hearer else start
    if word in WITH_CLAUSE and not _opens_clause(text, start, word):
        return None
    if up_to := _UP_TO_REPORT.match(text, start):
        start = up_to.end()
    content = _behind(text, start, word)
    return Cue(who, _cue(who, verb), content) if content else None


def _cue(who: Span, verb: re.Match[str]) -> Span:
    return Span(min(who.start, verb.start()), verb.end())


def _subject_start(text: str, who: Span, verb: int) -> int:
    """Where the subject begins, of which `who` may be a part: "the director, Ada Quill, said"."""
    lead = text[: who.start].rstrip()
    if "," in text[who.end : verb] and lead.endswith(","):
        return clause_start(text, len(lead) - 1)
    return who.start


def _is_named(phrase: str) -> bool:
    return _PRONOUN.fullmatch(phrase) is not None or ends_with_name(phrase)


def _opens_clause(text: str, start: int, verb: str) -> bool:
    """Whether a clause or a quotation follows the verb, perhaps behind a few words."""
    near = _THAT_NEAR if verb in WITH_PLAIN_CLAUSE else _CLAUSE_NEAR
    return any(pattern.match(text, start) for pattern in (_CLAUSE_OPENS, near))


def _around(text: str, cue: Span, aside: bool = True) -> tuple[Span, ...]:
    """What stands before and behind a cue; with `aside`, the words behind it, but for quotations,
    tell of the speaker."""
    ahead = max((cut.end() for cut in _CUT_BEFORE.finditer(text, 0, cue.start)), default=0)
    end = _cut(text, cue.end)
    quotation = text.find(QUOTED, cue.end) if aside else cue.end
    spans = (Span(ahead, cue.start), Span(quotation if quotation >= 0 else end, end))
    return tuple(span for span in spans if span.start < span.end)


def _behind(text: str, start: int, verb: str = "") -> tuple[Span, ...]:
    """What is reported from `start` on, less the clauses in which the article explains a word."""
    end = _cut(text, start)
    # "… described it as an insult and stayed away"; "… said it was worn out and has gone"
    for done in (
        verb in OF_THINGS and _AND_DID.search(text, start, end),
        verb.endswith("d") and _AND_IS.search(text, start, end),
    ):
        end = min(end, done.start()) if done else end
    spans = []
    for clause in _RELATIVE_CLAUSE.finditer(text, start, end):
        spans.append(Span(start, clause.start()))
        start = clause.end()
    spans.append(Span(start, end))
    return tuple(span for span in spans if span.start < span.end)


def _cut(text: str, start: int) -> int:
    """Where what is reported from `start` on ends."""
    cut = _CUT_BEHIND.search(text, start)
    return cut.start() if cut else len(text)
