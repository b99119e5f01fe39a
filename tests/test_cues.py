"""Cues: who says something in a sentence, in which words, and what is reported there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import texts
from rustqa.cues import find_cues
from rustqa.quotations import masked

Report = tuple[str, list[str]]


def _reports(sentence: str) -> list[Report]:
    """The speakers, each with what is reported, less commas and stops around it."""
    return [
        (
            sentence[slice(*cue.who)],
            [words for span in cue.content if (words := sentence[slice(*span)].strip(" .,“”'\""))],
        )
        for cue in find_cues(masked(sentence))
    ]


@pytest.mark.parametrize(
    ("sentence", "speaker", "reported"),
    [
        (
            "“Nobody will sail,” said Ada Quill, the harbour master.",
            "Ada Quill",
            "Nobody will sail",
        ),
        ("“It fell,” Ada Quill said. “It was old.”", "Ada Quill", "It fell|It was old"),
        ("“It,” said Ada Quill, “is old.”", "Ada Quill", "It|is old"),
        ("'Nobody will sail,' said Ada Quill.", "Ada Quill", "Nobody will sail"),
        ("“It fell,” said the master, Bo Morel-Kaya.", "Bo Morel-Kaya", "It fell"),
        ("“It fell,” said J. R. Ewing.", "J. R. Ewing", "It fell"),
        ("“It fell,” she wrote in a letter.", "she", "It fell"),
        ("It has fallen, said Ada Quill.", "Ada Quill", "It has fallen"),
        ("The wall, she said, is old.", "she", "The wall|is old"),
        ("The wall is old, he added.", "he", "The wall is old"),
        ("The wall fell, Quill told the council.", "Quill", "The wall fell"),
        ("It was late, and, she said, cold.", "she", "cold"),
        ("But Ada Quill denied that it fell.", "Ada Quill", "it fell"),
    ],
)
def test_reports_before_and_around_the_verb(sentence: str, speaker: str, reported: str) -> None:
    """“…,” said N; …, N said; …, she said, …: what stands there is N's, an apposition is not."""
    assert _reports(sentence) == [(speaker, reported.split("|"))]


@pytest.mark.parametrize(
    ("sentence", "speaker", "reported"),
    [
        ("Quill said that it fell.", "Quill", "it fell"),
        ("Quill said it fell.", "Quill", "it fell"),
        ("Quill said: “It fell.”", "Quill", "It fell"),
        ("Quill later said on Monday that it fell.", "Quill", "it fell"),
        ("Quill, 61, said it cost 2,400,000 pounds.", "Quill", "it cost 2,400,000 pounds"),
        ("Ada Quill, the harbour master, said it fell.", "Ada Quill", "it fell"),
        ("The harbour master, Ada Quill, said it fell.", "Ada Quill", "it fell"),
        ("LISBON, 3 June - Ada Quill said it fell.", "Ada Quill", "it fell"),
        ("On Monday Ada Quill said it fell.", "Ada Quill", "it fell"),
        ("Quill walked out and said it fell.", "Quill", "it fell"),
        ("Quill spoke first, saying it fell.", "Quill", "it fell"),
        ("It rained, with engineers alleging that it fell.", "engineers", "it fell"),
        ("Quill warned that it would fall.", "Quill", "it would fall"),
        ("Quill told the inquiry that it fell.", "Quill", "it fell"),
        ("Quill told reporters: “It fell.”", "Quill", "It fell"),
        ("Bolts came from a diver, Bo Ek, who claimed they fit.", "Bo Ek", "they fit"),
        ("Bolts came from a diver who claimed they fit.", "a diver", "they fit"),
        ("The report says the wall fell.", "The report", "the wall fell"),
    ],
)
def test_reports_behind_the_verb(sentence: str, speaker: str, reported: str) -> None:
    """N said that …, N told M that …, N, who claimed that …: what follows is N's."""
    assert _reports(sentence) == [(speaker, [reported])]


