"""Puts readings together that say the same: a claim is shown once, with all its citations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rustqa.types import Reading

# A number with its sign, separators and unit; a word with its apostrophes and hyphens; a sign.
_TOKEN = re.compile(r"(?<!\w)[-+]?\d+(?:[.,:/]\d+)*\w*|\w+(?:['-]\w+)*|[^\w\s]")
_LIKE = str.maketrans("’‘‐‑–−", "''----")
# Of signs, these mean something, beside those of currencies; and these part what is added.
_SIGNS = frozenset("%\N{DEGREE SIGN}")
_MARKS = frozenset(",(:;\N{EM DASH}")
_LEFT_OUT = frozenset({"a", "an", "the"})
_BEFORE = frozenset({"about", "around", "at", "by", "for", "from", "in", "into", "on", "to"})
# Words after which more about the same thing follows: "18 months in prison".
_MORE = frozenset({"at", "because", "by", "during", "for", "in", "on", "since", "who", "with"})
# With one of these it is not the same any more: "guilty in no way", "Ada Quill and Tom Reed".
_TURNING = frozenset(
    {"no", "not", "never", "neither", "nor", "none", "nobody", "nothing", "without", "or", "and"}
    | {"but", "except", "if", "unless", "half", "each", "every", "per", "less", "fewer", "more"}
    | {"than", "of", "against", "as", "to", "all", "both", "few", "many", "most", "other", "some"}
    | {"several", "another", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
)
# A single word inside longer words may mean another thing: "Friday", "Good Friday".
_TELLING = 2
# A title or an office before a name has so many words at most.
_LONGEST_TITLE = 3
_TITLES = frozenset(
    {"captain", "chancellor", "detective", "dr", "governor", "judge", "justice", "king", "lady"}
    | {"lord", "mayor", "minister", "miss", "mr", "mrs", "ms", "president", "prime", "prince"}
    | {"princess", "prof", "professor", "queen", "rev", "senator", "sergeant", "sheriff", "sir"}
)


def agreeing(readings: Sequence[Reading], answers: Sequence[str]) -> list[list[Reading]]:
    """The readings in groups of those whose answers say the same as that of the group's first;
    the groups and the readings in each keep their order."""
    groups: list[tuple[str, list[Reading]]] = []
    for reading, answer in zip(readings, answers, strict=True):
        group = next((group for first, group in groups if say_the_same(answer, first)), None)
        if group is None:
            groups.append((answer, [reading]))
        else:
            group.append(reading)
    return [group for _, group in groups]


def say_the_same(one: str, other: str) -> bool:
    """Whether two answers to one question are the same words, or one is the other with a title
    before it or with more about the same thing behind.

    In doubt they are told apart: what seems confirmed but is not would mislead.
    """
    short, long = sorted((_tokens(one), _tokens(other)), key=len)
    plain = [token.casefold() for token in long]
    wanted = [token.casefold() for token in short]
    if _words(wanted) == _words(plain):
        return bool(_words(wanted))
    size = len(short)
    if len(_words(short)) < _TELLING:
        return False
    is_name = all(token[0].isupper() for token in short)
    return any(
        plain[start : start + size] == wanted
        and (not start or (is_name and _is_title(long[:start])))
        and _is_more(plain[start + size :])
        for start in range(len(long) - size + 1)
    )


def do_not_differ(one: str, other: str) -> bool:
    """Whether two answers say the same, or one names by the last name alone whom the other names
    in full, which is likely but not certain."""
    if say_the_same(one, other):
        return True
    short, long = sorted((_tokens(one), _tokens(other)), key=len)
    named = all(token[0].isupper() and token.isalpha() for token in (*short, *long))
    return named and len(short) == 1 and long[-1:] == short


def _tokens(text: str) -> list[str]:
    """What tells in the text; marks at its end and small words at its start do not."""
    plain = unicodedata.normalize("NFKC", text.translate(_LIKE)).translate(_LIKE)
    tokens = [token for token in _TOKEN.findall(plain) if _tells(token)]
    while tokens and (tokens[-1] in _MARKS):
        del tokens[-1]
    while len(tokens) > 1 and (tokens[0] in _MARKS or tokens[0].casefold() in _BEFORE):
        del tokens[0]
    return tokens


def _tells(token: str) -> bool:
    if token[-1].isalnum() or token[0].isalnum():
        return token.casefold() not in _LEFT_OUT
    return token in _SIGNS or token in _MARKS or unicodedata.category(token) == "Sc"


def _words(tokens: Sequence[str]) -> list[str]:
    return [token for token in tokens if token not in _MARKS]


def _is_title(tokens: Sequence[str]) -> bool:
    """Whether these words before a name say no more than who that is: "Judge", "special
    prosecutor"."""
    return len(tokens) <= _LONGEST_TITLE and all(
        token.casefold() in _TITLES
        or (token.isalpha() and token.islower() and token not in _TURNING | _MORE | _BEFORE)
        for token in tokens
    )


def _is_more(tokens: Sequence[str]) -> bool:
    """Whether these words behind an answer add to it and do not turn it into another."""
    if not tokens:
        return True
    joined = tokens[0] in _MARKS or tokens[0] in _MORE
    return joined and tokens.count(",") <= 1 and _TURNING.isdisjoint(tokens)
