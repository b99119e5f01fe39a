"""The index folder: its round trip, and its replacement, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fakes import CORPUS, INDEX, FakeEncoder, articles
from folder_fixtures import beside, sources_of
from rustqa.checksums import sha256_of
from rustqa.corpus import make_document
from rustqa.errors import StoreError
from rustqa.indexing import build_in_memory
from rustqa.passages import splitter_name
from rustqa.sources.files import Problem
from rustqa.sources.reading import read_corpus
from rustqa.store import folder as folder_module
from rustqa.store.columns import unpack
from rustqa.store.folder import (
    IndexedFile,
    Origin,
    check_recipe,
    load_store,
    read_manifest,
    read_origin,
    save_store,
)
from rustqa.store.local import FaissStore, make_recipe
from rustqa.types import Encoder

NAMES = (
    *("digests.npy", "documents.jsonl", "documents.npy", "files.jsonl", "manifest.json"),
    *("marks.npy", "passages.npy", "postings.npy", "sentences.npy", "terms.npy", "terms.txt"),
    *("texts.txt", "vectors.faiss", "vectors.npy", "words.txt"),
)


@pytest.mark.parametrize("read", [0, 1 << 20])
def test_a_loaded_store_equals_the_saved_one(
    folder: Path, fake_store: FaissStore, monkeypatch: pytest.MonkeyPatch, read: int
) -> None:
    """Whether its files are read or mapped into memory."""
    monkeypatch.setattr(folder_module, "_READ", read)
    loaded = load_store(folder)
    assert dict(loaded.documents) == dict(fake_store.documents)
    for name in loaded.documents:
        assert loaded.passages_of(name) == fake_store.passages_of(name)
    assert (loaded.recipe, loaded.id) == (fake_store.recipe, fake_store.id)
    assert loaded.words == fake_store.words
    vectors = FakeEncoder().encode(["the harbour wall"])
    pools = [one.search(vectors, [["harbour", "wall"]], 3) for one in (loaded, fake_store)]
    assert list(pools[0].passages) == list(pools[1].passages)
    assert np.array_equal(pools[0].cosines, pools[1].cosines)
    assert np.array_equal(pools[0].shares, pools[1].shares)
    assert sorted(file.name for file in folder.iterdir()) == sorted([*NAMES, ".manifest.json"])
    assert beside(folder) == []


def test_a_mapped_index_serves_on_while_it_is_replaced(
    folder: Path, other_store: FaissStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is mapped stays what it was until it is let go."""
    monkeypatch.setattr(folder_module, "_READ", 0)
    loaded = load_store(folder)
    save_store(other_store, folder, Origin(()))
    assert dict(loaded.documents) == {document.id: document for document in articles()}
    assert list(load_store(folder).documents) == ["harbour"]


def test_the_origin_survives_the_disk(tmp_path: Path, fake_store: FaissStore) -> None:
    """Sources, what was removed, and each file with what was wrong with it."""
    files = (
        IndexedFile(0, "a.txt", "3:4", "0" * 64, 0, 1),
        IndexedFile(1, "b\u2028 🎉.jsonl", "", "1" * 64, 1, 2, (Problem("b:3", "no"),)),
    )
    origin = Origin((tmp_path / "a", tmp_path / "b"), frozenset({"x"}), files)
    save_store(fake_store, tmp_path / "index", origin)
    assert read_origin(tmp_path / "index") == origin
    assert read_origin(tmp_path / "nowhere") is None


def test_texts_of_every_kind_survive_the_disk(tmp_path: Path) -> None:
    """Line separators, control characters and emoji do not break the lines of the files."""
    text = "It\u2028rained \x85 all\x0c day\x1c.\r\rIt \N{FAMILY} \ufeffsnowed\x00.\t“Oh”"
    store = build_in_memory([make_document("odd", text)], FakeEncoder())
    save_store(store, tmp_path / "index", Origin(()))
    assert dict(load_store(tmp_path / "index").documents) == dict(store.documents)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "flipped"])
def test_damage_is_named_with_its_mend(folder: Path, name: str, damage: str) -> None:
    """A file that is not as it was written is never used."""
    file = folder / name
    data = file.read_bytes()
    half = len(data) // 2
    match damage:
        case "missing":
            file.unlink()
        case "empty":
            file.write_bytes(b"")
        case "truncated":
            file.write_bytes(data[:half])
        case "flipped":
            # In the manifest, a digit of the hash of a file.
            place = data.rindex(b'"files"') + 30 if name == "manifest.json" else half
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
    with pytest.raises(StoreError, match="rustqa index") as caught:
        load_store(folder)
    assert f"{file}" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"id": "', '"id": "0'),
        ("at most", "at least"),
        ('"weights_sha256": "', '"weights_sha256": "0'),
        ('"probes": 0', '"probes": 1'),
        ('"files": {', '"files": 3, "other": {'),
        ('"sources": [', '"sources": ["more", '),
        ('"format_version": 2,', ""),
        ('"checksum": "', '"checksum": "0'),
        ('"checksum"', '"other"'),
    ],
)
def test_a_manifest_that_does_not_fit_is_damaged(folder: Path, old: str, new: str) -> None:
    """What the manifest says of the index is checked against the index."""
    file = folder / "manifest.json"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))
    with pytest.raises(StoreError, match=r"manifest.json is damaged; build it again"):
        load_store(folder)


