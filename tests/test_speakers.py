"""Speakers: whose words a claim is, by the article; and nobody's where that is doubtful."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import documents, texts
from rustqa.corpus import make_document
from rustqa.passages import split_sentences
from rustqa.speakers import Speakers
from rustqa.types import Attribution, Block, Document, Span

LABELS = Path(__file__).parent


def _speakers(document: Document) -> Speakers:
    return Speakers(document, split_sentences)


def _attribution(document: Document, words: str) -> Attribution | None:
    start = document.text.index(words)
    return _speakers(document).of(Span(start, start + len(words)))


def _speaker(document: Document, words: str) -> str | None:
    found = _attribution(document, words)
    return document.text[found.speaker_start_char : found.speaker_end_char] if found else None


@pytest.mark.parametrize(
    ("text", "claim", "speaker"),
    [
        ("“It fell,” said Ada Quill, the harbour master.", "It fell", "Ada Quill"),
        ("“It fell,” said the master, Bo Morel-Kaya.", "It fell", "Bo Morel-Kaya"),
        ("“It fell,” said J. R. Ewing.", "It fell", "J. R. Ewing"),
        ("Quill said that it fell, but the ferry sailed.", "it fell", "Quill"),
        ("Quill said that it fell, but the ferry sailed.", "the ferry sailed", None),
        ("Quill said that it fell, but the ferry sailed.", "fell, but the ferry sailed", None),
        ("It fell, according to the council.", "It fell", "the council"),
        ("Quill accused the council of hiding a report.", "hiding a report", "Quill"),
        ("It came from a diver who claimed it fell.", "it fell", "a diver"),
        ("Quill was told that it fell.", "it fell", None),
        ("It fell on Monday.", "It fell", None),
        ("Quill said it cost 2,400,000 pounds, he added.", "2,400,000 pounds", "Quill"),
        ("LISBON, 3 June - Ada Quill said it fell.", "it fell", "Ada Quill"),
        ("The mayor said it fell, the council announced.", "it fell", "The mayor"),
    ],
)
def test_a_claim_in_reported_words_is_its_speakers(
    text: str, claim: str, speaker: str | None
) -> None:
    """By the innermost report that it lies in; what the article states itself is nobody's."""
    assert _speaker(make_document("any", text), claim) == speaker


def test_the_words_that_attribute_stand_in_the_article() -> None:
    """The speaker's place and the cue's are given."""
    document = make_document("any", "It rained. “It fell,” said the master, Ada Quill.")
    found = _attribution(document, "It fell")
    assert found is not None
    assert document.text[found.speaker_start_char : found.speaker_end_char] == "Ada Quill"
    assert document.text[found.cue_start_char : found.cue_end_char] == "said the master, Ada Quill"


@pytest.mark.parametrize(
    ("text", "claim", "speaker"),
    [
        ("“It fell,” Quill said. “It was old.”", "It was old", "Quill"),
        ("“It was old.” “It fell,” Quill said.", "It was old", "Quill"),
        ("“It was old. It fell,” Quill said.", "It was old", "Quill"),
        ("Quill said it fell. It was old.", "It was old", None),
        ("“It fell,” Quill said. Ek was there. “It was old.”", "It was old", None),
        ("“It fell,” Quill said.\n\n“It was old.”", "It was old", None),
    ],
)
def test_quotations_go_on(text: str, claim: str, speaker: str | None) -> None:
    """One that stands alone is the speaker's before it, or else behind it, in its paragraph."""
    assert _speaker(make_document("any", text), claim) == speaker


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("Ada Quill gave evidence. She said it fell.", "Ada Quill"),
        ("Ada Quill gave evidence.\n\nShe said it fell.", "Ada Quill"),
        ("Ada Quill said so. She was sure. She said it fell.", "Ada Quill"),
        ("Ada Quill said she was sure it fell.", "Ada Quill"),
        ("The council met on Monday. It said it fell.", "The council"),
        ("Spokeswoman Ada Quill gave evidence. He said it fell.", None),
        ("Mr Ek gave evidence. She said it fell.", None),
        ("Anna Coleman gave evidence. She said it fell.", "Anna Coleman"),
        ("Ada Quill met Bo Ek on the wall. She said it fell.", None),
        ("Ada Quill asked him to leave. He said it fell.", None),
        ("Ada Quill said so. Bo Ek said no. He was sure. She said it fell.", "Ada Quill"),
        ("Ada Quill gave evidence. The wall was old. He said it fell.", None),
        ("The council met on Monday. She said it fell.", None),
        ("We said it fell.", None),
        ("It was late. I said it fell.", None),
        ("She said it fell.", None),
        ("Ada Quill gave it up.\n\nIt rained.\n\nIt rained.\n\nShe said it fell.", None),
    ],
)
def test_a_pronoun_stands_for_the_one_before(text: str, speaker: str | None) -> None:
    """The person, or the body, last spoken of and not far back; of two, or of none that fits,
    nobody; one who was "he" a moment ago is not "she"."""
    assert _speaker(make_document("any", f"{text} It rained."), "it fell") == speaker


