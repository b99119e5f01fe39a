"""Tells which earlier questions a question leans on, and holds what it becomes with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

# A chain of follow-ups is followed back so far to the question that stands alone.
LONGEST_CHAIN = 4

_OPENER = re.compile(r"\W*(?:and|but|so|then|also|(?:how|what) about)\b", re.I)
# Words that ask without saying of what; a question of these alone leans ("How long?", "Why not?").
_ASKING = re.compile(
    r"(?:\W|\b(?:an?|and|anyone|anything|are|at|by|come|did|do|does|else|exactly|far|for|from|had|has"
    r"|have|how|in|is|long|many|much|not|of|often|old|on|really|so|soon|the|to|was|were|what|when"
    r"|where|which|who|whom|whose|why|with|would)\b)*",
    re.I,
)
# Asks for no more than when, whom or how many: "Since when?", "Out of how many?"
_BARE = re.compile(
    r"\W*(?:about|at|by|for|from|in|of|on|out of|since|till?|until|with)\s"
    r"(?:how|what|when|where|which|whom)\b(?:\W+\w+){0,2}\W*",
    re.I,
)
# These point outside the question.
_POINTER = re.compile(
    r"\b(?:him|hers|them|theirs|it|this|these|those|others)\b"
    r"|\b(?:the\s(?:other|others|same|latter|former|first|second|third|last|next)|that|which)\sones?\b"
    r"|\bthe\s(?:others?|latter|former)\b"
    # "her" with no noun behind it
    r"|\bher\b(?=\W*(?:$|[?.,]|(?:to|about|in|on|at|for|from|with|by|after|before|and)\b))",
    re.I,
)
# These may point at somebody named in the question before them.
_BOUND = re.compile(r"\b(?:he|she|they|his|her|its|their)\b", re.I)
_ANTECEDENT = re.compile(
    r"(?<=\S\s)[A-Z]\w|\b(?:the|an?|any|each|every|which|someone|anyone)\s\w", re.S
)
# "that" and "there" where they are neither a conjunction nor filling a place.
_THAT = re.compile(
    r"\b(?:that|then)(?=\W*$)|\b(?:about|after|at|before|by|can|did|do|does|during|for|from|had|has"
    r"|have|in|is|like|of|on|since|to|until|was|were|will|with|would)\sthat\b",
    re.I,
)
_THERE = re.compile(r"(?<!is )(?<!are )(?<!was )(?<!were )(?<!been )(?<!be )\bthere(?=\W*$)", re.I)
# "Is it true that", "what is it like to", "how long did it take to"
_FILLER = re.compile(
    r"\b(?:is|was|will|would|could)\sit\s(?:be\s)?(?:(?:\w+ly\s)?(?:true|clear|known|likely|possible"
    r"|legal|safe|expected|thought|certain|right|wrong|ok|okay)(?=\s\w)|like(?=\sto\s)"
    r"|going to (?:rain|snow)\b)"
    r"|\bit\s(?:take|takes|took|cost|costs)\b(?=.*\bto\s\w)",
    re.I,
)


def leans(question: str) -> bool:
    """Whether the question cannot be understood without what was said before."""
    if question.isupper():
        # Its capitals mark no names.
        question = question.lower()
    if _ASKING.fullmatch(question) or _BARE.fullmatch(question) or _OPENER.match(question):
        return True
    plain = _FILLER.sub("", question)
    if _POINTER.search(plain) or _THAT.search(plain) or _THERE.search(plain):
        return True
    pronoun = _BOUND.search(plain)
    return pronoun is not None and not _ANTECEDENT.search(plain, 0, pronoun.start())


class Asked(NamedTuple):
    """A question, its spelling corrected, the earlier ones that it leans on, what answers the
    first and the last of those, and, where there are several, the article that they are about."""

    question: str
    turns: tuple[str, ...]
    answers: tuple[str, ...]
    article: str | None = None

    @property
    def whole(self) -> str:
        """The question with those it leans on, which stands alone."""
        return " ".join((*self.turns, self.question))

    @property
    def contexts(self) -> list[tuple[str, ...]]:
        """What the question is read behind: nothing, those questions, their answers."""
        ends = tuple(dict.fromkeys((*self.turns[:1], *self.turns[-1:])))
        return list(dict.fromkeys(((), ends, self.answers)))


def leans_on(question: str, turns: Sequence[str]) -> tuple[str, ...]:
    """The earlier questions without which the question cannot be understood, oldest first.

    The last one, and where that leans itself, what it leans on; none if the question stands
    alone.
    """
    chain: list[str] = []
    leaning = question
    while leans(leaning) and len(chain) < min(LONGEST_CHAIN, len(turns)):
        leaning = turns[-1 - len(chain)]
        chain.insert(0, leaning)
    return tuple(chain)
