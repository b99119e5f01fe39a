"""Turns readings into Citations: the only place that says "verbatim", and that checks it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rustqa.agreement import say_the_same
from rustqa.errors import CitationError, InputError
from rustqa.types import Citation, Document, Reading, Span

_CONTEXT = 32
_FRAGMENT_WORDS = 5


def cite(id: int, document: Document, reading: Reading) -> Citation:
    """The citation of a reading; raises CitationError if it is not a slice of the document."""
    start, end = reading.sentence
    answer_start, answer_end = reading.answer
    text = document.text
    if not 0 <= start <= answer_start < answer_end <= end <= len(text):
        raise CitationError(f"the answer at {answer_start} does not lie in {document.id}")
    exact = text[start:end]
    return Citation(
        id=id,
        type="char_location",
        document_id=document.id,
        document_title=document.title,
        document_url=document.url,
        document_date=document.date,
        paragraph=reading.passage.paragraph,
        cited_text=exact,
        start_char=start,
        end_char=end,
        answer_start_char=answer_start,
        answer_end_char=answer_end,
        selectors=(
            {
                "type": "TextQuoteSelector",
                "exact": exact,
                "prefix": text[max(0, start - _CONTEXT) : start],
                "suffix": text[end : end + _CONTEXT],
            },
            {"type": "TextPositionSelector", "start": start, "end": end},
        ),
        url=f"/articles/{quote(document.id)}#:~:text={text_directive(document, reading.sentence)}",
        scores={name: round(score, 4) for name, score in reading.scores.items()},
    )


def text_directive(document: Document, span: Span) -> str:
    """The text directive of a span (URL Fragment Text Directives, `text=` left out)."""
    text = document.text
    words = text[span.start : span.end].split()
    first, last = words[:_FRAGMENT_WORDS], words[-_FRAGMENT_WORDS:]
    # Browsers look for words without regard to case and to how much white space parts them.
    flat = " ".join(text.split()).casefold()
    times = [flat.count(" ".join(part).casefold()) for part in (first, last, words)]
    if len(words) > 2 * _FRAGMENT_WORDS and times[:2] == [1, 1]:
        return f"{_encode(first)},{_encode(last)}"
    parts = [_encode(words)]
    if times[2] > 1:
        # Words of the same block before or behind tell repeated sentences apart.
        block = next(b for b in document.blocks if b.start <= span.start < b.end)
        if before := text[block.start : span.start].split()[-_FRAGMENT_WORDS:]:
            parts.insert(0, f"{_encode(before)}-")
        if behind := text[span.end : block.end].split()[:_FRAGMENT_WORDS]:
            parts.append(f"-{_encode(behind)}")
    return ",".join(parts)


def _encode(words: list[str]) -> str:
    # A hyphen, a comma and an ampersand mean something in a text directive.
    return quote(" ".join(words), safe="").replace("-", "%2D")


def read_records(text: str) -> list[dict[str, Any]]:
    """The saved answers in a JSON object, a JSON array or JSON lines; raises InputError."""
    try:
        whole = json.loads(text)
        records = whole if isinstance(whole, list) else [whole]
    except (ValueError, RecursionError):
        try:
            records = [json.loads(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError) as error:
            raise InputError(f"not JSON ({error}); give a saved answer") from None
    # A batch reports what could not be asked among the answers.
    records = [item for item in records if not (isinstance(item, dict) and "error" in item)]
    if not records:
        raise InputError("no answer there; give what `rustqa ask --json` or POST /ask returned")
    return records


def cited_documents(records: Iterable[Mapping[str, Any]]) -> set[str]:
    """The ids of the articles that saved answers quote; what is no answer names none."""
    found = set()
    for record in records:
        for part in ("citations", "nearest"):
            cited = record.get(part) if isinstance(record, dict) else None
            for item in cited if isinstance(cited, list) else ():
                name = item.get("document_id") if isinstance(item, dict) else None
                found |= {name} if isinstance(name, str) else set()
    return found


def broken_quotations(
    record: Mapping[str, Any], documents: Mapping[str, Document]
) -> Iterator[str]:
    """For each quotation of a saved answer that no longer holds, a line that says how.

    Raises InputError if the record is not an answer.
    """
    try:
        citations = {item["id"]: item for item in record["citations"]}
        for citation in [*record["citations"], *record["nearest"]]:
            where = _broken(citation, documents)
            if where:
                yield f"citation {citation['id']!r}: {where}"
        for number, claim in enumerate(record["claims"], 1):
            if _marked(citations[claim["citation"]]) != claim["text"]:
                yield f"claim {number}: its words are not those marked in its citation"
            # Older answers have one citation for each claim.
            named = claim.get("citations", [claim["citation"]])
            if named[0] != claim["citation"] or len(set(named)) < len(named):
                yield f"claim {number}: its citations are not its own one and others"
            for other in named[1:]:
                marked = _marked(citations[other])
                if marked is None or not say_the_same(marked, claim["text"]):
                    yield f"claim {number}: citation {other!r} does not say the same"
        best = record["claims"][0]["text"] if record["claims"] else None
        if record["answer"] != best:
            yield "answer: it is not the text of the first claim"
        if (record["status"] == "answered") != bool(record["claims"]):
            yield "status: it says otherwise than the claims"
    except (KeyError, TypeError, IndexError, AttributeError):
        raise InputError(
            "not an answer record; give what `rustqa ask --json` or POST /ask returned"
        ) from None


def _marked(citation: Mapping[str, Any]) -> str | None:
    """The words marked as the answer; None if they do not lie in the quotation."""
    start = citation["answer_start_char"] - citation["start_char"]
    end = citation["answer_end_char"] - citation["start_char"]
    quotation: str = citation["cited_text"]
    return quotation[start:end] if 0 <= start < end <= len(quotation) else None


def _broken(citation: Mapping[str, Any], documents: Mapping[str, Document]) -> str | None:
    document = documents.get(citation["document_id"])
    if document is None:
        return f"article {citation['document_id']!r} is not in the corpus"
    start, end, quotation = citation["start_char"], citation["end_char"], citation["cited_text"]
    for selector in citation["selectors"]:
        place = (selector.get("start", start), selector.get("end", end))
        if place != (start, end) or selector.get("exact", quotation) != quotation:
            return "its selectors are not those of its words"
        prefix, suffix = selector.get("prefix", ""), selector.get("suffix", "")
        around = (
            document.text[max(0, start - len(prefix)) : start],
            document.text[end:][: len(suffix)],
        )
        if document.text[start:end] == quotation and around != (prefix, suffix):
            return "the words around it are not those of its selectors"
    if 0 <= start < end and document.text[start:end] == quotation:
        return None
    found = document.text.find(quotation)
    if found < 0:
        return f"the words at {start}-{end} are no longer in {document.id}: {quotation[:60]!r}"
    return f"the words moved from {start}-{end} to {found}-{found + len(quotation)}"