@pytest.mark.parametrize(
    ("sentence", "reported"),
    [
        ("Quill said that it fell, but the ferry left.", "it fell"),
        ("Quill said that it fell, but that nobody left.", "it fell, but that nobody left"),
        ("Quill said it fell; the council has not answered.", "it fell"),
        ("Quill said it fell, while the council was silent.", "it fell"),
        ("Quill said it fell – the council denies that.", "it fell"),
        ("Quill said the wall, which was built in 1880, fell.", "the wall|fell"),
        ("Quill said it was worn and has until Friday.", "it was worn"),
        ("Quill called the report a disgrace and resigned.", "the report a disgrace"),
    ],
)
def test_the_report_ends_where_the_article_goes_on(sentence: str, reported: str) -> None:
    """Behind “; ”, “, but” and “, while” and in “, which …,” the article speaks again."""
    assert _reports(sentence)[0] == ("Quill", reported.split("|"))


@pytest.mark.parametrize(
    ("sentence", "speaker", "reported"),
    [
        ("It is old, according to Ada Quill, a diver.", "Ada Quill", "It is old"),
        ("According to Ada Quill, it is old.", "Ada Quill", "it is old"),
        ("The wall, according to Ada Quill, is old.", "Ada Quill", "The wall|is old"),
        ("Quill accused the council of fraud.", "Quill", "the council of fraud"),
        ("Quill described the wall as a ruin.", "Quill", "the wall as a ruin"),
        ("The wall was described by Ada Quill as a ruin.", "Ada Quill", "as a ruin"),
    ],
)
def test_other_ways_to_report(sentence: str, speaker: str, reported: str) -> None:
    """According to N; N accused M of; N described it as; described by N as."""
    assert _reports(sentence) == [(speaker, reported.split("|"))]


@pytest.mark.parametrize(
    "sentence",
    [
        "It was said that the wall had fallen.",
        "Quill was told that the wall had fallen.",
        "The wall was described as a ruin.",
        "Two men accused of theft were freed.",
        "A storm warning was issued for the coast.",
        "The notes were found in a drawer.",
        "The wall, said to be old, fell.",
        "Quill has not said that it fell.",
        "Quill didn’t say that it fell.",
        "Quill could say that it fell.",
        "Quill refused to say why it fell.",
        "Ada Quill claimed a prize.",
        "Ada Quill found a crack.",
        "Quill told him.",
        "“Quill said it fell.”",
        "It fell.",
        "",
    ],
)
def test_what_reports_nothing(sentence: str) -> None:
    """A passive without an agent, a verb denied, a noun, an act, and what is itself quoted."""
    assert _reports(sentence) == []


def test_an_inner_report_ends_where_the_outer_one_begins() -> None:
    """Of “N said …, M announced” the last words are M's alone."""
    sentence = "The mayor said it fell, the council announced."
    assert _reports(sentence) == [
        ("The mayor", ["it fell"]),
        ("the council", ["The mayor said it fell"]),
    ]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("“It fell,” said the master, Ada Quill.", "said the master, Ada Quill"),
        ("Ada Quill later said that it fell.", "Ada Quill later said"),
        ("It fell, according to Ada Quill.", "according to Ada Quill"),
        ("It was described by Ada Quill as old.", "described by Ada Quill"),
    ],
)
def test_the_words_that_attribute(sentence: str, words: str) -> None:
    """From the speaker to the verb, or the other way round."""
    [cue] = find_cues(masked(sentence))
    assert sentence[slice(*cue.cue)] == words


def test_what_is_no_prose_is_not_read() -> None:
    """Sentences that nobody writes have no cues; a long quotation does not make one of these."""
    sentence = "Quill said it fell"
    assert find_cues(sentence)
    assert find_cues(f"{sentence}{', and he said so' * 40}") == []
    assert find_cues(f"{sentence}{' and fell' * 300}") == []
    assert find_cues(masked(f"“{'It fell. ' * 300}” Ada Quill said."))
    assert find_cues(masked(f"“{'It fell. ' * 1200}” Ada Quill said.")) == []


WORDS = (
    "Ada Quill/she/the wall/said/told/who/which/that/it fell/and/accused/saying/according to/as"
    "/described by/not/a/2,400/Mr./,/./;/ – /“/”/\"/'/\n"
)
SPEECH = st.lists(st.sampled_from(WORDS.split("/")) | texts()).map(" ".join)


@given(SPEECH)
def test_cues_lie_in_the_sentence(sentence: str) -> None:
    """Whatever the sentence, each place is a stretch of it, and the cue holds no spare space."""
    for cue in find_cues(masked(sentence)):
        for start, end in (cue.who, cue.cue, *cue.content):
            assert 0 <= start < end <= len(sentence)
        words = sentence[slice(*cue.cue)]
        assert words == words.strip()