@pytest.mark.parametrize(
    ("words", "speaker"),
    [
        ("bullets potentially linked to the death", "Judge Mary Marlowe Sommer"),
        ("withholding of this information was intentional", "Sommer"),
        ("this conduct is highly prejudicial", "Sommer"),
        ("he disregarded basic gun safety", "prosecutors"),
        ("no responsibility to check the weapon", "Baldwin’s defense"),
        ("they matched the rounds", "a former police officer and family friend of Gutierrez"),
        ("“burying” evidence", "Spiro"),
        ("she cataloged the bullets", "Crime scene technician Marissa Poppell"),
        ("unaware of these bullets until recently", "Special prosecutor Kari Morrissey"),
        ("did not match the live rounds", "Morrissey"),
        ("stored in Arizona", "Morrissey"),
        ("it was revealed she had been part of discussions", None),
        ("who had loaded the weapon", None),
        ("broke into tears", None),
        ("Sommer dismissed the case", None),
    ],
)
def test_the_shipped_article(article: Document, words: str, speaker: str | None) -> None:
    """Whose words are whose, as a reader of it would say."""
    assert _speaker(article, words) == speaker


def test_names_in_the_shipped_article(article: Document) -> None:
    """Those who are quoted or reported by name, in order; Sommer and Morrissey once."""
    assert list(_speakers(article).names()) == [
        "Judge Mary Marlowe Sommer",
        "Spiro",
        "Crime scene technician Marissa Poppell",
        "Special prosecutor Kari Morrissey",
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ada Quill said no. Quill said yes. Ms Quill said both.", ["Ada Quill"]),
        ("Ada Quill said no. Bea Quill said yes.", ["Ada Quill", "Bea Quill"]),
        ("Dr Ek told Mr Oe that it fell. “It did,” said Bo Ek.", ["Dr Ek"]),
        ("Officials said no. Engineers for Saltby said no.", []),
        ("The council said no. She said no. Ada Quill slept.", []),
        ("Ada Quill and Bo Ek said no.", []),
    ],
)
def test_names(text: str, names: list[str]) -> None:
    """Neither groups, bodies, pronouns and the silent; each once, however written."""
    assert list(_speakers(make_document("any", text)).names()) == names


@dataclass(frozen=True, slots=True)
class Label:
    """Who makes a claim, in the wordings that are right, by hand; None where the article does.

    Where `or_nobody`, it may also count as the article's.
    """

    claim: Span
    names: tuple[str, ...] | None
    or_nobody: bool


def _labelled(file: str) -> Iterator[tuple[Document, list[Label]]]:
    for line in (LABELS / file).read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        paragraphs: list[str] = record["paragraphs"]
        labels = []
        for claim in record["claims"]:
            number, words = claim["paragraph"], claim["text"]
            # `nth` counts the places before it where the same words stand.
            places = [found.start() for found in re.finditer(re.escape(words), paragraphs[number])]
            start = sum(len(text) + 2 for text in paragraphs[:number])
            start += places[claim.get("nth", 0)]
            names = tuple(claim["speakers"]) if claim["speakers"] else None
            span = Span(start, start + len(words))
            labels.append(Label(span, names, claim.get("or_none", False)))
        yield make_document("labelled", "\n\n".join(paragraphs)), labels


def _is_right(found: str, names: tuple[str, ...]) -> bool:
    """Whether one of the names is found, or either holds the other as whole words: "Quill" for
    "Ada Quill", but not for "Quill's lawyer"."""
    pairs = ((_plain(found), _plain(name)) for name in names)
    return any(one == other or _holds(one, other) or _holds(other, one) for one, other in pairs)


def _plain(name: str) -> str:
    return name.strip().lower().replace("’", "'")


