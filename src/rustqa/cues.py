"""Finds the cues of reported speech in a sentence: the subject, its verb of saying, what it reports.

Rules on the surface of English news prose, made to be right rather than complete.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from rustqa.types import Span

# Stands for each character of a quotation, so that what is quoted is not read as the article's.
QUOTED = "\N{OBJECT REPLACEMENT CHARACTER}"

# Their object is what was said.
_PLAIN = (
    "said says say saying stated states stating argued argues argue arguing contended contends"
    " contend alleged alleges allege alleging testified testifies testify insisted insists insist"
    " insisting maintained maintains maintain asserted asserts countered counters replied replies"
    " retorted retorts complained complains complain conceded concedes explained explains"
    " joked jokes quipped quips reckons reckon thinks think believes believe suspects predicted"
    " predicts predict predicting warned warns warn warning protested"
    " speculated cautioned denied denies deny denying estimated estimates estimate told tells"
    " tell telling assured assures informed answered answers"
)
# Mean saying only where a clause, or a quotation, follows.
_WITH_CLAUSE = (
    "claimed claims claim claiming added adds adding noted notes note noting found finds acknowledged acknowledges recalled recalls stressed"
    " stresses emphasised emphasized declared declares remarked remarks observed commented comments"
    " suggested suggests suggesting hinted admitted admits confirmed confirms announced announces"
    " reported reports revealed disclosed concluded concludes ruled rules ruling responded promised"
    " promises pledged vowed wrote writes swore mentioned contested believed"
    " hopes hoped fears feared stipulated asked agreed agrees"
)
# Their object is what was spoken of, and how it was spoken of is the speaker's.
_OF_THINGS = (
    "accused accuses accuse accusing called calls"
    " call calling described describes describe describing likened likens attributed attributes"
    " blamed blames blame blaming criticised criticized branded"
)
_ALL = f"{_PLAIN} {_WITH_CLAUSE} {_OF_THINGS}".split()
_VERB = re.compile(rf"(?<![\w’'-])(?:{'|'.join(sorted(_ALL, key=len, reverse=True))})(?![\w’'-])")
_CLAUSAL = frozenset(_WITH_CLAUSE.split())
_THINGS = frozenset(_OF_THINGS.split())
# Also plural nouns: "the notes were", "five claims".
_NOUNS = frozenset(
    "notes reports claims calls estimates promises answers rules fears hopes".split()
)
_HEARD = frozenset("told tells tell telling assured assures informed warned reminded asked".split())

_PRONOUN = r"(?:[Hh]e|[Ss]he|[Tt]hey|[Ii]t|I|[Ww]e)"
_PARTICLE = r"(?:de|del|della|van|von|der|den|da|di|du|la|le|al|bin|el|ten|ter|y)"
_NAME = rf"[A-ZÀ-ÞŁŠŽČ][\w’'.-]*(?:\s(?:{_PARTICLE}\s)*[A-ZÀ-ÞŁŠŽČ][\w’'.-]*)*"
_BARE_NAME = re.compile(rf"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.?\s)?{_NAME}")
# What may stand between a subject and its verb.
_BETWEEN = re.compile(
    r"(?:\s+(?:had|has|have|always|since|also|later|then|once|again|earlier|afterwards|already|still|now|just"
    r"|meanwhile|however|further|even|both|all|himself|herself|themselves|[a-z]+ly"
    r"|did|does|do|would|will|could|may|might|can|must|should|not|never|no longer|to"
    r"|is|are|was|were|be|been|being|[a-z]+n['’]t))+$"
)
_NOT_SAID = re.compile(
    r"\b(?:not|never|no longer|to|is|are|was|were|be|been|being|\w+n['’]t|would|could|might|should)\b"
)
_STOP = re.compile(
    r".*(?:,(?!\d)|[;:–—(]|\b(?:but|while|because|when|after|before|although|though|that|which|if|whether"
    rf"|with|than|where|as|until|so|yet|what)\b|{QUOTED})\s*",
    re.DOTALL,
)
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|had|have|will|would|can|could|may|might|must|do|does|did|be|been)\b"
)
_PREPOSED = re.compile(
    r"(?:In|On|At|By|For|From|After|Before|During|Since|Under|With|Without|Among|Asked|Over|Until"
    r"|Despite|Unlike|Like|Last|Next|Earlier|Later|Yesterday|Today|Meanwhile|Then|Now|Also|Still"
    r"|Through|Throughout|Across|Around|Inside|Outside|Near|To|Of|Nor|If|When|While|As|Although"
    r"|Though|Because|Once|Speaking|Defending|Prosecuting|But|And|So|Yet|Even|Only)\b"
)
_TAIL = re.compile(rf"(?:{_PRONOUN}|(?:the|a|an|his|her|its|their)\s[\w’'-]+|{_NAME})$")
_SUBJECT = re.compile(
    rf"(?:{_PRONOUN}$|(?i:an?|the|his|her|its|their|one|some|two|three|many|most|several|both|other"
    r"|another|no|those)\s|[A-ZÀ-ÞŁŠŽČ\d]"
    r"|(?:[a-z’'-]+\s)?(?:[a-z]+(?:s|men|women)|people|police|counsel|staff|media)(?:\s|$))"
)
_MAX_SUBJECT_WORDS = 12
# Prose has no longer sentences, and what takes its time does so with the square of the length.
_MAX_SENTENCE = 2000
_CUT = re.compile(
    r";\s|,\sbut\s(?!that\b)|,\s(?:while|although|though|whereas)\s|\s[–—]\s"
    r"|,\sand\s[a-z]+ed\s|,\s[a-z]+ed\sby\s|,\s(?:sa|say|add|argu|tell|accus)\w*ing\s"
)
_CUT_BEFORE = re.compile(rf"{_CUT.pattern}|:\s|,\s(?:\w+\s)?(?:which|who|whom|whose|where)\b")
_ACCORDING = re.compile(r"\b[Aa]ccording to\s")
_BY = re.compile(
    r"\b(?:described|called|denounced|condemned|branded|dismissed|denied|rejected|hailed)\s"
    r"(?:\w+\s)?by\s(.{2,80}?)\s(?=as\s)"
)
_NOUN_END = re.compile(
    r",(?!\d)|[.;:()–—]|\s(?:who|which|that|in|on|at|after|before|during|as|when|while|and|to|with|about)\s"
    rf"|\s?{QUOTED}|$"
)
_CLAUSE = re.compile(
    rf"\s*(?:[,:]?\s*{QUOTED}|that\b|how\b|why\b|whether\b|what\b|:"
    rf"|{_PRONOUN}\s|(?:there|this|these|those|nothing|nobody|no one|everyone)\s)"
)
_HEARER = re.compile(
    r"(?:\s+(?!that\b)[\w’'.-]+){1,8}?,?(?=:?\s(?:that|how|why|he|she|they|it|there)\s"
    rf"|[:,]?\s*{QUOTED})"
)
_WHEN = r"(?:\s(?:on|in|at|to|after|during|from|last|later|early|yesterday|today)\b[^,;]{0,40}?)?"
_THAT = re.compile(rf"{_WHEN}\sthat\s|\s*[:,]?\s*")
_TAKES_PART = re.compile(r",$|\bwith\s[^,]*$")
_STRICT = frozenset("found finds noted notes note reported reports ruled rules".split())
_INVERTED = frozenset("said says say according argued added warned explained".split())
_CLAUSE_END = re.compile(r"\s*(?:[,.;:–—(]|$|\s(?:of|who|in|on|at|after|during|as|when)\b)")
_SHORT_REST = re.compile(
    r"(?:[^,.;]{0,40}?|\s(?:after|at|before|during|in|on)\s[^,.;]*)(?=[,.;]|$)"
)


_ASIDE = re.compile(r",\s(?:which|who|whose|whom|where)\s[^,;]*(?:,|$)")


class Cue(NamedTuple):
    """A mention of a speaker with its verb, as places in the text: who, the words that attribute,
    and the stretches reported. `who` may be a pronoun."""

    who: Span
    cue: Span
    content: tuple[Span, ...]


_SINGLE = re.compile(r"(?<!\w)['‘](?=\w)[^'’]*(?:['’]\w[^'’]*)*[,.?!]['’](?!\w)")


def masked(text: str) -> str:
    """The text with each quotation, marks included, replaced by as many QUOTED."""
    text = _SINGLE.sub(lambda match: QUOTED * len(match.group()), text)
    out = list(text)
    opened = None
    for place, char in enumerate(text):
        if char == "“" or (char == '"' and opened is None):
            opened = place if opened is None else opened
        elif char in '”"' and opened is not None:
            out[opened : place + 1] = QUOTED * (place + 1 - opened)
            opened = None
    # A quotation that goes on in the next paragraph has no closing mark.
    if opened is not None:
        out[opened:] = QUOTED * (len(out) - opened)
    return "".join(out)


def find_cues(text: str) -> list[Cue]:
    """The cues in one sentence, its quotations masked; places count in the sentence."""
    if len(text) > _MAX_SENTENCE:
        return []
    cues = [*_by_phrase(text)]
    for match in _VERB.finditer(text):
        cues += _of_verb(text, match)
    # "… told her so, the singer announced": the inner report ends where the outer cue begins.
    trailing = [
        cue.cue.start for cue in cues if cue.content[:1] and cue.content[0].start < cue.cue.start
    ]
    return [
        cue._replace(
            content=tuple(
                _clipped(cue, min([t for t in trailing if t > cue.cue.start] or [len(text)]))
            )
        )
        for cue in cues
    ]


def _clipped(cue: Cue, end: int) -> Iterator[Span]:
    for span in cue.content:
        if span.start < end:
            yield Span(span.start, min(span.end, end))


def _by_phrase(text: str) -> Iterator[Cue]:
    """The cues "according to N" and "described by N as"."""
    for match in _ACCORDING.finditer(text):
        noun = _noun_after(text, match.end())
        if noun:
            yield Cue(noun, Span(match.start(), noun.end), _around(text, match.start(), noun.end))
    for match in _BY.finditer(text):
        noun = _noun_after(text, match.start(1))
        if noun:
            end = match.end()
            yield Cue(noun, Span(match.start(), end), _reported(text, end, _cut(text, end)))


def _of_verb(text: str, verb: re.Match[str]) -> Iterator[Cue]:
    before, after = text[: verb.start()].rstrip(), text[verb.end() :]
    word = verb.group()
    # "accused of theft", "described as big"; "a storm warning"
    if re.match(r"\s(?:by|as|of)\s", after) or (
        word.endswith("ing") and not _TAKES_PART.search(before)
    ):
        return
    quoted = before.rstrip(",").endswith(QUOTED)
    # “…,” said Ada Quill; he has not been seen since, said Ada Quill
    inverted = quoted or (before.endswith(",") and word in _INVERTED)
    if (
        inverted
        and (noun := _noun_after(text, verb.end()))
        and (_CLAUSE_END.match(text, noun.end) if quoted else _ends_with_name(text, noun))
    ):
        around = _around(text, verb.start(), noun.end, aside=True)
        yield Cue(noun, Span(verb.start(), noun.end), around)
        return
    between = _BETWEEN.search(before)
    if between and _NOT_SAID.search(between.group()):
        return
    edge = between.start() if between else len(before)
    who = subject_before(text, edge, participle=word.endswith("ing"))
    if who is None or (word in _NOUNS and not _named(text[who.start : who.end])):
        return
    cue = Span(min(who.start, verb.start()), verb.end())
    # …, he added. / It is, she said, a little fast: what is reported stands before or around.
    begin = _begin(text, who, verb.start())
    lead = text[:begin].rstrip()
    rest = _SHORT_REST.match(after)
    if lead.endswith((",", QUOTED)) and rest and not _CLAUSE_INSIDE.search(rest.group()):
        around = _around(text, begin, verb.end() + rest.end(), aside=lead.endswith(QUOTED))
        if re.search(r"\b(?:and|but|or),$", lead):
            around = around[1:]
        yield Cue(who, cue, around)
        return
    if word in _HEARD:
        hearer = _HEARER.match(after)
        if hearer is None:
            return
        after = after[hearer.end() :]
    if word in _CLAUSAL and not _opens_clause(after, word in _STRICT):
        return
    start = len(text) - len(after)
    if that := _THAT.match(after):
        start += that.end()
    end = _cut(text, start)
    # "… described it as an insult and stayed away"
    if word in _THINGS and (done := re.search(r"\sand\s[a-z]+ed\b", text[start:end])):
        end = start + done.start()
    # "… said it was considering that and has until Friday"
    if word.endswith("d") and (done := re.search(r"\sand\s(?:has|is|are|will)\s", text[start:end])):
        end = start + done.start()
    if end > start:
        yield Cue(who, cue, _reported(text, start, end))


def _begin(text: str, who: Span, verb: int) -> int:
    """Where the subject begins, of which `who` may be a part: "the director, Ada Quill, said"."""
    if "," not in text[who.end : verb]:
        return who.start
    head = text[: who.start].rstrip()
    return _clause_start(head[:-1]) if head.endswith(",") else who.start


_CLAUSE_INSIDE = re.compile(rf"\bthat\b|{QUOTED}|\b(?:is|are|was|were|had|has|have|will|would)\b")


def _named(phrase: str) -> bool:
    return bool(re.fullmatch(_PRONOUN, phrase) or _NAME_AT_END.search(phrase))


def _ends_with_name(text: str, noun: Span) -> bool:
    """Whether the noun phrase does, and the clause with it."""
    named = _NAME_AT_END.search(text[noun.start : noun.end])
    return named is not None and text[noun.end : noun.end + 1] in {"", ",", ".", ";"}


def _opens_clause(after: str, strict: bool) -> bool:
    """Whether a clause or a quotation follows the verb, perhaps behind a few words; with
    `strict`, one that starts like a clause."""
    if strict:
        return bool(_CLAUSE.match(after) or re.match(r"\s(?:[\w’']+\s){0,3}that\s", after))
    within = re.match(rf"[^,;.]{{0,60}}?(?:\sthat\s|{QUOTED}|{_FINITE.pattern})", after)
    return bool(_CLAUSE.match(after) or within)


def subject_before(text: str, edge: int, participle: bool = False) -> Span | None:
    """The noun phrase or pronoun that ends at `edge`, before its verb."""
    head = text[:edge]
    if re.search(r",? (?:and|but)$", head):
        return first_subject(text)
    if head.endswith(","):
        return first_subject(text) if participle else _before_parenthesis(text, edge - 1)
    if re.search(r"(?:^|[\s,])(?:who|which)$", head):
        return _antecedent(text, edge)
    return _noun_phrase(text, _clause_start(head), edge)


def _clause_start(head: str) -> int:
    stop = _STOP.match(head)
    start = stop.end() if stop else 0
    # "A and B said": only what follows "and" if a verb stands before it.
    for match in re.finditer(r"\band\s", head[start:]):
        left = head[start : start + match.start()]
        if len(left.split()) > 4 or _FINITE.search(left) or re.search(r"\w(?:ed|ing)\b", left):
            return start + match.end()
    return start


def _noun_phrase(text: str, start: int, end: int) -> Span | None:
    start += len(text[start:end]) - len(text[start:end].lstrip())
    phrase = text[start:end].rstrip()
    if _PREPOSED.match(phrase):
        tail = _TAIL.search(phrase)
        return Span(start + tail.start(), start + tail.end()) if tail and tail.start() else None
    if who := re.search(r"\swho\s", phrase):
        phrase = phrase[: who.start()]
    if pronoun := re.search(rf"\s({_PRONOUN})$", phrase):
        return Span(start + pronoun.start(1), start + pronoun.end(1))
    described = len(phrase.split()) < 6 and _FULL_NAME_AT_END.search(phrase)
    if (
        not phrase
        or not (_SUBJECT.match(phrase) or described)
        or _FINITE.search(phrase)
        or len(phrase.split()) > _MAX_SUBJECT_WORDS
    ):
        return None
    return Span(start, start + len(phrase))


def _before_parenthesis(text: str, edge: int) -> Span | None:
    """The subject of which something is said between commas before its verb."""
    pieces = [(m.start(), m.end()) for m in re.finditer(r"[^,]+(?:,\d[^,]*)*", text[:edge])]
    for place in range(len(pieces) - 2, max(-1, len(pieces) - 5), -1):
        start, end = pieces[place]
        head = _noun_phrase(text, start + _clause_start(text[start:end]), end)
        aside = text[slice(*pieces[place + 1])].strip()
        if head is None or re.match(r"\s*(?:who|which|\d|\w+ing\s|\w+ed\s)", text[start:end]):
            continue
        named = _NAME_AT_END.search(text[head.start : head.end])
        if not named and _BARE_NAME.fullmatch(aside):
            first = text.index(aside, pieces[place + 1][0])
            return Span(first, first + len(aside))
        return head
    return None


_FULL_NAME_AT_END = re.compile(r"\s[A-Z]\w[\w’'-]*\s[A-ZÀ-ÞŁŠŽČ][\w’'-]+$")
_NAME_AT_END = re.compile(rf"(?<![’'])\b{_NAME}$")


def _antecedent(text: str, edge: int) -> Span | None:
    """What "who" at `edge` refers to."""
    head = re.sub(r",?\s*(?:who|which)$", "", text[:edge])
    start = _clause_start(head.rstrip(QUOTED))
    words = re.search(
        rf"(?:\b(?:an?|the|his|her|its|their|one|another)\s[^,;]*?|{_NAME})$", head[start:]
    )
    if words is None:
        return None
    inner = re.match(r".*\b(?:of|to|by|with|from|for|in|at|on)\s(?=an?\s|the\s)", words.group())
    first = start + words.start() + (inner.end() if inner else 0)
    return _noun_phrase(text, first, len(head))


_DATELINE = re.compile(r"[A-Z]{3}[^–—-]{0,40}\s[–—-]\s")


def first_subject(text: str) -> Span | None:
    """The subject that a sentence begins with."""
    dateline = _DATELINE.match(text)
    begin = dateline.end() if dateline else 0
    if named := re.compile(rf"{_NAME}(?=,\s|\s[a-z]+s\s)").match(text, begin):
        return Span(*named.span())
    verb = re.search(rf"\s(?:(?:{_FINITE.pattern})|{_VERB.pattern}|[a-z]+(?:ed|ew|ke|lt)\b)", text)
    if verb is None:
        return None
    end = verb.start()
    if text[:end].endswith(","):
        return _before_parenthesis(text, end - 1)
    return _noun_phrase(text, max(begin, text.find(", ", begin, end) + 1), end)


def _noun_after(text: str, start: int) -> Span | None:
    start += len(text[start:]) - len(text[start:].lstrip())
    stop = _NOUN_END.search(text, start)
    end = stop.start() if stop else len(text)
    for title in re.finditer(
        r"\b(?:Dr|Mr|Mrs|Ms|Prof|St|Sgt|Capt|Lt|Gov|Sen|Rep)\.$", text[: end + 1]
    ):
        if title.start() >= start and (again := _NOUN_END.search(text, end + 1)):
            end = again.start()
    noun = _noun_phrase(text, start, end)
    # "said its chairman, Kimmo Rautala": the name tells more.
    aside = re.match(rf",\s((?:(?:Dr|Mr|Mrs|Ms)\.?\s)?{_NAME})(?=[,.;]|$)", text[end:])
    if noun and aside and not _NAME_AT_END.search(text[noun.start : noun.end]):
        return Span(end + aside.start(1), end + aside.end(1))
    return noun


def _around(text: str, start: int, end: int, aside: bool = True) -> tuple[Span, ...]:
    """What stands before and behind the cue between `start` and `end`; with `aside`, words that
    follow it, but for quotations, tell of the speaker."""
    ahead = max((m.end() for m in _CUT_BEFORE.finditer(text, 0, start)), default=0)
    behind = _cut(text, end)
    if aside:
        quotation = text.find(QUOTED, end)
        end = quotation if quotation >= 0 else behind
    return tuple(span for span in (Span(ahead, start), Span(end, behind)) if span.end > span.start)


def _reported(text: str, start: int, end: int) -> tuple[Span, ...]:
    """The stretch without the clauses in which the article explains a word of it."""
    spans = []
    for aside in _ASIDE.finditer(text, start, end):
        spans.append(Span(start, aside.start()))
        start = aside.end()
    return (*spans, Span(start, end))


def _cut(text: str, start: int) -> int:
    """Where what is reported from `start` on ends."""
    cut = _CUT.search(text, start)
    return cut.start() if cut else len(text)
