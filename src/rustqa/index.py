"""The index folder: vectors in FAISS, passages and documents beside them, checked and replaced
as a whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from rustqa.errors import StoreError
from rustqa.types import Block, Document, Encoder, Passage, Span, Vectors

FORMAT_VERSION = 1

_FILES = ("vectors.faiss", "passages.jsonl", "documents.jsonl")
# Rows a passage has at most in practice: itself and its sentences.
_ROWS_PER_PASSAGE = 10


class FaissStore:
    """Passages with a flat inner-product index: one row a passage, then one for each sentence.

    On unit vectors the inner product is the cosine; a flat index is exact.
    """

    def __init__(
        self, documents: Sequence[Document], passages: Sequence[Passage], index: Any, recipe: Recipe
    ) -> None:
        """Joins the parts; `index` is a FAISS index whose rows follow the passages' order."""
        self.documents: Mapping[str, Document] = {item.id: item for item in documents}
        self.passages: Sequence[Passage] = tuple(passages)
        self.recipe = recipe
        parts = [FORMAT_VERSION, recipe, sorted((item.id, item.sha256) for item in documents)]
        self.id = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
        self.index = index
        rows = (1 + len(passage.sentences) for passage in self.passages)
        self._first_rows = np.array([0, *accumulate(rows)])
        if index.ntotal != self._first_rows[-1]:
            raise StoreError("the vectors do not match the passages; build again: rustqa index")

    def search(self, vector: Vectors, top_k: int) -> list[int]:
        """Numbers of at most `top_k` passages, the nearest passage or sentence first."""
        rows = min(self.index.ntotal, top_k * _ROWS_PER_PASSAGE)
        _, found = self.index.search(vector[np.newaxis], rows)
        numbers = np.searchsorted(self._first_rows, found[0], side="right") - 1
        return list(dict.fromkeys(numbers.tolist()))[:top_k]

    def similarities(self, vectors: Vectors, numbers: Sequence[int]) -> Vectors:
        """Cosines of questions (questions, dimensions) to the passages of these numbers and to
        their sentences, shape (questions, rows): of each passage its own row, then one for each
        sentence."""
        parts = [np.arange(*self._first_rows[number : number + 2]) for number in numbers]
        rows = np.concatenate([np.array([], np.int64), *parts])
        cosines: Vectors = vectors @ self.index.reconstruct_batch(rows).T
        return cosines


Recipe = dict[str, str]
"""What made the vectors: `encoder`, its `weights_sha256`, and the `splitter`."""


def make_recipe(encoder: str, fingerprint: str, splitter: str) -> Recipe:
    """The recipe of an index to be built or to be expected."""
    return {"encoder": encoder, "weights_sha256": fingerprint, "splitter": splitter}


def build_store(
    documents: Sequence[Document],
    passages: Sequence[Passage],
    encoder: Encoder,
    splitter: str,
    before: FaissStore | None = None,
) -> FaissStore:
    """Encodes every passage and sentence into a new store, in memory.

    A text is encoded once, and not at all if it stands in the store of `before`, which was made by
    the same encoder.
    """
    import faiss

    by_id = {document.id: document for document in documents}
    texts = list(_texts(by_id, passages))
    recipe = make_recipe(encoder.name, encoder.fingerprint, splitter)
    known = _vectors_of(before) if before and _same_encoder(before.recipe, recipe) else {}
    new = list({text: None for text in texts if text not in known})
    if new:
        known.update(zip(new, encoder.encode(new), strict=True))
    vectors = np.stack([known[text] for text in texts])
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return FaissStore(documents, passages, index, recipe)


def _texts(documents: Mapping[str, Document], passages: Iterable[Passage]) -> Iterator[str]:
    """The texts of the rows: each passage and its sentences."""
    for passage in passages:
        text = documents[passage.document_id].text
        yield text[passage.start : passage.end]
        yield from (text[start:end] for start, end in passage.sentences)


def _vectors_of(store: FaissStore) -> dict[str, Vectors]:
    """Each text of the store with its vector."""
    vectors = store.index.reconstruct_n(0, store.index.ntotal)
    return dict(zip(_texts(store.documents, store.passages), vectors, strict=True))


def _same_encoder(one: Recipe, other: Recipe) -> bool:
    return all(one.get(part) == other[part] for part in ("encoder", "weights_sha256"))


def save_store(store: FaissStore, folder: Path, corpus: Path) -> None:
    """Writes the store in place of `folder`, whole or not at all, noting where the corpus lies.

    Raises StoreError if the folder holds something else or cannot be written.
    """
    import shutil
    import tempfile

    # A link to an index stays; what it points at is replaced.
    folder = folder.resolve()
    if folder.exists() and not _is_replaceable(folder):
        raise StoreError(f"{folder} holds other files; name an empty or new folder with --index")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made = scratch / "new"
            made.mkdir()
            _write(store, made, os.path.relpath(corpus.resolve(), folder))
            if folder.exists():
                # A save that was cut off before it cleared up may have left one.
                shutil.rmtree(_previous(folder), ignore_errors=True)
                folder.rename(_previous(folder))
            made.rename(folder)
            shutil.rmtree(_previous(folder), ignore_errors=True)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.ENOENT):
            raise StoreError(
                f"another process is writing the index at {folder}; try again when it is done"
            ) from None
        raise StoreError(
            f"cannot write the index at {folder} ({error.strerror}); "
            "make the folder writable or name another with --index"
        ) from None


