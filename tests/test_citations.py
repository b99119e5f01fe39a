"""Citations: exact slices, selectors and links that find them, and checks of saved answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes import HARBOUR, articles, documents
from rustqa.citations import broken_quotations, cite, read_records, text_directive
from rustqa.corpus import make_document
from rustqa.errors import CitationError, InputError
from rustqa.passages import split_document
from rustqa.pipeline import Pipeline
from rustqa.types import Document, Passage, Reading, Span

Record = dict[str, Any]

SENTENCES = [
    "The well-known judge, Ms Roe, said so & left.",
    "The court said on Monday that the case was closed at last.",
    "The court said on Monday that the case was open until the end of the day.",
    "Nobody knew that the case was closed at last.",
    "He left.",
    "Then, he left.",
    "“100% sure?” he asked #1.",
]


def _reading(passage: Passage, sentence: Span, answer: Span) -> Reading:
    return Reading(passage, sentence, answer, 0.9, {"dense": 0.123456, "bm25": 0.5, "reader": 0.7})


def _find(directive: str, text: str) -> tuple[int, int] | None:
    """The first place a browser would mark, by the rules of URL Fragment Text Directives."""
    parts = directive.split(",")
    before = unquote(parts.pop(0)[:-1]) if parts[0].endswith("-") else ""
    behind = unquote(parts.pop()[1:]) if parts[-1].startswith("-") else ""
    begin, end = unquote(parts[0]), unquote(parts[1]) if len(parts) > 1 else ""
    assert len(parts) <= 2
    pattern = re.escape(begin) + (f".*?{re.escape(end)}" if end else "")
    pattern = (f"(?<={re.escape(before)} )" if before else "") + f"({pattern})"
    pattern += f"(?= {re.escape(behind)})" if behind else ""
    found = re.search(rf"(?<!\w){pattern}(?!\w)", text, re.IGNORECASE)
    return found.span(1) if found else None


@given(documents(), st.data())
def test_a_citation_is_a_slice_of_its_document(document: Document, data: st.DataObject) -> None:
    """Quotation, answer and selectors are the very characters at the offsets they give."""
    passage = data.draw(st.sampled_from(split_document(document)))
    sentence = data.draw(st.sampled_from(passage.sentences))
    start = data.draw(st.integers(sentence.start, sentence.end - 1))
    answer = Span(start, data.draw(st.integers(start + 1, sentence.end)))
    citation = cite(7, document, _reading(passage, sentence, answer))
    text = document.text
    assert (citation.id, citation.document_id) == (7, document.id)
    assert citation.paragraph == passage.paragraph
    assert citation.cited_text == text[citation.start_char : citation.end_char]
    assert (citation.start_char, citation.end_char) == sentence
    assert (citation.answer_start_char, citation.answer_end_char) == answer
    quote, position = citation.selectors
    found = quote["prefix"] + quote["exact"] + quote["suffix"]
    origin = position["start"] - len(quote["prefix"])
    assert quote["exact"] == citation.cited_text
    assert found == text[origin : origin + len(found)]
    assert (position["start"], position["end"]) == sentence


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ((-1, 10), (0, 5)),
        ((0, 99), (0, 5)),
        ((3, 10), (2, 5)),
        ((0, 10), (5, 11)),
        ((0, 10), (5, 5)),
        ((0, 10), (6, 5)),
        ((5, 3), (5, 3)),
    ],
)
def test_what_is_not_a_slice_is_not_cited(
    sentence: tuple[int, int], answer: tuple[int, int]
) -> None:
    """Offsets outside the text or the sentence, or an empty answer, are caught."""
    document = make_document("rain", "It rained.")
    [passage] = split_document(document)
    with pytest.raises(CitationError, match="rain"):
        cite(1, document, _reading(passage, Span(*sentence), Span(*answer)))


def test_the_link_leads_to_the_article_and_the_words() -> None:
    """The id is escaped; scores are rounded for reading."""
    document = make_document("łódź", "It rained.")
    [passage] = split_document(document)
    citation = cite(1, document, _reading(passage, Span(0, 10), Span(0, 2)))
    assert citation.url == "/articles/%C5%82%C3%B3d%C5%BA#:~:text=It%20rained."
    assert citation.scores["dense"] == 0.1235


@given(st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=4), max_size=3))
def test_the_text_directive_finds_the_sentence(paragraphs: list[list[str]]) -> None:
    """Decoded and looked up as browsers do, it marks the sentence's words; of repeated ones that
    very sentence, if what stands beside it in its paragraph tells them apart."""
    blocks = [" ".join(sentences) for sentences in paragraphs]
    document = make_document("d", "\n\n".join(["It rained.", *blocks]))
    text = document.text
    flat = " ".join(text.split())
    for passage in split_document(document):
        for start, end in passage.sentences:
            found = _find(text_directive(document, Span(start, end)), flat)
            assert found is not None
            assert flat[slice(*found)].casefold() == text[start:end].casefold()
            before = text[passage.start : start].split()[-5:]
            behind = text[end : passage.end].split()[:5]
            around = " ".join([*before, *text[start:end].split(), *behind]).casefold()
            if len(re.findall(rf"(?={re.escape(around)})", flat.casefold())) == 1:
                assert found[0] == len(" ".join(text[:start].split())) + (start > 0)


def test_the_text_directive_is_short_for_long_sentences(article: Document) -> None:
    """A long sentence is marked from its first words to its last."""
    passage = split_document(article)[0]
    directive = text_directive(article, passage.sentences[0])
    assert directive.startswith("A%20judge%20dismissed%20Alec%20Baldwin%E2%80%99s,")
    assert directive.endswith("withheld%20from%20the%20defense.")


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("A well-known man left.", "A%20well%2Dknown%20man%20left."),
        ("Yes, he left.", "Yes%2C%20he%20left."),
        ("Roe & Co left.", "Roe%20%26%20Co%20left."),
        ("Some 100% left #1.", "Some%20100%25%20left%20%231."),
    ],
)
def test_what_means_something_in_a_directive_is_escaped(sentence: str, expected: str) -> None:
    """Hyphens, commas, ampersands and per cent signs of the text are not those of the syntax."""
    assert text_directive(make_document("d", sentence), Span(0, len(sentence))) == expected


def test_every_sentence_of_the_article_is_found(article: Document) -> None:
    """Each sentence's directive marks that very sentence."""
    flat = " ".join(article.text.split())
    for passage in split_document(article):
        for sentence in passage.sentences:
            found = _find(text_directive(article, sentence), flat)
            assert found is not None
            assert flat[slice(*found)] == " ".join(article.text[slice(*sentence)].split())


