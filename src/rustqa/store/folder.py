"""The index folder: written whole or not at all, checked file by file, and mapped into memory."""

from __future__ import annotations

import errno
import glob
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any

import numpy as np

from rustqa.checksums import sha256_of
from rustqa.errors import StoreError
from rustqa.store.columns import Columns, Table
from rustqa.store.local import FORMAT_VERSION, FaissStore, Recipe
from rustqa.store.nearest import load_nearest
from rustqa.store.postings import Postings

_COLUMNS = ("documents.npy", "passages.npy", "sentences.npy", "vectors.npy", "digests.npy")
_TABLES = (*_COLUMNS, "terms.npy", "postings.npy", "marks.npy")
_TEXTS = ("documents.jsonl", "texts.txt", "terms.txt", "words.txt")
_FILES = (*_TABLES, *_TEXTS, "vectors.faiss", "files.jsonl")
# Files up to this size are read rather than mapped: it is quicker.
_READ = 1 << 20
_CHECKING = 4
_TRIES = 5


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file as it was indexed, by its source's place and its name below that.

    `stamp` is its size and time of change, and `sha256` of its content, both with those of the
    metadata beside it. Its articles are those of the store from `first` to `after`; `problems` are
    what was wrong with it, `repeats` what stands elsewhere, each with the place in it. It `depends`
    on other files if some of that is for an article of theirs.
    """

    source: int
    name: str
    stamp: str
    sha256: str
    first: int
    after: int
    problems: tuple[tuple[str, str], ...] = ()
    repeats: tuple[tuple[str, str], ...] = ()
    depends: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """What an index was made from: folders and files, less the articles that were removed."""

    sources: tuple[Path, ...]
    removed: frozenset[str] = frozenset()
    files: tuple[IndexedFile, ...] = ()


def save_store(store: FaissStore, folder: Path, origin: Origin, marks: Table | None = None) -> None:
    """Writes the store in place of `folder`, whole or not at all.

    `marks` are what its articles are known by when they come again, a table in their order.
    Raises StoreError if the folder holds something else or cannot be written.
    """
    import shutil
    import tempfile

    # A link to an index stays; what it points at is replaced.
    folder = folder.resolve()
    if folder.exists() and not _is_replaceable(folder):
        raise StoreError(f"{folder} holds other files; name an empty or new folder with --index")
    with _writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made = scratch / "new"
            made.mkdir()
            _write(store, made, origin, marks, folder)
            if folder.exists():
                # A save that was cut off before it cleared up may have left one.
                shutil.rmtree(_previous(folder), ignore_errors=True)
                folder.rename(_previous(folder))
            made.rename(folder)
            shutil.rmtree(_previous(folder), ignore_errors=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def load_store(folder: Path) -> FaissStore:
    """Checks every file and opens the store; raises StoreError naming what is damaged.

    An index that is replaced meanwhile is opened anew, so that no two are mixed.
    """
    for _ in range(_TRIES):
        before = _bytes_of_manifest(folder)
        try:
            store = _load(folder)
        except StoreError:
            if before == _bytes_of_manifest(folder):
                raise
        else:
            if before == _bytes_of_manifest(folder):
                return store
    raise StoreError(f"the index at {folder} is replaced again and again; try again later")


def _bytes_of_manifest(folder: Path) -> bytes:
    try:
        return (present(folder) / "manifest.json").read_bytes()
    except OSError:
        return b""


def _load(folder: Path) -> FaissStore:
    folder = present(folder)
    manifest = read_manifest(folder)
    data = _checked(folder, manifest["files"])

    def table(name: str) -> Any:
        content = data[name]
        try:
            if content is None:
                # A plain array over the map: the class for maps takes its time at every access.
                return np.asarray(np.load(folder / name, mmap_mode="r", allow_pickle=False))
            return np.load(io.BytesIO(content), allow_pickle=False)
        except ValueError:
            raise _damaged(folder / name) from None

    def text(name: str) -> bytes | mmap:
        content = data[name]
        return _mapped(folder / name) if content is None else content

    try:
        columns = Columns(
            text("documents.jsonl"), text("texts.txt"),
            *map(table, _COLUMNS),
        )  # fmt: skip
        file = folder / "vectors.faiss"
        look_up, found = columns.passage_vectors, manifest["search"]
        nearest = load_nearest(file, data[file.name], look_up, found)
        postings = Postings(text("terms.txt"), table("terms.npy"), table("postings.npy"))
        recipe = manifest["recipe"]
        return FaissStore(manifest["id"], recipe, columns, nearest, postings, text("words.txt"))
    except OSError as error:
        raise StoreError(f"{error.filename}: {error.strerror}; make it readable") from None
    # FAISS's own, as when another index took the place of this one just now.
    except RuntimeError:
        raise _damaged(folder / "vectors.faiss") from None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of an index folder; raises StoreError if there is none of this format."""
    file = folder / "manifest.json"
    try:
        manifest: dict[str, Any] = json.loads(file.read_bytes())
        if manifest["format_version"] != FORMAT_VERSION:
            raise StoreError(
                f"{folder} has index format {manifest['format_version']}, this program reads "
                f"{FORMAT_VERSION}; build it again: rustqa index --index {folder}"
            )
        checksum = manifest.pop("checksum")
        if checksum != _checksum(manifest):
            raise KeyError
    except FileNotFoundError:
        raise StoreError(
            f"no index at {folder}; build it: rustqa index FOLDER --index {folder}"
        ) from None
    except NotADirectoryError:
        raise StoreError(f"{folder} is a file; name the folder of an index") from None
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}; make it readable") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _damaged(file) from None
    return manifest


