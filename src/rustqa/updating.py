"""Takes the files of an index's articles into a builder, those unchanged from the old index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rustqa.checking import Key, digest_of, is_unchanged, stamp_of
from rustqa.sources.duplicates import Duplicates, Mark, mark_of
from rustqa.sources.files import Problem, SourceFile, find_files
from rustqa.sources.reading import read_file
from rustqa.store.builder import Builder
from rustqa.store.columns import Table
from rustqa.store.documents import Documents
from rustqa.store.folder import IndexedFile, Origin
from rustqa.store.local import FaissStore
from rustqa.types import Document


class _Found(NamedTuple):
    """A file, its stamp, and how it was indexed if its articles can be taken over."""

    place: int
    file: SourceFile
    stamp: str
    indexed: IndexedFile | None


class _Refused(NamedTuple):
    """Why an article is not taken: it repeats another, or else has another's id; and whether that
    is an article of another file."""

    problem: Problem
    repeat: bool
    depends: bool


class Update:
    """One pass over all files of all sources into a builder."""

    def __init__(
        self,
        builder: Builder,
        before: FaissStore | None,
        origin: Origin,
        known: Mapping[Key, IndexedFile],
        again: Sequence[Path],
        marks: Table,
        settled: bool,
    ) -> None:
        """`known` are the files as they stand in the store of `before`, and `marks` those of its
        articles; `settled` says that nothing but files may have changed since. Files under the
        paths of `again` are read anew, and their articles taken even if they were removed."""
        self.problems: list[Problem] = []
        self.repeats: list[Problem] = []
        # The same of files that are as they were.
        self.old_problems: list[Problem] = []
        self.old_repeats: list[Problem] = []
        self.read = self.kept = 0
        self.returned: set[str] = set()
        self.marks: list[Mark] = []
        # Of each article taken its digest, and those taken from the file at hand.
        self.ids: dict[str, bytes] = {}
        self._own: set[str] = set()
        self._old_marks = marks
        self._builder = builder
        self._before = before
        self._origin = origin
        self._known = known
        self._settled = settled
        self._again = again
        self._duplicates: Duplicates | None = None

    def take_all(self) -> list[IndexedFile]:
        """Takes every file; gives the record of each."""
        from tqdm import tqdm

        found = [
            _Found(place, file, stamp_of(file), self._unchanged(place, file))
            for place, source in enumerate(self._origin.sources)
            for file in self._files(source)
        ]
        unchanged = [item.indexed for item in found if item.indexed]
        if not self._settled or not len(unchanged) == len(found) == len(self._known):
            # What was wrong with a file may have been another's fault, which may be gone.
            found = [
                item._replace(indexed=None) if item.indexed and item.indexed.depends else item
                for item in found
            ]
            self._duplicates = Duplicates()
        bar = tqdm(found, "reading", unit=" files", disable=None, leave=False)
        return [self._take(item) for item in bar]

    def _files(self, source: Path) -> list[SourceFile]:
        files, problems = find_files(source)
        self.problems += problems
        return files

    def _unchanged(self, place: int, file: SourceFile) -> IndexedFile | None:
        """The file as it was indexed, if its articles can be taken over."""
        indexed = self._known.get((place, file.name))
        if indexed is None or self._is_read_again(file):
            return None
        return indexed if is_unchanged(indexed, file) else None

    def _is_read_again(self, file: SourceFile) -> bool:
        return any(file.path.resolve().is_relative_to(path) for path in self._again)

    def _take(self, found: _Found) -> IndexedFile:
        """Takes a file's articles; its stamp is that from before it was compared or read."""
        file, indexed = found.file, found.indexed
        first = len(self._builder)
        self._own = set()
        sha256 = indexed.sha256 if indexed else digest_of(file)
        items: Iterable[Document | Problem | int] = read_file(file)
        problems: list[Problem] = []
        repeats: list[Problem] = []
        depends = False
        if indexed:
            items = range(indexed.first, indexed.after)
            self.old_problems += (Problem(*pair) for pair in indexed.problems)
            self.old_repeats += (Problem(*pair) for pair in indexed.repeats)
            depends = indexed.depends
        for item in items:
            if isinstance(item, Problem):
                problems.append(item)
            elif refused := self._accept(item, file):
                (repeats if refused.repeat else problems).append(refused.problem)
                depends |= refused.depends
        self.problems += problems
        self.repeats += repeats
        return IndexedFile(
            found.place, file.name, found.stamp, sha256, first, len(self._builder),
            (*(indexed.problems if indexed else ()), *problems),
            (*(indexed.repeats if indexed else ()), *repeats),
            depends,
        )  # fmt: skip

    def _accept(self, item: Document | int, file: SourceFile) -> _Refused | None:
        """Takes an article, or the one of this number in the old index, unless something is
        against it."""
        name = self._old.id_of(item) if isinstance(item, int) else item.id
        if name in self._origin.removed:
            if not self._is_read_again(file):
                return None
            self.returned.add(name)
        mark = self._old_marks[item] if isinstance(item, int) else mark_of(item)
        digest = mark["digest"].tobytes()
        if name in self.ids and self.ids[name] != digest:
            clash = Problem(file.name, f"another article has the id {name!r}; rename one")
            return _Refused(clash, repeat=False, depends=name not in self._own)
        same = self._duplicates.met(name, mark) if self._duplicates else None
        if same and same.exact:
            repeat = Problem(file.name, f"the same text as the article {same.id!r}; left out")
            return _Refused(repeat, repeat=True, depends=same.id not in self._own)
        if same and not isinstance(item, int):
            reason = f"nearly the same text as the article {same.id!r}; taken all the same"
            self.repeats.append(Problem(file.name, reason))
        self.ids[name] = digest
        self._own.add(name)
        self.marks.append(mark)
        if isinstance(item, int):
            self._builder.keep(item, item + 1)
            self.kept += 1
        else:
            self._builder.add(item)
            self.read += 1
        return None

    @property
    def _old(self) -> Documents:
        if self._before is None:
            raise ValueError("there is no old index")
        return self._before.articles