def _holds(whole: str, part: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(part)}(?!\w|'s)", whole) is not None


def _score(file: str) -> tuple[float, float]:
    """Precision: of the speakers found, so many are right; recall: of the claims that must have a
    speaker and did not get a wrong one, so many have theirs."""
    counts: Counter[str] = Counter()
    for document, labels in _labelled(file):
        speakers = _speakers(document)
        for label in labels:
            found = speakers.of(label.claim)
            if found is None:
                counts["missed"] += label.names is not None and not label.or_nobody
            else:
                name = document.text[found.speaker_start_char : found.speaker_end_char]
                right = label.names is not None and _is_right(name, label.names)
                counts["right" if right else "wrong"] += 1
    found_in_all = counts["right"] + counts["wrong"]
    return counts["right"] / found_in_all, counts["right"] / (counts["right"] + counts["missed"])


@pytest.mark.parametrize(
    ("file", "recall"), [("speakers.jsonl", 0.75), ("speakers_held_out.jsonl", 0.70)]
)
def test_speakers_on_labelled_articles(file: str, recall: float) -> None:
    """Nineteen of twenty speakers are right, on the articles the rules were made with and on
    others, and most claims that have one get it."""
    precision, found = _score(file)
    assert precision >= 0.95
    assert found >= recall


@pytest.mark.parametrize(
    ("found", "names", "right"),
    [
        ("Quill", ("Ada Quill",), True),
        ("the master, Ada Quill", ("Ada Quill",), True),
        ("Quill’s lawyer", ("Ada Quill", "Quill"), False),
        ("Quill", ("Quill's lawyer",), False),
        ("Ek", ("Ekberg",), False),
    ],
)
def test_what_counts_as_right(found: str, names: tuple[str, ...], right: bool) -> None:
    """More or fewer words of the same name, but not one who belongs to it."""
    assert _is_right(found, names) is right


WORDS = (
    "Ada Quill/Bo Ek/Quill/he/she/It/the wall/said/told/who/which/that/it fell/and/accused/saying"
    "/according to/as/described by/not/2,400/Mr./,/./;/ – /“/”/\"/'/\n/\n\n"
)
SPEECH = (
    st.lists(st.sampled_from(WORDS.split("/")) | texts())
    .map(" ".join)
    .map(lambda text: make_document("any", f"It rained.\n\n{text}"))
)


@given(SPEECH | documents())
def test_whatever_the_document_places_are_sound(document: Document) -> None:
    """Each speaker and each cue is a stretch of the article with words at both ends, and names
    differ."""
    speakers = _speakers(document)
    places = sorted({0, len(document.text), *(m.end() for m in re.finditer(r"\b", document.text))})
    for claim in (Span(*pair) for pair in pairwise(places)):
        found = speakers.of(claim)
        if found is None:
            continue
        speaker = Span(found.speaker_start_char, found.speaker_end_char)
        for start, end in (speaker, Span(found.cue_start_char, found.cue_end_char)):
            assert 0 <= start < end <= len(document.text)
            words = document.text[start:end]
            assert words == words.strip()
        assert not re.search(r"^[\s.,;:“”\"]|[\s.,;:“”’\"]$", document.text[slice(*speaker)])
    names = list(speakers.names())
    assert len(names) == len(set(names))


LONG = 200_000


LONG_UNITS = (
    "It rained and |said |A, B, C, |“|\"|'|'a |A |A.|In A B |Aa|of AAAA|according to A, |not said "
    "|‘a, |who, which, |“It fell,” Ek said. |Ek said it fell. |It fell. She said so. "
)


@pytest.mark.parametrize("unit", LONG_UNITS.split("|"))
def test_long_paragraphs_take_time_in_proportion(unit: str) -> None:
    """A paragraph of 200,000 characters, of whatever it is made, is read at once."""
    document = make_document("long", f"It rained.\n\n{(unit * (LONG // len(unit))).strip()} it.")
    sentences = {block: _split_at_stops(document.text, block) for block in document.blocks}
    began = process_time()
    speakers = Speakers(document, lambda _, block: sentences[block])
    list(speakers.names())
    for place in range(0, LONG, LONG // 4):
        speakers.of(Span(place, place + 20))
    assert process_time() - began < 3


def _split_at_stops(text: str, block: Block) -> list[Span]:
    found = re.finditer(r"\S(?:[^.]|\.(?! ))*\.?", text[block.start : block.end])
    return [Span(block.start + one.start(), block.start + one.end()) for one in found]
