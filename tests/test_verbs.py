"""Verbs of saying: each is known by what stands behind it, and found as a whole word."""

from __future__ import annotations

import pytest

from rustqa import verbs


def test_each_verb_has_one_kind() -> None:
    """What follows a verb is what was said, a clause, or a thing; of these kinds it has one."""
    kinds = (verbs.OF_SPEECH, verbs.WITH_CLAUSE, verbs.OF_THINGS)
    assert sum(map(len, kinds)) == len(frozenset().union(*kinds))


@pytest.mark.parametrize(
    ("some", "of"),
    [
        (verbs.WITH_PLAIN_CLAUSE, verbs.WITH_CLAUSE),
        (verbs.UNHEARD, verbs.WITH_HEARER),
        (verbs.ALSO_NOUNS, verbs.OF_SPEECH | verbs.WITH_CLAUSE | verbs.OF_THINGS),
        (verbs.WITH_HEARER, verbs.OF_SPEECH | verbs.WITH_CLAUSE),
        (verbs.INVERTIBLE, verbs.OF_SPEECH | verbs.WITH_CLAUSE),
    ],
)
def test_what_holds_of_some_is_said_of_known_verbs(
    some: frozenset[str], of: frozenset[str]
) -> None:
    """A rule on a verb that is not looked for would do nothing."""
    assert some
    assert some <= of


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She said it.", ["said"]),
        ("He says she told him.", ["says", "told"]),
        ("The aforesaid essays; a hear-say; he’said; unclaimed", []),
        ("a told-you-so", []),
    ],
)
def test_verbs_are_whole_words(text: str, found: list[str]) -> None:
    """Neither parts of words nor parts of compounds are verbs."""
    assert verbs.VERB.findall(text) == found
