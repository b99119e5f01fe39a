"""The articles of an index by id, each read from its line and its text when it is asked for."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rustqa.store.columns import Columns, Numbers
from rustqa.types import Block, Document, Listing, Scope

_KEPT = 256
_BEFORE_ID = len('{"id": ')
_DECODER = json.JSONDecoder()


def document_line(document: Document) -> bytes:
    """The article without its text as one line of JSON that begins with the id."""
    record: dict[str, Any] = {
        "id": document.id,
        "title": document.title,
        "url": document.url,
        "source": document.source,
        "date": document.date,
        "licence": document.licence,
        "questions": document.questions,
        "sha256": document.sha256,
        "bytes": document.bytes,
        "blocks": [(block.start, block.end, block.paragraph) for block in document.blocks],
    }
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class Documents(Mapping[str, Document]):
    """The articles in the order in which they were indexed."""

    def __init__(self, columns: Columns) -> None:
        """Reads nothing yet; `at`, `id_of` and `text` give an article, its id and its text by its
        number."""
        self._columns = columns
        self._table = columns.documents
        self.at = lru_cache(_KEPT)(self._read)
        self.id_of = lru_cache(16 * _KEPT)(self._read_id)
        self.text = lru_cache(_KEPT)(self._read_text)

    def __len__(self) -> int:
        return len(self._table) - 1

    def __iter__(self) -> Iterator[str]:
        return map(self.id_of, range(len(self)))

    def __getitem__(self, id: str) -> Document:
        number = self.number(id)
        if number is None:
            raise KeyError(id)
        return self.at(number)

    def __contains__(self, id: object) -> bool:
        return isinstance(id, str) and self.number(id) is not None

    def number(self, id: str) -> int | None:
        """The number of the article with this id, if there is one."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            number = int(self._table["by_id"][middle])
            found = self.id_of(number)
            if found == id:
                return number
            low, high = (middle + 1, high) if found < id else (low, middle)
        return None

    def inside(self, scope: Scope) -> NDArray[np.bool_]:
        """For each article whether it is in scope."""
        inside = np.ones(len(self), bool)
        if scope.documents is not None:
            inside[:] = False
            inside[[n for n in map(self.number, scope.documents) if n is not None]] = True
        if scope.since or scope.until:
            day = self._table["day"][:-1]
            first, last = scope.since or dt.date.min, scope.until or dt.date.max
            inside &= (day >= first.toordinal()) & (day <= last.toordinal()) & (day > 0)
        return inside

    def listing(self, words: Sequence[str], scope: Scope, start: int, count: int) -> Listing:
        """The articles in scope whose title or source holds the words, without regard to case."""
        found = self._newest_first[self.inside(scope)[self._newest_first]]
        wanted = [word.casefold() for word in words]
        if wanted:
            headings = self._headings
            found = np.array([n for n in found if all(w in headings[n] for w in wanted)], np.int64)
        page = found[start : start + count].tolist()
        return Listing(len(found), [self.at(number) for number in page])

    @cached_property
    def _newest_first(self) -> Numbers:
        return np.argsort(-self._table["day"][:-1].astype(np.int64), kind="stable")

    @cached_property
    def _headings(self) -> list[str]:
        rows = (json.loads(self._line(number)) for number in range(len(self)))
        return [f"{row['title']}\n{row['source'] or ''}".casefold() for row in rows]

    def _line(self, number: int) -> str:
        start, end = self._table["line"][number : number + 2].tolist()
        return self._columns.lines[start:end].decode()

    def _read(self, number: int) -> Document:
        row = json.loads(self._line(number))
        blocks = tuple(Block(*block) for block in row.pop("blocks"))
        questions = tuple(row.pop("questions"))
        return Document(text=self.text(number), blocks=blocks, questions=questions, **row)

    def _read_id(self, number: int) -> str:
        name: str = _DECODER.raw_decode(self._line(number), _BEFORE_ID)[0]
        return name

    def _read_text(self, number: int) -> str:
        start, end = self._table["text"][number : number + 2].tolist()
        return self._columns.texts[start:end].decode()