def read_origin(folder: Path) -> Origin | None:
    """What the index was made from; None if there is no index that says. Of files that the index
    no longer knows rightly none is given."""
    place = present(folder).resolve()
    try:
        manifest = read_manifest(place)
        data = (place / "files.jsonl").read_bytes()
    except (StoreError, OSError):
        return None
    sources = tuple(Path(os.path.normpath(place / source)) for source in manifest["sources"])
    removed = frozenset(manifest["removed"])
    if hashlib.sha256(data).hexdigest() != manifest["files"]["files.jsonl"]:
        return Origin(sources, removed)
    return Origin(sources, removed, tuple(map(_indexed_file, data.splitlines())))


def read_marks(folder: Path) -> Table:
    """The marks of the articles of an index that was loaded whole."""
    marks: Table = np.load(present(folder) / "marks.npy", allow_pickle=False)
    return marks


def check_recipe(store: FaissStore, recipe: Recipe) -> None:
    """Raises StoreError unless the store was made by this recipe."""
    for what, expected in recipe.items():
        if store.recipe.get(what) != expected:
            raise StoreError(
                f"the index was made with another {what.replace('_', ' ')} "
                f"({store.recipe.get(what)}, not {expected}); build it again: rustqa index, with "
                "the same --index and --encoder"
            )


def present(folder: Path) -> Path:
    """The folder, or the old index that a save cut off between its two renames left beside it."""
    if folder.exists():
        return folder
    previous = _previous(folder.resolve())
    return previous if previous.is_dir() else folder


