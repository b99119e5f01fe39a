"""Requests and the answers to them, for the description of the API; the quotations hold."""

from __future__ import annotations

from typing import Any

_PROVENANCE: dict[str, Any] = {
    "index_id": "21c6e2003369476a",
    "document_sha256": {
        "rust-case-dismissed": "a99fc124dabb84c28849a418fc2cb31f2acbd35b975a3a0dc6b44d88b563c484"
    },
    "model": {"encoder": "all-MiniLM-L6-v2", "reader": "rustqa-reader-2"},
    "timings_ms": {"retrieve": 8.4, "read": 76.1, "total": 84.9},
}

_SENTENCE = (
    "The film’s armorer, Hannah Gutierrez, who had loaded the weapon, is already serving 18 months "
    "for involuntary manslaughter."
)
_ANSWER = "Hannah Gutierrez"

_CITATION: dict[str, Any] = {
    "id": 1,
    "type": "char_location",
    "document_id": "rust-case-dismissed",
    "document_title": (
        "Judge dismisses Alec Baldwin’s “Rust” manslaughter trial over withheld evidence"
    ),
    "document_url": None,
    "document_date": "2024-07",
    "paragraph": 6,
    "cited_text": _SENTENCE,
    "start_char": 1381,
    "end_char": 1504,
    "answer_start_char": 1401,
    "answer_end_char": 1417,
    "selectors": [
        {
            "type": "TextQuoteSelector",
            "exact": _SENTENCE,
            "prefix": "d injuring the film’s director. ",
            "suffix": " Baldwin faced similar charges, ",
        },
        {"type": "TextPositionSelector", "start": 1381, "end": 1504},
    ],
    "url": (
        "/articles/rust-case-dismissed#:~:text=The%20film%E2%80%99s%20armorer%2C%20Hannah%20Gutierrez"
        "%2C,18%20months%20for%20involuntary%20manslaughter."
    ),
    "scores": {"dense": 0.3784, "bm25": 0.6925, "reader": 5.8964},
}

_ANSWERED: dict[str, Any] = {
    "question": "Who loaded the gun?",
    "question_used": "Who loaded the gun?",
    "status": "answered",
    "answer": _ANSWER,
    "message": None,
    "confidence": 0.8984,
    "claims": [
        {
            "text": _ANSWER,
            "speaker": None,
            "attribution": None,
            "confidence": 0.8984,
            "citation": 1,
            "citations": [1],
        }
    ],
    "contested": False,
    "citations": [_CITATION],
    "nearest": [],
    "suggestions": [],
    **_PROVENANCE,
}

_NO_ANSWER: dict[str, Any] = {
    "question": "How much did the film cost?",
    "question_used": "How much did the film cost?",
    "status": "no_answer",
    "answer": None,
    "message": None,
    "confidence": 0.0288,
    "claims": [],
    "contested": False,
    "citations": [],
    "nearest": [
        {
            **_CITATION,
            "answer_start_char": 1381,
            "answer_end_char": 1503,
            "scores": {"dense": 0.2188, "bm25": 0.131, "reader": -5.1699},
        }
    ],
    "suggestions": [],
    **_PROVENANCE,
}

Examples = dict[str, Any]
"""OpenAPI examples by their names."""

QUESTIONS: Examples = {
    "question": {
        "summary": "A question",
        "value": {"question": "Who loaded the gun?"},
    },
    "follow_up": {
        "summary": "A follow-up",
        "value": {
            "question": "And how long is she serving?",
            "history": [{"question": "Who loaded the gun?", "answer": _ANSWER}],
            "top_k": 1,
            "documents": ["rust-case-dismissed"],
        },
    },
    "span": {
        "summary": "Articles of some months",
        "value": {"question": "Who loaded the gun?", "since": "2024-06", "until": "2024-07-31"},
    },
}

BATCHES: Examples = {
    "questions": {
        "summary": "Two questions",
        "value": {
            "questions": [
                {"question": "Why was the case dismissed?"},
                {"question": "How much did the film cost?"},
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