@pytest.fixture
def record(fake_pipeline: Pipeline) -> Record:
    """A saved answer with one claim."""
    answer = fake_pipeline.ask("Who is the harbour master?", top_k=1)
    saved: Record = json.loads(json.dumps(asdict(answer)))
    return saved


def _stored(fake_pipeline: Pipeline, text: str | None = None) -> dict[str, Document]:
    stored = dict(fake_pipeline.store.documents)
    if text is not None:
        stored["harbour"] = make_document("harbour", text)
    return stored


def test_an_untouched_answer_holds(fake_pipeline: Pipeline, record: Record) -> None:
    """Nothing is said of an answer whose quotations stand where it says."""
    assert record["citations"]
    assert list(broken_quotations(record, _stored(fake_pipeline))) == []


def test_an_answer_that_several_sentences_give_holds(record: Record) -> None:
    """Each of its citations is checked; an answer saved before there could be more than one has
    its one."""
    documents = {document.id: document for document in articles()}
    start = HARBOUR.index("Ada Quill")
    sentence = HARBOUR.index("“Nobody")
    for citation in record["citations"]:
        assert citation["start_char"] == sentence
        citation |= {"answer_start_char": start, "answer_end_char": start + len("Ada Quill")}
    record["claims"][0]["text"] = record["answer"] = "Ada Quill"
    _another(record, start, start + len("Ada Quill, the harbour master"))
    assert list(broken_quotations(record, documents)) == []
    del record["claims"][0]["citations"]
    assert list(broken_quotations(record, documents)) == []


def test_moved_words_are_found(fake_pipeline: Pipeline, record: Record) -> None:
    """Text put before the quotation moves it; the line says where to."""
    text = fake_pipeline.store.documents["harbour"].text
    start, end = record["citations"][0]["start_char"], record["citations"][0]["end_char"]
    [line] = broken_quotations(record, _stored(fake_pipeline, f"It rained.\n\n{text}"))
    assert line == f"citation 1: the words moved from {start}-{end} to {start + 12}-{end + 12}"


def test_words_that_are_gone_are_quoted(fake_pipeline: Pipeline, record: Record) -> None:
    """A changed article is said to lack the words."""
    [line] = broken_quotations(record, _stored(fake_pipeline, "It rained."))
    assert "are no longer in harbour" in line
    assert record["citations"][0]["cited_text"][:20] in line


def test_an_unknown_article_is_named(record: Record) -> None:
    """An answer from another corpus cannot be checked here."""
    assert list(broken_quotations(record, {})) == [
        "citation 1: article 'harbour' is not in the corpus"
    ]


def _tamper_claim(record: Record) -> None:
    record["claims"][0]["text"] = record["answer"] = "Nobody"


def _tamper_answer(record: Record) -> None:
    record["answer"] = "Nobody"


def _tamper_marks(record: Record) -> None:
    record["citations"][0]["answer_start_char"] += 1


def _tamper_quotation(record: Record) -> None:
    record["citations"][0]["cited_text"] += " Really."


def _tamper_offset(record: Record) -> None:
    record["citations"][0]["start_char"] -= 1