def load_store(folder: Path) -> FaissStore:
    """Reads a store and checks every file; raises StoreError naming what is missing or damaged."""
    import faiss

    folder = _present(folder)
    manifest = read_manifest(folder)
    data = {name: _checked(folder / name, manifest["files"].get(name)) for name in _FILES}
    documents = [_document(json.loads(line)) for line in data["documents.jsonl"].splitlines()]
    passages = [_passage(json.loads(line)) for line in data["passages.jsonl"].splitlines()]
    index = faiss.deserialize_index(np.frombuffer(data["vectors.faiss"], np.uint8))
    store = FaissStore(documents, passages, index, manifest["recipe"])
    if store.id != manifest.get("id"):
        raise _damaged(folder / "manifest.json")
    return store


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
        if not (
            manifest["recipe"].keys() >= make_recipe("", "", "").keys()
            and manifest["files"].keys() >= set(_FILES)
        ):
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


def corpus_of(folder: Path) -> Path | None:
    """The corpus an index was built from, if the index says and it is still there."""
    folder = _present(folder).resolve()
    try:
        corpus = folder / read_manifest(folder)["corpus"]
    except (StoreError, KeyError, TypeError):
        return None
    return Path(os.path.normpath(corpus)) if corpus.exists() else None


def check_store(store: FaissStore, recipe: Recipe, documents: Sequence[Document] | None) -> None:
    """Raises StoreError unless the store was made by this recipe and, if given, from these
    documents."""
    for what, expected in recipe.items():
        if store.recipe.get(what) != expected:
            raise StoreError(
                f"the index was made with another {what.replace('_', ' ')} "
                f"({store.recipe.get(what)}, not {expected}); build it again: rustqa index, with "
                "the same --index and --encoder"
            )
    if documents is None:
        return
    stored = store.documents
    changed = sorted(item.id for item in documents if stored.get(item.id) != item)
    gone = sorted(stored.keys() - {item.id for item in documents})
    if changed or gone:
        what = f"{changed[0]} is new or changed" if changed else f"{gone[0]} is gone"
        raise StoreError(
            f"the index is older than its corpus ({what}); run: rustqa index, with the same --index"
        )


def _write(store: FaissStore, folder: Path, corpus: str) -> None:
    from importlib.metadata import version

    import faiss

    contents = {
        "vectors.faiss": faiss.serialize_index(store.index).tobytes(),
        "passages.jsonl": _jsonl([asdict(passage) for passage in store.passages]),
        "documents.jsonl": _jsonl([asdict(document) for document in store.documents.values()]),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    manifest = {
        "format_version": FORMAT_VERSION,
        "id": store.id,
        "corpus": Path(corpus).as_posix(),
        "recipe": store.recipe,
        "documents": {
            key: {"sha256": item.sha256, "bytes": item.bytes}
            for key, item in store.documents.items()
        },
        "passages": len(store.passages),
        "vectors": {"rows": store.index.ntotal, "dimensions": store.index.d},
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()},
        "versions": {name: version(name) for name in ("faiss-cpu", "numpy")},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _checked(file: Path, digest: str | None) -> bytes:
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = "missing" if isinstance(error, FileNotFoundError) else str(error.strerror)
        raise StoreError(
            f"{file}: {reason}; build it again: rustqa index --index {file.parent}"
        ) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(file)
    return data


def _damaged(file: Path) -> StoreError:
    return StoreError(f"{file} is damaged; build it again: rustqa index --index {file.parent}")


def _document(row: dict[str, Any]) -> Document:
    blocks = tuple(Block(**block) for block in row.pop("blocks"))
    return Document(**{**row, "questions": tuple(row["questions"])}, blocks=blocks)


def _passage(row: dict[str, Any]) -> Passage:
    return Passage(**{**row, "sentences": tuple(Span(*span) for span in row["sentences"])})


def _is_replaceable(folder: Path) -> bool:
    """Whether the folder holds nothing but what an index is made of."""
    ours = {"manifest.json", *_FILES}
    return folder.is_dir() and all(
        item.name in ours and item.is_file() for item in folder.iterdir()
    )


def _present(folder: Path) -> Path:
    """The folder, or the old index that a save cut off between its two renames left beside it."""
    if folder.exists():
        return folder
    previous = _previous(folder.resolve())
    return previous if previous.is_dir() else folder


def _previous(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}-previous")
