"""Builds a store from articles, taking over what an earlier one holds of them."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from rustqa.errors import StoreError
from rustqa.store.columns import DOCUMENT, PASSAGE, SENTENCE, Columns, Numbers, Table, pack
from rustqa.store.documents import document_line
from rustqa.store.local import FORMAT_VERSION, FaissStore, Recipe, make_recipe
from rustqa.store.nearest import build_nearest
from rustqa.store.postings import collect
from rustqa.types import Document, Encoder, Passage, Span
from rustqa.words import surface_words, terms

# Texts that are encoded together, so that those of like length can be.
_TOGETHER = 65_536

Split = Callable[[Document], Sequence[Passage]]


class Builder:
    """Takes articles one after another and makes a store of them.

    A text is encoded once, and not at all if it stands in the store of `before`, which was made by
    the same encoder.
    """

    def __init__(
        self, encoder: Encoder, split: Split, splitter: str, before: FaissStore | None = None
    ) -> None:
        """Nothing is taken over yet; `split` and `splitter` are a document's passages and the name
        of how they are made."""
        self._encoder = encoder
        self._split = split
        self._recipe = make_recipe(encoder.name, encoder.fingerprint, splitter)
        same = before is not None and _same_encoder(before.recipe, self._recipe)
        self._before = before if same else None
        self._lines, self._texts = bytearray(), bytearray()
        self._documents: list[Table] = []
        self._passages: list[Table] = []
        self._sentences: list[Table] = []
        self._size = dict.fromkeys(("documents", "passages", "sentences", "rows"), 0)
        # Of each vector where it comes from: a place among the new ones, or ~ its old place.
        self._origins: list[Numbers] = []
        self._digests: list[Table] = []
        self._known: dict[int, int] = {}
        self._waiting: list[str] = []
        self._encoded: list[Table] = []
        self._new = 0
        self._ids: list[str] = []
        self._vocabulary: dict[str, int] = {}
        self._held = array("I"), array("I")
        self._counts: Counter[str] = Counter()
        old = self._before.columns if self._before else None
        self._moved = np.full(len(old.sentences) if old else 0, -1, np.int64)
        self._kept = np.zeros(len(old.documents) - 1 if old else 0, bool)
        self._kept_passages = 0
        self._run = (0, 0)

    def __len__(self) -> int:
        """How many articles were taken so far."""
        first, after = self._run
        return self._size["documents"] + after - first

    def can_keep(self) -> bool:
        """Whether articles of the earlier store can be taken over whole."""
        return self._before is not None and self._before.recipe == self._recipe

    def add(self, document: Document) -> None:
        """Takes a new article."""
        self._keep_run()
        passages = self._split(document)
        texts: list[str] = []
        spans: list[Span] = []
        heads: list[tuple[int, int, int, int]] = []
        for passage in passages:
            heads.append(
                (
                    self._size["documents"],
                    passage.paragraph,
                    self._size["sentences"] + len(spans),
                    self._size["rows"] + len(texts),
                )
            )
            spans.extend(passage.sentences)
            texts.append(document.text[passage.start : passage.end])
            if len(passage.sentences) > 1:
                texts.extend(document.text[start:end] for start, end in passage.sentences)
        for place, (start, end) in enumerate(spans, self._size["sentences"]):
            for term in set(terms(document.text[start:end])):
                self._held[0].append(self._vocabulary.setdefault(term, len(self._vocabulary)))
                self._held[1].append(place)
        self._counts.update(surface_words(document.text))
        digests = list(map(_digest, texts))
        self._digests.append(np.array(digests, np.uint64))
        self._origins.append(np.array(list(map(self._origin, texts, digests)), np.int64))
        day = document.day.toordinal() if document.day else 0
        head = (len(self._lines), len(self._texts), self._size["passages"], day, 0)
        self._lines += document_line(document)
        self._texts += document.text.encode()
        self._ids.append(document.id)
        self._grow(
            np.array([head], DOCUMENT), np.array(heads, PASSAGE), np.array(spans, SENTENCE),
            len(texts),
        )  # fmt: skip

    def keep(self, first: int, after: int) -> None:
        """Takes over the articles from one number of the earlier store to another."""
        if first != self._run[1]:
            self._keep_run()
            self._run = (first, first)
        self._run = (self._run[0], after)

    def _keep_run(self) -> None:
        """Takes over at once what was asked for in a row."""
        first, after = self._run
        self._run = (0, 0)
        if first == after:
            return
        before = self._before
        if before is None:
            raise ValueError("there is no earlier store to take over from")
        old = before.columns
        documents, ends = old.documents[first:after].copy(), old.documents[[first, after]]
        part = slice(*ends["passage"].tolist())
        passages, edges = old.passages[part].copy(), old.passages[ends["passage"]]
        spans, rows = slice(*edges["sentence"].tolist()), range(*edges["row"].tolist())
        for table, name, now in (
            (documents, "line", len(self._lines)),
            (documents, "text", len(self._texts)),
            (documents, "passage", self._size["passages"]),
            (passages, "document", self._size["documents"]),
            (passages, "sentence", self._size["sentences"]),
            (passages, "row", self._size["rows"]),
        ):
            table[name] += np.asarray(now, table[name].dtype) - table[name][0]
        self._lines += old.lines[slice(*ends["line"].tolist())]
        self._texts += old.texts[slice(*ends["text"].tolist())]
        self._ids += map(before.articles.id_of, range(first, after))
        self._moved[spans] = np.arange(spans.stop - spans.start) + self._size["sentences"]
        self._kept[first:after] = True
        self._kept_passages += len(passages)
        self._origins.append(~np.arange(rows.start, rows.stop))
        self._digests.append(old.digests[rows.start : rows.stop])
        self._grow(documents, passages, old.sentences[spans], len(rows))

    def finish(self) -> FaissStore:
        """The store, in memory, which is the earlier one if all of that was taken over and nothing
        else; raises StoreError if no article was taken."""
        before = self._before
        if before and not self._ids and self._run == (0, len(before.documents)):
            return before
        self._keep_run()
        if not self._ids:
            raise StoreError("no article to index; name a folder of articles")
        self._encode()
        columns = self._columns()
        postings = collect(
            self._vocabulary,
            (np.array(self._held[0], np.uint32), np.array(self._held[1], np.uint32)),
            columns.passage_of,
            (self._before.postings, self._moved) if self._before else None,
        )
        old = self._before.nearest if self._before else None
        changed = len(columns) + (len(old) if old else 0) - 2 * self._kept_passages
        nearest = build_nearest(columns.passage_vectors, len(columns), old, changed)
        digests = [hashlib.sha256(part).hexdigest() for part in (self._lines, self._texts)]
        parts = [FORMAT_VERSION, self._recipe, *digests]
        name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        return FaissStore(name, self._recipe, columns, nearest, postings, self._counted())

    def _grow(self, documents: Table, passages: Table, sentences: Table, rows: int) -> None:
        self._documents.append(documents)
        self._passages.append(passages)
        self._sentences.append(sentences)
        for name, more in (
            ("documents", len(documents)),
            ("passages", len(passages)),
            ("sentences", len(sentences)),
            ("rows", rows),
        ):
            self._size[name] += more

    def _origin(self, text: str, digest: int) -> int:
        """Where the vector of a text with this digest comes from."""
        if digest not in self._known:
            place = self._find_old(digest)
            if place is None:
                place = self._new
                self._new += 1
                self._waiting.append(text)
                if len(self._waiting) >= _TOGETHER:
                    self._encode()
            self._known[digest] = place
        return self._known[digest]

    def _find_old(self, digest: int) -> int | None:
        """The origin of a text that stands in the earlier store."""
        digests, rows = self._old_digests
        place = int(np.searchsorted(digests, np.uint64(digest)))
        return ~int(rows[place]) if place < len(digests) and digests[place] == digest else None

    @cached_property
    def _old_digests(self) -> tuple[Table, Numbers]:
        """The digests of the earlier store in rising order, and their rows."""
        digests = self._before.columns.digests if self._before else np.zeros(0, np.uint64)
        rows = np.argsort(digests, kind="stable")
        return digests[rows], rows

    def _encode(self) -> None:
        if self._waiting:
            self._encoded.append(pack(self._encoder.encode(self._waiting)))
            self._waiting = []

    def _columns(self) -> Columns:
        size = self._size
        end = (len(self._lines), len(self._texts), size["passages"], 0, 0)
        documents = np.concatenate([*self._documents, np.array([end], DOCUMENT)])
        order = sorted(range(len(self._ids)), key=self._ids.__getitem__)
        documents["by_id"][:-1] = order
        last = (size["documents"], 0, size["sentences"], size["rows"])
        origins = np.concatenate(self._origins)
        is_new = origins >= 0
        parts = [*self._encoded, *([self._before.columns.vectors[:0]] if self._before else [])]
        new = np.concatenate(parts)
        vectors = np.empty(len(origins), new.dtype)
        vectors[is_new] = new[origins[is_new]]
        if self._before:
            vectors[~is_new] = self._before.columns.vectors[~origins[~is_new]]
        return Columns(
            bytes(self._lines),
            bytes(self._texts),
            documents,
            np.concatenate([*self._passages, np.array([last], PASSAGE)]),
            np.concatenate(self._sentences),
            vectors,
            np.concatenate(self._digests),
        )

    def _counted(self) -> bytes:
        """How often each word stands in the articles, the most frequent first."""
        counts = self._counts
        if self._before is not None:
            counts.update(self._before.words)
            for number in np.flatnonzero(~self._kept).tolist():
                counts.subtract(surface_words(self._before.articles.text(number)))
        rows = sorted((-count, word) for word, count in counts.items() if count > 0)
        return "".join(f"{-count} {word}\n" for count, word in rows).encode()


def _same_encoder(one: Recipe, other: Recipe) -> bool:
    return all(one.get(part) == other[part] for part in ("encoder", "weights_sha256"))


def _digest(text: str) -> int:
    """What tells a text from others: one in a hundred million pairs of millions is told wrong."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
