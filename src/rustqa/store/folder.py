"""The index folder: written whole or not at all, checked file by file, and mapped into memory."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import IO, Any, cast

import numpy as np

from rustqa.checksums import sha256_of
from rustqa.durable import writing
from rustqa.errors import StoreError
from rustqa.store.columns import Columns, Table
from rustqa.store.local import FORMAT_VERSION, FaissStore, Recipe
from rustqa.store.nearest import load_nearest
from rustqa.store.postings import Postings
from rustqa.store.replacing import command, previous, replacing

_COLUMNS = ("documents.npy", "passages.npy", "sentences.npy", "vectors.npy", "digests.npy")
_TABLES = (*_COLUMNS, "terms.npy", "postings.npy", "marks.npy")
_TEXTS = ("documents.jsonl", "texts.txt", "terms.txt", "words.txt")
_FILES = (*_TABLES, *_TEXTS, "vectors.faiss", "files.jsonl")
_MANIFEST = "manifest.json"
# A copy, from which is known what an index with a damaged manifest was made from. What its name
# begins with makes it no hindrance to programs that know of no such file.
_SPARE = ".manifest.json"
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
    # A link to an index stays; what it points at is replaced.
    folder = folder.resolve()
    if folder.exists() and not _is_replaceable(folder):
        raise StoreError(f"{folder} holds other files; name an empty or new folder with --index")
    with replacing(folder) as made:
        _write(store, made, origin, marks, folder)


def load_store(folder: Path) -> FaissStore:
    """Checks every file and opens the store; raises StoreError naming what is damaged.

    An index that is replaced meanwhile is opened anew, so that no two are mixed.
    """
    for _ in range(_TRIES):
        before = _state(folder)
        try:
            store = _load(folder)
        except StoreError:
            if before == _state(folder):
                raise
        else:
            if before == _state(folder):
                return store
    raise StoreError(f"the index at {folder} is replaced again and again; try again later")


def _state(folder: Path) -> tuple[Path, int, bytes] | None:
    """What changes when the index is replaced, and while it is: where it lies, which folder that
    is, and the manifest."""
    try:
        place = present(folder)
        return place, place.stat().st_ino, (place / _MANIFEST).read_bytes()
    except OSError:
        return None


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


def read_manifest(folder: Path, name: str = _MANIFEST) -> dict[str, Any]:
    """The manifest of an index folder; raises StoreError if there is none of this format."""
    file = folder / name
    try:
        data = file.read_bytes()
        manifest: dict[str, Any] = json.loads(data)
        if manifest["format_version"] != FORMAT_VERSION:
            raise StoreError(
                f"{file} tells of index format {manifest['format_version']}, this program reads "
                f"{FORMAT_VERSION}; build it again: {command(folder)}"
            )
        written = _manifest_bytes(manifest)
        checksum = manifest.pop("checksum")
        if checksum != _checksum(manifest) or data != written:
            raise KeyError
    except FileNotFoundError:
        if (folder / _SPARE).is_file():
            raise StoreError(f"{file}: missing; build it again: {command(folder)}") from None
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
    origin = _origin_of(manifest, place)
    if hashlib.sha256(data).hexdigest() != manifest["files"]["files.jsonl"]:
        return origin
    return replace(origin, files=tuple(map(_indexed_file, data.splitlines())))


def remembered_origin(folder: Path) -> Origin | None:
    """As `read_origin`; of an index that is damaged or of another format what it was made from,
    if that is known, and none of the files."""
    if origin := read_origin(folder):
        return origin
    place = present(folder).resolve()
    try:
        return _origin_of(read_manifest(place, _SPARE), place)
    except StoreError:
        pass
    try:
        manifest = json.loads((place / _MANIFEST).read_bytes())
        return None if manifest["format_version"] == FORMAT_VERSION else _origin_of(manifest, place)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def spare_fault(folder: Path, needed: bool = True) -> str | None:
    """What is wrong with the copy of a sound index's manifest, and how it is mended; unless it is
    `needed`, there may be none, as in an index that is older than the custom."""
    place = present(folder)
    file = place / _SPARE
    try:
        if file.read_bytes() == (place / _MANIFEST).read_bytes():
            return None
        fault = "damaged"
    except FileNotFoundError:
        if not needed:
            return None
        fault = "missing"
    except OSError:
        fault = "not readable"
    return f"{file} is {fault}; the index is used; mend it: {command(folder)}"


def _origin_of(manifest: Mapping[str, Any], place: Path) -> Origin:
    """What a manifest of any format says that the index was made from; raises KeyError, TypeError
    or ValueError if that is nothing."""
    # The first format knew one folder.
    sources = [manifest["corpus"]] if "corpus" in manifest else manifest["sources"]
    if not isinstance(sources, list):
        raise TypeError
    paths = tuple(Path(os.path.normpath(place / source)) for source in sources)
    return Origin(paths, frozenset(map(str, manifest.get("removed", ()))))


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
    aside = previous(folder.resolve())
    return aside if aside.is_dir() else folder


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
    digests = {}
    for name in _FILES:
        with writing(made / name) as file:
            if name in tables:
                # It takes what is no file of Python's own for a pipe, which says why it fails.
                np.save(cast(IO[bytes], file), tables[name], allow_pickle=False)
            else:
                file.write(texts[name])
        digests[name] = file.sha256
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
        "files": digests,
        "versions": {name: version(name) for name in ("faiss-cpu", "numpy")},
    }
    manifest["checksum"] = _checksum(manifest)
    for name in (_SPARE, _MANIFEST):
        with writing(made / name) as file:
            file.write(_manifest_bytes(manifest))


def _manifest_bytes(manifest: Mapping[str, Any]) -> bytes:
    return (json.dumps(manifest, indent=2) + "\n").encode()


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
            raise StoreError(f"{file}: {reason}; build it again: {command(folder)}") from None
        if found != digests.get(name):
            raise _damaged(file)
        return name, content

    with ThreadPoolExecutor(_CHECKING, "checking") as pool:
        return dict(pool.map(check, _FILES))


def _mapped(file: Path) -> mmap:
    with file.open("rb") as stream:
        return mmap(stream.fileno(), 0, access=ACCESS_READ)


def _damaged(file: Path) -> StoreError:
    return StoreError(f"{file} is damaged; build it again: {command(file.parent)}")


def _is_replaceable(folder: Path) -> bool:
    """Whether the folder holds nothing but what an index is made of, in any format, and what the
    system hides there."""
    ours = {_MANIFEST, "passages.jsonl", *_FILES, *_listed(folder)}
    return folder.is_dir() and all(
        (item.name in ours or item.name.startswith(".")) and item.is_file()
        for item in folder.iterdir()
    )


def _listed(folder: Path) -> list[str]:
    """The files that the manifest of an index of another format names."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
        return list(manifest["files"]) if manifest["format_version"] else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