def _hide_behind_nearest(record: Record) -> None:
    record["nearest"] = [dict(record["citations"][0])]
    record["citations"][0]["cited_text"] = "Nobody sails."


def _tamper_selector(record: Record) -> None:
    record["citations"][0]["selectors"][0]["exact"] = "Nobody sails."


def _tamper_position(record: Record) -> None:
    record["citations"][0]["selectors"][1]["end"] += 1


def _stretch_marks(record: Record) -> None:
    citation = record["citations"][0]
    record["answer"] = record["claims"][0]["text"] = citation["cited_text"]
    citation["answer_start_char"] = citation["start_char"]
    citation["answer_end_char"] = citation["end_char"] + 5


def _tamper_prefix(record: Record) -> None:
    record["citations"][0]["selectors"][0]["prefix"] = "He lied: "


def _deny(record: Record) -> None:
    record["status"] = "no_answer"


def _unclaim(record: Record) -> None:
    record["claims"] = []


def _another(record: Record, start: int, end: int) -> None:
    """Names a second citation whose answer is these characters of the quotation."""
    first = record["citations"][0]
    second = {**first, "id": 2, "answer_start_char": start, "answer_end_char": end}
    record["citations"].append(second)
    record["claims"][0]["citations"] = [1, 2]


def _cite_other_words(record: Record) -> None:
    start = record["citations"][0]["start_char"]
    _another(record, start + 1, start + 7)


def _cite_no_words(record: Record) -> None:
    start = record["citations"][0]["start_char"]
    _another(record, start, start)


def _cite_twice(record: Record) -> None:
    record["claims"][0]["citations"] = [1, 1]


def _disown(record: Record) -> None:
    start = record["citations"][0]["start_char"]
    _another(record, start, start + 1)
    record["claims"][0]["citations"] = [2, 1]


@pytest.mark.parametrize(
    ("tamper", "said"),
    [
        (_tamper_claim, "claim 1: its words are not those marked"),
        (_tamper_answer, "answer: it is not the text of the first claim"),
        (_tamper_marks, "claim 1"),
        (_tamper_quotation, "citation 1"),
        (_tamper_offset, "citation 1"),
        (_hide_behind_nearest, "citation 1"),
        (_tamper_selector, "citation 1"),
        (_tamper_position, "citation 1"),
        (_tamper_prefix, "citation 1: the words around it"),
        (_deny, "status: it says otherwise than the claims"),
        (_stretch_marks, "claim 1"),
        (_unclaim, "answer"),
        (_cite_other_words, "claim 1: citation 2 does not say the same"),
        (_cite_no_words, "claim 1: citation 2 does not say the same"),
        (_cite_twice, "claim 1: its citations are not its own one and others"),
        (_disown, "claim 1: its citations are not its own one and others"),
    ],
)
def test_a_tampered_answer_is_caught(
    fake_pipeline: Pipeline, record: Record, tamper: Callable[[Record], None], said: str
) -> None:
    """Whatever part is changed by hand, a line says which part does not hold."""
    tamper(record)
    lines = list(broken_quotations(record, _stored(fake_pipeline)))
    assert any(line.startswith(said) for line in lines), lines


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"citations": [], "claims": []},
        {"citations": 3, "nearest": [], "claims": [], "answer": None},
        {"citations": [{}], "nearest": [], "claims": [], "answer": None},
        {"citations": ["x"], "nearest": [], "claims": [], "answer": None},
        {"citations": [], "nearest": [], "claims": [{"text": "x", "citation": 1}], "answer": "x"},
        {"error": {"message": "the question is empty"}},
        {
            "citations": [],
            "nearest": [],
            "answer": "x",
            "status": "answered",
            "claims": [{"text": "x", "citation": 1, "citations": 3}],
        },
    ],
)
def test_what_is_not_an_answer_is_refused(broken: Record) -> None:
    """Other JSON is told from an answer that does not hold."""
    with pytest.raises(InputError, match="not an answer record; give what"):
        list(broken_quotations(broken, {}))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('{"a": 1}', 1),
        ('{\n  "a": 1\n}\n', 1),
        ('[{"a": 1}, {"a": 2}]', 2),
        ('{"a": 1}\n\n{"a": 2}\n', 2),
        ('{"a": "x\u2028y"}\r\n{"a": "x\x85y"}\n', 2),
    ],
)
def test_saved_answers_are_read(text: str, count: int) -> None:
    """One object, an array or JSON lines, with any characters inside."""
    assert len(read_records(text)) == count


@pytest.mark.parametrize(
    ("text", "message"), [("", "no answer there"), ("[]", "no answer there"), ("{", "not JSON")]
)
def test_a_file_without_answers_is_refused(text: str, message: str) -> None:
    """An empty or broken file does not pass as verified."""
    with pytest.raises(InputError, match=message):
        read_records(text)
