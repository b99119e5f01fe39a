"""The verbs with which English news reports what somebody says, by what stands behind them."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Their object is what was said.
OF_SPEECH = _words(
    "said says say saying stated states stating argued argues argue arguing contended contends"
    " contend alleged alleges allege alleging testified testifies testify insisted insists insist"
    " insisting maintained maintains maintain asserted asserts countered counters replied replies"
    " retorted retorts complained complains complain conceded concedes explained explains joked"
    " jokes quipped quips reckons reckon thinks think believes believe suspects predicted predicts"
    " predict predicting warned warns warn warning protested speculated cautioned denied denies"
    " deny denying estimated estimates estimate told tells tell telling assured assures informed"
    " answered answers"
)
# They mean saying only where a clause or a quotation follows.
WITH_CLAUSE = _words(
    "claimed claims claim claiming added adds adding noted notes note noting found finds"
    " acknowledged acknowledges recalled recalls stressed stresses emphasised emphasized declared"
    " declares remarked remarks observed commented comments suggested suggests suggesting hinted"
    " admitted admits confirmed confirms announced announces reported reports revealed disclosed"
    " concluded concludes ruled rules ruling responded promised promises pledged vowed wrote writes"
    " swore mentioned contested believed hopes hoped fears feared stipulated asked agreed agrees"
)
# Of those, what opens with the words of a clause: "found the dog had gone" is an act.
WITH_PLAIN_CLAUSE = _words("found finds noted notes note reported reports ruled rules")
# Their object is what was spoken of, and how it was spoken of is the speaker's.
OF_THINGS = _words(
    "accused accuses accuse accusing called calls call calling described describes describe"
    " describing likened likens attributed attributes blamed blames blame blaming criticised"
    " criticized branded"
)
# Plural nouns too: "the notes were", "five claims".
ALSO_NOUNS = _words("notes reports claims calls estimates promises answers rules fears hopes")
# Behind them stands the one who was told.
WITH_HEARER = _words("told tells tell telling assured assures informed warned asked")
# Of those, what is also said to nobody: "warned that it would rain".
UNHEARD = _words("warned")
# They stand before their subject behind a report without quotation marks.
INVERTIBLE = _words("said says say argued added warned explained")

VERB = re.compile(
    r"(?<![\w’'-])(?:" + "|".join(sorted(OF_SPEECH | WITH_CLAUSE | OF_THINGS)) + r")(?![\w’'-])"
)
