"""The articles of a pipeline, ready to be shown; highlights are cut here, in code points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from rustqa import __version__
from rustqa.pipeline import Pipeline
from rustqa.types import EVERYTHING, Attribution, Block, Citation, Document, Scope, Span

_SUGGESTIONS = 12
# Articles whose sentences and suggestions are kept in mind.
_ARTICLES_KEPT = 256


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence to be shown, or the gap between two (`id` None).

    `runs` are its stretches of text, each with the kind of its mark: "" for none, "words" for an
    answer's exact words, "whole" for an answer that is all of its citation, "cue" for words that
    say whose words those are. `role` is "cited" for the best citation's sentences, "also" for
    those of the others.
    """

    id: str | None
    role: str
    runs: Sequence[tuple[str, str]]


class Library:
    """The articles of a pipeline, ready to be shown."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Looks at no article yet but the first."""
        self.pipeline = pipeline
        self.documents = pipeline.store.documents
        self.first = pipeline.first()
        self._sentences = lru_cache(_ARTICLES_KEPT)(self._find_sentences)
        self._suggestions = lru_cache(_ARTICLES_KEPT)(self._find_suggestions)

    @property
    def edition(self) -> str:
        """What a conversation belongs to: another once an article has changed."""
        return f"{__version__} {self.pipeline.store.id}"

    def first_of(self, scope: Scope) -> Document:
        """The article that is shown before anything is asked of those in scope: the newest."""
        if scope == EVERYTHING:
            return self.first
        found = self.pipeline.store.list_documents(scope=scope, count=1).documents
        return found[0] if found else self.first

    def suggestions(self, document_id: str) -> list[str]:
        """Questions the article answers, found once."""
        return self._suggestions(document_id, self.documents[document_id].sha256)

    def blocks(
        self, document: Document, citations: Sequence[Citation] = (), equal: bool = False
    ) -> Iterator[tuple[Block, list[Piece]]]:
        """Each block of the article with its pieces, the citations highlighted; all like the
        best one if they are `equal`."""
        here = [item for item in citations if item.document_id == document.id]
        sentences = iter(self._sentences(document.id, document.sha256))
        sentence = next(sentences, None)
        for block in document.blocks:
            inside = []
            while sentence is not None and sentence.end <= block.end:
                inside.append(sentence)
                sentence = next(sentences, None)
            span = Span(block.start, block.end)
            yield block, list(_pieces(document.text, span, inside, here, equal))

    def quotation(self, citation: Citation, attribution: Attribution | None = None) -> list[Piece]:
        """The cited text in pieces, the answer's words marked, and those that attribute them."""
        span = Span(citation.start_char, citation.end_char)
        document = self.documents[citation.document_id]
        inside = [
            sentence
            for sentence in self._sentences(document.id, document.sha256)
            if span.start <= sentence.start and sentence.end <= span.end
        ]
        cue = None
        if attribution is not None:
            cue = Span(attribution.cue_start_char, attribution.cue_end_char)
        return list(_pieces(document.text, span, inside, [citation], cue=cue))

    def _find_sentences(self, document_id: str, _sha256: str) -> list[Span]:
        """Of the article as it is now; another checksum is another article."""
        passages = self.pipeline.store.passages_of(document_id)
        return [sentence for passage in passages for sentence in passage.sentences]

    def _find_suggestions(self, document_id: str, _sha256: str) -> list[str]:
        return self.pipeline.suggestions(document_id, _SUGGESTIONS)


def _pieces(
    text: str,
    span: Span,
    sentences: Sequence[Span],
    citations: Sequence[Citation],
    equal: bool = False,
    cue: Span | None = None,
) -> Iterator[Piece]:
    """The span's text without loss: its sentences and the gaps between them."""
    at = span.start
    for start, end in sentences:
        if at < start:
            yield Piece(None, "", [(text[at:start], "")])
        over = [item.start_char < end and start < item.end_char for item in citations]
        role = "" if not any(over) else "cited" if over[0] or equal else "also"
        yield Piece(f"s-{start}-{end}", role, _runs(text, Span(start, end), citations, cue))
        at = end
    if at < span.end:
        yield Piece(None, "", [(text[at : span.end], "")])


def _runs(
    text: str, span: Span, citations: Sequence[Citation], cue: Span | None
) -> list[tuple[str, str]]:
    wholes = {(item.start_char, item.end_char) for item in citations}
    marks = [(item.answer_start_char, item.answer_end_char) for item in citations]
    kinds = [(mark, "whole" if mark in wholes else "words") for mark in marks]
    if cue:
        kinds.append((cue, "cue"))
    cuts = {min(max(cut, span.start), span.end) for mark, _ in kinds for cut in mark} | {*span}
    runs = []
    for start, end in pairwise(sorted(cuts)):
        over = [kind for mark, kind in kinds if mark[0] <= start and end <= mark[1]]
        runs.append((text[start:end], (*over, "")[0]))
    return runs
