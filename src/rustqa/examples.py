"""Requests and the answers to them, for the description of the API; the quotations hold."""

from __future__ import annotations

from typing import Any

_PROVENANCE: dict[str, Any] = {
    "index_id": "86fbe0ae14bca3f8",
    "document_sha256": {
        "rust-case-dismissed": "a99fc124dabb84c28849a418fc2cb31f2acbd35b975a3a0dc6b44d88b563c484"
    },
    "model": {"encoder": "all-MiniLM-L6-v2", "reader": "evidence-1"},
    "timings_ms": {"retrieve": 10.8, "read": 0.11, "total": 11.07},
}

_SENTENCE = (
    "These bullets were provided by a “Good Samaritan,” a former police officer and family "
    "friend of Gutierrez, who claimed they matched the rounds that killed Hutchins."
)

_CITATION: dict[str, Any] = {
    "id": 1,
    "type": "char_location",
    "document_id": "rust-case-dismissed",
    "document_title": (
        "Judge dismisses Alec Baldwin’s “Rust” manslaughter trial over withheld evidence"
    ),
    "document_url": None,
    "paragraph": 8,
    "cited_text": _SENTENCE,
    "start_char": 2055,
    "end_char": 2219,
    "answer_start_char": 2055,
    "answer_end_char": 2219,
    "selectors": [
        {
            "type": "TextQuoteSelector",
            "exact": _SENTENCE,
            "prefix": "disclosed to Baldwin’s lawyers. ",
            "suffix": "\n\nAlec Baldwin manslaughter tria",
        },
        {"type": "TextPositionSelector", "start": 2055, "end": 2219},
    ],
    "url": (
        "/articles/rust-case-dismissed#:~:text=These%20bullets%20were%20provided%20by,"
        "the%20rounds%20that%20killed%20Hutchins."
    ),
    "scores": {"dense": 0.6312, "bm25": 0.4021, "reader": 0.6127},
}

_ANSWERED: dict[str, Any] = {
    "question": "Who handed the bullets to the police?",
    "question_used": "Who handed the bullets to the police?",
    "status": "answered",
    "answer": _SENTENCE,
    "confidence": 0.7552,
    "claims": [{"text": _SENTENCE, "speaker": None, "confidence": 0.7552, "citation": 1}],
    "contested": False,
    "citations": [_CITATION],
    "nearest": [],
    **_PROVENANCE,
}

_NO_ANSWER: dict[str, Any] = {
    "question": "Who won the cup final?",
    "question_used": "Who won the cup final?",
    "status": "no_answer",
    "answer": None,
    "confidence": 0.0315,
    "claims": [],
    "contested": False,
    "citations": [],
    "nearest": [{**_CITATION, "scores": {"dense": 0.0809, "bm25": 0.1111, "reader": 0.1575}}],
    **_PROVENANCE,
}

Examples = dict[str, Any]
"""OpenAPI examples by their names."""

QUESTIONS: Examples = {
    "question": {
        "summary": "A question",
        "value": {"question": "Who handed the bullets to the police?"},
    },
    "follow_up": {
        "summary": "A follow-up",
        "value": {
            "question": "And where were they kept?",
            "history": [{"question": "Who handed the bullets to the police?", "answer": _SENTENCE}],
            "top_k": 1,
            "documents": ["rust-case-dismissed"],
        },
    },
}

BATCHES: Examples = {
    "questions": {
        "summary": "Two questions",
        "value": {
            "questions": [
                {"question": "Why was the case dismissed?"},
                {"question": "Who won the cup final?"},
            ]
        },
    }
}

SEARCHES: Examples = {
    "words": {
        "summary": "Words",
        "value": {"query": "bullets in Arizona", "top_k": 2},
    }
}

ANSWERS: Examples = {
    "answered": {"summary": "The article says", "value": _ANSWERED},
    "no_answer": {"summary": "The article does not say", "value": _NO_ANSWER},
}
