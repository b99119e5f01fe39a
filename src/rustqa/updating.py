"""Takes the files of an index's articles into a builder, those unchanged from the old index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

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
    ) -> None:
        """`known` are the files as they stand in the store of `before`, and `marks` those of its
        articles; files under the paths of `again` are read anew, and their articles taken even if
        they were removed."""
        self.problems: list[Problem] = []
        self.repeats: list[Problem] = []
        self.read = self.kept = 0
        self.returned: set[str] = set()
        self.marks: list[Mark] = []
        self._old_marks = marks
        self._builder = builder
        self._before = before
        self._origin = origin
        self._known = known
        self._again = again
        self.ids: set[str] = set()
        self._duplicates: Duplicates | None = None

    def take_all(self) -> list[IndexedFile]:
        """Takes every file; gives the record of each."""
        from tqdm import tqdm

        found = [
            (place, file, self._unchanged(place, file))
            for place, source in enumerate(self._origin.sources)
            for file in self._files(source)
        ]
        # Where nothing is read, nothing can have become a duplicate.
        if any(indexed is None for *_, indexed in found):
            self._duplicates = Duplicates()
        bar = tqdm(found, "reading", unit=" files", disable=None, leave=False)
        return [self._take(*item) for item in bar]

    def _files(self, source: Path) -> list[SourceFile]:
        files, problems = find_files(source)
        self.problems += problems
        return files

    def _unchanged(self, place: int, file: SourceFile) -> IndexedFile | None:
        """The file as it was indexed, if its articles can be taken over."""
        indexed = self._known.get((place, file.name))
        # What was wrong may have been another file's fault, as when both had the same id.
        if indexed is None or indexed.problems:
            return None
        if self._is_read_again(file):
            return None
        return indexed if is_unchanged(indexed, file) else None

    def _is_read_again(self, file: SourceFile) -> bool:
        return any(file.path.resolve().is_relative_to(path) for path in self._again)

    def _take(self, place: int, file: SourceFile, indexed: IndexedFile | None) -> IndexedFile:
        first = len(self._builder)
        stamp = stamp_of(file)
        sha256 = indexed.sha256 if indexed else digest_of(file)
        items: Iterable[Document | Problem | int] = read_file(file)
        if indexed:
            items = range(indexed.first, indexed.after)
        found = [item if isinstance(item, Problem) else self._accept(item, file) for item in items]
        problems = tuple(problem for problem in found if problem)
        self.problems += [problem for problem in problems if problem not in self.repeats]
        after = len(self._builder)
        return IndexedFile(place, file.name, stamp, sha256, first, after, problems)

    def _accept(self, item: Document | int, file: SourceFile) -> Problem | None:
        """Takes an article, or the one of this number in the old index, unless something is
        against it."""
        name = self._old.id_of(item) if isinstance(item, int) else item.id
        if name in self._origin.removed:
            if not self._is_read_again(file):
                return None
            self.returned.add(name)
        if name in self.ids:
            return Problem(file.name, f"another article has the id {name!r}; rename one")
        mark = self._old_marks[item] if isinstance(item, int) else mark_of(item)
        if self._duplicates:
            same = self._duplicates.met(name, mark)
            if same and same.exact:
                repeat = Problem(file.name, f"the same text as the article {same.id!r}; left out")
                self.repeats.append(repeat)
                return repeat
            if same and not isinstance(item, int):
                reason = f"nearly the same text as the article {same.id!r}; taken all the same"
                self.repeats.append(Problem(file.name, reason))
        self.ids.add(name)
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
