"""Finds the files of articles in a folder."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from rustqa.errors import CorpusError
from rustqa.sources.ignoring import IGNORE_FILE, Rules, is_ignored, read_rules

SUFFIXES = (".txt", ".md", ".html", ".htm", ".pdf", ".jsonl")
KINDS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"

# A file's name may hold what no line of a report and no UTF-8 can, or what turns the line round.
_HALF = "\ud800"
_UNSHOWABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


class SourceFile(NamedTuple):
    """A file of articles: where it lies, its name below the source, its metadata file if any."""

    path: Path
    name: str
    metadata: Path | None


class Problem(NamedTuple):
    """What could not be read, why, and what to do, in one line."""

    name: str
    reason: str


# An index is not made of articles, though its files look like such: a folder with two of these is
# one, should another be lost.
_INDEX = {"manifest.json", "vectors.faiss", "passages.npy"}


def find_files(source: Path) -> tuple[list[SourceFile], list[Problem]]:
    """The files of articles in a folder (or the one file named) and what stood in the way, each
    sorted by name. Raises CorpusError if the source is neither a folder nor such a file."""
    try:
        mode = os.stat(source).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise CorpusError(f"{source}: no such file or folder; name a folder of articles") from None
    except OSError as error:
        raise CorpusError(f"{source}: {error.strerror}; name a folder of articles") from None
    if stat.S_ISDIR(mode):
        walk = _Walk(source)
        walk.run()
        return sorted(walk.files, key=lambda file: (file.name, file.path)), sorted(
            set(walk.problems)
        )
    if not stat.S_ISREG(mode) or source.suffix.lower() not in SUFFIXES:
        raise CorpusError(f"{source}: not an article; give a {KINDS} file")
    metadata = source.with_suffix(".toml")
    return [SourceFile(source, _shown(source.name), metadata if metadata.is_file() else None)], []


def stem(name: str) -> str:
    """A file's name without its suffix."""
    return PurePosixPath(name).with_suffix("").as_posix()


def _shown(name: str) -> str:
    # Of what is no UTF-8 the byte.
    return _UNSHOWABLE.sub(
        lambda sign: f"%{ord(sign[0]) & (0xFF if sign[0] >= _HALF else 0xFFFF):02X}", name
    )


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads in circles
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


class _Folder(NamedTuple):
    """A folder to look into: where it really lies, its name ("" or ending in /), its rules."""

    real: str
    name: str
    rules: Rules


class _Walk:
    def __init__(self, source: Path) -> None:
        self.source = source
        self.root = os.path.realpath(source)
        self.files: list[SourceFile] = []
        self.problems: list[Problem] = []
        self.seen: set[str] = set()
        self.folders: list[_Folder] = []
        self.linked: list[_Folder] = []

    def run(self) -> None:
        """Looks into each folder once; by a link only where no other way leads to it."""
        self.folders = [_Folder(self.root, "", ())]
        while self.folders or self.linked:
            if not self.folders:
                self.linked.sort(key=lambda folder: folder.name, reverse=True)
                self.folders.append(self.linked.pop())
            folder = self.folders.pop()
            if folder.real not in self.seen:
                self.seen.add(folder.real)
                self._look(folder)

    def _look(self, folder: _Folder) -> None:
        try:
            with os.scandir(folder.real) as found:
                entries = {entry.name: entry for entry in found}
        except OSError as error:
            self._report(folder.name or ".", f"{error.strerror}; make it readable and index again")
            return
        if len(entries.keys() & _INDEX) > 1:
            return
        if IGNORE_FILE in entries:
            name = folder.name + IGNORE_FILE
            try:
                if not self._is_ours(entries[IGNORE_FILE]):
                    raise CorpusError("not a file in the folder; put one there")
                rules = read_rules(Path(folder.real, IGNORE_FILE), folder.name, folder.rules)
            except CorpusError as error:
                # What it was to leave out is not known, so all is left out.
                self._report(name, f"{error} (its folder is left out until then)")
                return
            folder = folder._replace(rules=rules)
        for entry in entries.values():
            if not entry.name.startswith("."):
                self._take(entry, folder, entries)

    def _take(
        self, entry: os.DirEntry[str], folder: _Folder, entries: Mapping[str, os.DirEntry[str]]
    ) -> None:
        name = folder.name + entry.name
        base, suffix = os.path.splitext(entry.name)
        article = suffix.lower() in SUFFIXES
        directory = _is_folder(entry)
        if not directory and not article:
            return
        if folder.rules and is_ignored(f"{name}/" if directory else name, folder.rules):
            return
        link = entry.is_symlink()
        if link and not os.path.exists(entry.path):
            self._report(name, "a link that leads nowhere; remove it or mend it")
        elif link and not self._is_inside(entry.path):
            self._report(name, "a link out of the folder; put a copy of its target there instead")
        elif directory:
            real = os.path.realpath(entry.path) if link else entry.path
            (self.linked if link else self.folders).append(_Folder(real, f"{name}/", folder.rules))
        elif not _is_file(entry):
            self._report(name, "a pipe or a device, not a file; remove it")
        else:
            metadata = self._metadata(entries.get(f"{base}.toml"), folder)
            self.files.append(SourceFile(self.source / name, _shown(name), metadata))

    def _metadata(self, entry: os.DirEntry[str] | None, folder: _Folder) -> Path | None:
        if entry is None or _is_folder(entry):
            return None
        name = folder.name + entry.name
        if not self._is_ours(entry):
            self._report(name, "not a file in the folder; put one there")
            return None
        return self.source / name

    def _is_ours(self, entry: os.DirEntry[str]) -> bool:
        """Whether it is a file that lies in the source."""
        return _is_file(entry) and (not entry.is_symlink() or self._is_inside(entry.path))

    def _is_inside(self, path: str) -> bool:
        real = os.path.realpath(path)
        return real == self.root or real.startswith(os.path.join(self.root, ""))

    def _report(self, name: str, reason: str) -> None:
        self.problems.append(Problem(_shown(name), reason))