def test_another_format_is_refused(folder: Path) -> None:
    """An index from another version says which, and how to build one of this."""
    file = folder / "manifest.json"
    file.write_text(file.read_text().replace('"format_version": 2', '"format_version": 99'))
    with pytest.raises(StoreError, match=r"format 99, this program reads 2; .* rustqa index"):
        load_store(folder)


def test_a_store_fits_its_recipe(fake_store: FaissStore) -> None:
    """The same encoder and splitter pass."""
    check_recipe(fake_store, make_recipe("fake", FakeEncoder().fingerprint, splitter_name()))


@pytest.mark.parametrize(
    ("recipe", "what"),
    [
        (("other", FakeEncoder().fingerprint, splitter_name()), r"another encoder \(fake, not"),
        (("fake", "0" * 64, splitter_name()), "another weights sha256"),
        (("fake", FakeEncoder().fingerprint, "by hand"), "another splitter"),
    ],
)
def test_another_recipe_is_refused(
    fake_store: FaissStore, recipe: tuple[str, str, str], what: str
) -> None:
    """Vectors of another model or splitter are not compared with ours."""
    with pytest.raises(StoreError, match=f"{what}.*build it again: rustqa index"):
        check_recipe(fake_store, make_recipe(*recipe))


def test_the_id_follows_the_articles_and_the_recipe(fake_store: FaissStore) -> None:
    """Equal input has an equal id; another text, title or model has another."""
    harbour, orchard = articles()
    assert build_in_memory(articles(), FakeEncoder()).id == fake_store.id
    titled = make_document("orchard", orchard.text, metadata={"title": "Frost"})
    ids = {
        fake_store.id,
        build_in_memory([harbour], FakeEncoder()).id,
        build_in_memory([harbour, titled], FakeEncoder()).id,
        build_in_memory(articles(), FakeEncoder(name="other")).id,
    }
    assert len(ids) == 4


def test_the_articles_are_found_again(tmp_path: Path, fake_store: FaissStore) -> None:
    """The way to them is kept relative, so that both can move together."""
    (tmp_path / "a" / "corpus").mkdir(parents=True)
    save_store(fake_store, tmp_path / "a" / "index", Origin((tmp_path / "a" / "corpus",)))
    assert sources_of(tmp_path / "a" / "index") == (tmp_path / "a" / "corpus",)
    (tmp_path / "a").rename(tmp_path / "b")
    assert sources_of(tmp_path / "b" / "index") == (tmp_path / "b" / "corpus",)


def test_an_index_of_the_first_format_is_replaced(folder: Path, fake_store: FaissStore) -> None:
    """It is refused by name, and taken for an index when a new one is to take its place."""
    shutil.rmtree(folder)
    folder.mkdir()
    for name in ("vectors.faiss", "passages.jsonl", "documents.jsonl"):
        (folder / name).write_text("old")
    (folder / "manifest.json").write_text(json.dumps({"format_version": 1, "corpus": "x"}))
    with pytest.raises(StoreError, match=r"format 1, this program reads 2; build it again"):
        load_store(folder)
    save_store(fake_store, folder, Origin(()))
    assert load_store(folder).id == fake_store.id


def test_what_faiss_cannot_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own kind of error ends in no traceback."""

    def fail(*_: object) -> None:
        raise RuntimeError("could not open for reading")

    monkeypatch.setattr(folder_module, "load_nearest", fail)
    with pytest.raises(StoreError, match=r"vectors.faiss is damaged; build it again"):
        load_store(folder)


def test_what_only_looks_whole_is_refused(folder: Path) -> None:
    """A file that another has taken the place of."""
    shutil.copy(folder / "passages.npy", folder / "sentences.npy")
    with pytest.raises(StoreError, match=r"sentences.npy is damaged; build it again"):
        load_store(folder)


def test_nothing_pickled_is_read(folder: Path) -> None:
    """A table that would run code is refused, even with a manifest that vouches for it."""
    np.save(folder / "passages.npy", np.array([object()]), allow_pickle=True)
    manifest = read_manifest(folder)
    manifest["files"]["passages.npy"] = sha256_of(folder / "passages.npy")
    manifest["checksum"] = folder_module._checksum(manifest)
    (folder / "manifest.json").write_bytes(folder_module._manifest_bytes(manifest))
    with pytest.raises(StoreError, match=r"passages\.npy is damaged"):
        load_store(folder)


@pytest.mark.model
def test_the_shipped_index_is_that_of_the_shipped_corpus(passage_encoder: Encoder) -> None:
    """Building anew gives the committed documents, passages and id, and the same vectors."""
    shipped = load_store(INDEX)
    made = build_in_memory(read_corpus(CORPUS), passage_encoder)
    assert dict(made.documents) == dict(shipped.documents)
    assert made.id == shipped.id
    for name in ("documents", "passages", "sentences"):
        assert np.array_equal(getattr(made.columns, name), getattr(shipped.columns, name))
    again, kept = (unpack(store.columns.vectors) for store in (made, shipped))
    np.testing.assert_allclose(again, kept, atol=2e-3)
    check_recipe(shipped, made.recipe)
    assert sources_of(INDEX) == (CORPUS,)
