"""Brings a collection of Qdrant up to date with articles, and opens and checks it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rustqa.errors import CorpusError, InputError
from rustqa.indexing import PassageEncoder, nothing
from rustqa.passages import split_document, splitter_name
from rustqa.settings import Settings
from rustqa.sources.duplicates import Duplicates
from rustqa.sources.files import Problem, SourceFile, find_files
from rustqa.sources.reading import read_file
from rustqa.store.address import parse_address
from rustqa.store.local import Recipe, make_recipe
from rustqa.store.qdrant import QdrantStore
from rustqa.store.qdrant_connection import Connection, connect
from rustqa.store.qdrant_replicas import missing_replicas
from rustqa.store.qdrant_state import differing, read_known
from rustqa.store.qdrant_writer import BATCH, Article, CollectionWriter
from rustqa.types import Document, Encoder, Passage, Span, Vectors


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A collection as it was brought up to date: the store, what could not be used, which articles
    repeat others, and how many were written, were there as they are, and left it."""

    store: QdrantStore
    problems: Sequence[Problem]
    repeats: Sequence[Problem]
    # Every file is read each time.
    old_problems: Sequence[Problem] = field(default=(), init=False)
    read: int
    kept: int
    gone: int


def upload(
    settings: Settings,
    sources: Sequence[Path] = (),
    add: Sequence[Path] = (),
    remove: Collection[str] = (),
    fresh: bool = False,
) -> Uploaded:
    """Makes the collection hold exactly the articles of `sources`, or else adds the articles of
    `add` and removes those with the ids of `remove`.

    With `fresh` the collection is made anew. Raises CorpusError, InputError or StoreError.
    """
    if not (sources or add or remove):
        raise InputError("name the articles: rustqa index FOLDER, with the same --store")
    # What cannot be found is told before anything is written.
    found = [find_files(path) for path in (*sources, *add)]
    files = [file for some, _ in found for file in some]
    problems = [problem for _, some in found for problem in some]
    if not files and not remove:
        raise CorpusError(nothing([*sources, *add], problems))
    encoder = PassageEncoder(settings)
    connection, recipe = _opened(settings, encoder)
    uploader = Uploader(encoder, CollectionWriter(connection, recipe, encoder, fresh), problems)
    uploader.take_all(files)
    if files and not uploader.ids:
        raise CorpusError(nothing([*sources, *add], problems))
    gone = uploader.remove(remove, all_others=bool(sources))
    store = QdrantStore(connection)
    return Uploaded(store, problems, uploader.repeats, uploader.written, uploader.kept, gone)


def check_collection(settings: Settings) -> dict[str, list[str]]:
    """What is amiss, by kind: articles of which passages are `left over` from before, those that
    are `incomplete`, and `replicas` that are not alive.

    Raises StoreError if Qdrant is away or the vectors are another encoder's.
    """
    connection, recipe = _opened(settings, PassageEncoder(settings))
    QdrantStore(connection, recipe)
    found = differing(connection, read_known(connection))
    return {
        "left over": sorted({name for name, _ in found.left}),
        "incomplete": found.lacking,
        "replicas": missing_replicas(connection),
    }


class Uploader:
    """One pass over files of articles into a collection."""

    def __init__(self, encoder: Encoder, writer: CollectionWriter, problems: list[Problem]) -> None:
        """Nothing is taken yet; what could not be read is added to `problems`."""
        self.ids: set[str] = set()
        self.repeats: list[Problem] = []
        self.written = self.kept = 0
        self._encoder = encoder
        self._writer = writer
        self._problems = problems
        self._duplicates = Duplicates()
        self._waiting: list[tuple[Document, str, list[Passage]]] = []

    def take_all(self, files: Sequence[SourceFile]) -> None:
        """Takes every file."""
        from tqdm import tqdm

        for file in tqdm(files, "reading", unit=" files", disable=None, leave=False):
            for item in read_file(file):
                if isinstance(item, Problem):
                    self._problems.append(item)
                elif self._accepts(item, file):
                    self.take(item)
        self.finish()

    def _accepts(self, document: Document, file: SourceFile) -> bool:
        if document.id in self.ids:
            reason = f"another article has the id {document.id!r}; rename one"
            self._problems.append(Problem(file.name, reason))
            return False
        same = self._duplicates.seen(document)
        if same and same.exact:
            reason = f"the same text as the article {same.id!r}; left out"
            self.repeats.append(Problem(file.name, reason))
            return False
        if same:
            reason = f"nearly the same text as the article {same.id!r}; taken all the same"
            self.repeats.append(Problem(file.name, reason))
        self.ids.add(document.id)
        return True

    def take(self, document: Document) -> None:
        """Takes an article; those taken are written some at a time."""
        self.ids.add(document.id)
        version = self._writer.version_of(document)
        known = self._writer.known.get(document.id)
        if known and known.version == version:
            self.kept += 1
            return
        self.written += 1
        self._waiting.append((document, version, split_document(document)))
        if sum(len(passages) for *_, passages in self._waiting) >= BATCH:
            self.finish()

    def finish(self) -> None:
        """Writes what was taken and is not written yet."""
        if not self._waiting:
            return
        texts = dict.fromkeys(
            document.text[start:end]
            for document, _, passages in self._waiting
            for passage in passages
            for start, end in _spans(passage)
        )
        vectors = self._encoder.encode(list(texts))
        row = {text: number for number, text in enumerate(texts)}

        def vectors_of(document: Document, passage: Passage) -> Vectors:
            return vectors[[row[document.text[slice(*span)]] for span in _spans(passage)]]

        self._writer.write(
            [
                Article(document, version, passages, [vectors_of(document, p) for p in passages])
                for document, version, passages in self._waiting
            ]
        )
        self._waiting = []

    def remove(self, ids: Collection[str], all_others: bool) -> int:
        """Removes these articles, or all that were not taken; gives how many."""
        known = self._writer.known
        for name in ids:
            if name not in known:
                raise InputError(f"no article {name!r} there; see: rustqa index list")
        gone = sorted(known.keys() - self.ids) if all_others else list(dict.fromkeys(ids))
        self._writer.remove(gone)
        return len(gone)


def _opened(settings: Settings, encoder: Encoder) -> tuple[Connection, Recipe]:
    """The connection to the collection that is set, and what it is to be made by."""
    recipe = make_recipe(encoder.name, encoder.fingerprint, splitter_name())
    return connect(parse_address(settings.store or ""), settings.store_key), recipe


def _spans(passage: Passage) -> list[Span]:
    """The passage and its sentences; a passage of one sentence is that."""
    whole = Span(passage.start, passage.end)
    return [whole, *passage.sentences] if len(passage.sentences) > 1 else [whole]