def _write(
    store: FaissStore, made: Path, origin: Origin, marks: Table | None, folder: Path
) -> None:
    from importlib.metadata import version

    columns, postings = store.columns, store.postings
    tables = {
        "documents.npy": columns.documents,
        "passages.npy": columns.passages,
        "sentences.npy": columns.sentences,
        "vectors.npy": columns.vectors,
        "digests.npy": columns.digests,
        "terms.npy": postings.table,
        "postings.npy": postings.sentences,
        "marks.npy": np.zeros(0) if marks is None else marks,
    }
    texts: dict[str, Any] = {
        "documents.jsonl": columns.lines,
        "texts.txt": columns.texts,
        "terms.txt": postings.terms,
        "words.txt": store.counted,
        "vectors.faiss": store.nearest.to_bytes(),
        "files.jsonl": b"".join(map(_line, origin.files)),
    }
    for name, array in tables.items():
        np.save(made / name, array, allow_pickle=False)
    for name, content in texts.items():
        (made / name).write_bytes(content)
    manifest = {
        "format_version": FORMAT_VERSION,
        "id": store.id,
        "sources": [
            Path(os.path.relpath(source.resolve(), folder)).as_posix() for source in origin.sources
        ],
        "removed": sorted(origin.removed),
        "recipe": store.recipe,
        "documents": len(store.documents),
        "passages": len(store),
        "vectors": {"rows": len(columns.vectors), "dimensions": store.nearest.index.d},
        "search": store.nearest.tuning,
        "files": {name: sha256_of(made / name) for name in _FILES},
        "versions": {name: version(name) for name in ("faiss-cpu", "numpy")},
    }
    manifest["checksum"] = _checksum(manifest)
    (made / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _checksum(manifest: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _indexed_file(line: bytes) -> IndexedFile:
    row = json.loads(line)
    lists = {name: tuple(map(tuple, row.get(name, ()))) for name in ("problems", "repeats")}
    return IndexedFile(**{**row, **lists})


def _line(file: IndexedFile) -> bytes:
    record = {field: getattr(file, field) for field in IndexedFile.__dataclass_fields__}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _checked(folder: Path, digests: Mapping[str, str]) -> dict[str, bytes | None]:
    """The content of each small file and None for each large one, all as they were written."""

    def check(name: str) -> tuple[str, bytes | None]:
        file = folder / name
        try:
            content = file.read_bytes() if file.stat().st_size <= _READ else None
            found = sha256_of(file) if content is None else hashlib.sha256(content).hexdigest()
        except OSError as error:
            reason = "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
            raise StoreError(
                f"{file}: {reason}; build it again: rustqa index --index {folder}"
            ) from None
        if found != digests.get(name):
            raise _damaged(file)
        return name, content

    with ThreadPoolExecutor(_CHECKING, "checking") as pool:
        return dict(pool.map(check, _FILES))


def _mapped(file: Path) -> mmap:
    with file.open("rb") as stream:
        return mmap(stream.fileno(), 0, access=ACCESS_READ)


def _damaged(file: Path) -> StoreError:
    return StoreError(f"{file} is damaged; build it again: rustqa index --index {file.parent}")


def _is_replaceable(folder: Path) -> bool:
    """Whether the folder holds nothing but what an index is made of, in any format, and what the
    system hides there."""
    ours = {"manifest.json", "passages.jsonl", *_FILES}
    return folder.is_dir() and all(
        (item.name in ours or item.name.startswith(".")) and item.is_file()
        for item in folder.iterdir()
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps others from making this index meanwhile; raises StoreError if one is at it.

    What a process that was killed left beside the index is cleared away.
    """
    import shutil

    folder = folder.resolve()
    file = folder.parent / f".{folder.name}.lock"
    with _writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = file.open("w")
    with lock:
        if not _is_had(lock, file):
            raise StoreError(
                f"another process is making the index at {folder}; try again when it is done"
            )
        try:
            for scratch in folder.parent.glob(f".{glob.escape(folder.name)}-*/new"):
                shutil.rmtree(scratch.parent, ignore_errors=True)
            yield
        finally:
            file.unlink(missing_ok=True)


def _is_had(lock: IO[str], file: Path) -> bool:
    """Whether this process alone has the lock now; always where the system knows no locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Another may have taken the file away between the opening and the locking.
        return os.fstat(lock.fileno()).st_ino == file.stat().st_ino
    except OSError:
        return False


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Says what to do where the system lets no index be written."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOENT):
            raise StoreError(
                f"another process is writing the index at {folder}; try again when it is done"
            ) from None
        raise StoreError(
            f"cannot write the index at {folder} ({error.strerror}); "
            "make the folder writable or name another with --index"
        ) from None


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-previous")
