"""Index: what search means, the folder's round trip, and its replacement, whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes import CORPUS, INDEX, FakeEncoder, FixedEncoder, articles
from rustqa.corpus import make_document
from rustqa.errors import StoreError
from rustqa.index import (
    FaissStore,
    build_store,
    check_store,
    corpus_of,
    load_store,
    make_recipe,
    save_store,
)
from rustqa.passages import split_document, splitter_name
from rustqa.sources.reading import read_corpus
from rustqa.types import Document, Encoder, Vectors


def _build(documents: list[Document], encoder: Encoder) -> FaissStore:
    passages = [passage for document in documents for passage in split_document(document)]
    return build_store(documents, passages, encoder, splitter_name())


def _different(count: int) -> list[Document]:
    """Documents of a passage of two sentences each, no two of their texts alike."""
    return [make_document(f"d{n}", f"It rained {n} times. It froze {n}.") for n in range(count)]


def _rows(store: FaissStore) -> Vectors:
    rows: Vectors = store.index.reconstruct_n(0, store.index.ntotal)
    return rows


def _scratch(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.parent.iterdir() if item != folder)


@pytest.fixture
def folder(tmp_path: Path, fake_store: FaissStore) -> Path:
    """A saved index, alone in its parent folder."""
    made = tmp_path / "parent" / "index"
    save_store(fake_store, made, tmp_path / "corpus")
    return made


@pytest.fixture
def other_store() -> FaissStore:
    """Another index than that in the folder."""
    return _build(articles()[:1], FakeEncoder())


def test_similarities_are_cosines() -> None:
    """For random unit vectors they equal numpy's, of each passage first its own, then those of its
    sentences, whichever passages are asked for."""
    random = np.random.default_rng(7)
    rows = random.normal(size=(60, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    store = _build(_different(20), FixedEncoder(rows=rows))
    assert len(store.passages) == 20
    questions = rows[[33, 5]]
    for numbers in (list(range(20)), [11, 0, 3], [19], []):
        asked = [3 * number + place for number in numbers for place in range(3)]
        found = store.similarities(questions, numbers)
        assert found.shape == (2, len(asked))
        np.testing.assert_allclose(found, questions @ rows[asked].T, atol=1e-6)
    assert store.similarities(questions, [11])[0, 0] == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("top_k", [1, 2, 7, 20, 50])
def test_search_gives_the_nearest_first(top_k: int) -> None:
    """A passage is as near as the nearest of itself and its sentences; each is named once."""
    random = np.random.default_rng(11)
    rows = random.normal(size=(60, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    store = _build(_different(20), FixedEncoder(rows=rows))
    question = np.full(64, 0.125, np.float32)
    nearest = (rows @ question).reshape(20, 3).max(axis=1)
    assert store.search(question, top_k) == np.argsort(-nearest)[:top_k].tolist()


def test_a_loaded_store_equals_the_saved_one(folder: Path, fake_store: FaissStore) -> None:
    """Documents, passages, vectors, recipe and id survive the disk."""
    loaded = load_store(folder)
    assert loaded.documents == fake_store.documents
    assert loaded.passages == fake_store.passages
    assert loaded.recipe == fake_store.recipe
    assert loaded.id == fake_store.id
    assert np.array_equal(_rows(loaded), _rows(fake_store))
    assert _scratch(folder) == []


def test_texts_of_every_kind_survive_the_disk(tmp_path: Path) -> None:
    """Line separators, control characters and emoji do not break the lines of the files."""
    text = "It\u2028rained \x85 all\x0c day\x1c.\r\rIt \N{FAMILY} \ufeffsnowed\x00.\t“Oh”"
    store = _build([make_document("odd", text)], FakeEncoder())
    save_store(store, tmp_path / "index", tmp_path)
    assert load_store(tmp_path / "index").documents == store.documents


@pytest.mark.parametrize(
    "name", ["manifest.json", "vectors.faiss", "passages.jsonl", "documents.jsonl"]
)
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
    if (name, damage) == ("manifest.json", "missing"):
        assert f"no index at {folder};" in str(caught.value)
    elif (name, damage) == ("manifest.json", "flipped"):
        assert f"{folder}" in str(caught.value)
    else:
        assert f"{file}" in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"id": "', '"id": "0'),
        ("at most", "at least"),
        ('"weights_sha256": "', '"weights_sha256": "0'),
        ('"files": {', '"files": 3, "other": {'),
        ('"files": {', '"files": ["vectors.faiss"], "other": {'),
        ('"recipe": {', '"recipe": [], "other": {'),
        ('"format_version": 1,', ""),
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
    file.write_text(file.read_text().replace('"format_version": 1', '"format_version": 99'))
    with pytest.raises(StoreError, match=r"format 99, this program reads 1; .* rustqa index"):
        load_store(folder)


def test_vectors_of_other_passages_are_refused(fake_store: FaissStore) -> None:
    """As many rows as passages and sentences, or the store is not made."""
    with pytest.raises(StoreError, match=r"do not match the passages; .* rustqa index"):
        FaissStore(
            list(fake_store.documents.values()),
            fake_store.passages[:-1],
            fake_store.index,
            fake_store.recipe,
        )


def test_a_store_fits_its_recipe_and_documents(fake_store: FaissStore) -> None:
    """Unchanged articles and encoder pass, in any order."""
    check_store(fake_store, fake_store.recipe, articles()[::-1])
    check_store(fake_store, fake_store.recipe, None)


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
        check_store(fake_store, make_recipe(*recipe), None)


@pytest.mark.parametrize(
    ("documents", "what"),
    [
        ([articles()[0], make_document("orchard", "A late frost.")], "orchard is new or changed"),
        ([articles()[0], replace(articles()[1], title="Frost")], "orchard is new or changed"),
        ([*articles(), make_document("rain", "It rained.")], "rain is new or changed"),
        (articles()[1:], "harbour is gone"),
    ],
)
def test_a_stale_index_is_refused(
    fake_store: FaissStore, documents: list[Document], what: str
) -> None:
    """A changed, new or removed article is named."""
    with pytest.raises(StoreError, match=rf"older than its corpus \({what}\); run: rustqa index"):
        check_store(fake_store, fake_store.recipe, documents)


def test_the_id_follows_the_articles_and_the_recipe(fake_store: FaissStore) -> None:
    """Equal input has an equal id; another text, model or splitter has another."""
    assert _build(articles(), FakeEncoder()).id == fake_store.id
    ids = {
        fake_store.id,
        _build(articles()[:1], FakeEncoder()).id,
        _build(articles(), FakeEncoder(name="other")).id,
        build_store(articles(), fake_store.passages, FakeEncoder(), "by hand").id,
    }
    assert len(ids) == 4


def test_the_corpus_is_found_again(tmp_path: Path, fake_store: FaissStore) -> None:
    """The way to the corpus is kept relative, so that both can move together."""
    (tmp_path / "a" / "corpus").mkdir(parents=True)
    save_store(fake_store, tmp_path / "a" / "index", tmp_path / "a" / "corpus")
    assert corpus_of(tmp_path / "a" / "index") == tmp_path / "a" / "corpus"
    (tmp_path / "a").rename(tmp_path / "b")
    assert corpus_of(tmp_path / "b" / "index") == tmp_path / "b" / "corpus"
    (tmp_path / "b" / "corpus").rmdir()
    assert corpus_of(tmp_path / "b" / "index") is None
    assert corpus_of(tmp_path / "nowhere") is None


def test_a_save_replaces_the_old_index(folder: Path, other_store: FaissStore) -> None:
    """The new index stands in its place and nothing is left beside it."""
    save_store(other_store, folder, folder)
    assert load_store(folder).id == other_store.id
    assert _scratch(folder) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_failure_while_writing_leaves_the_old_index(
    folder: Path,
    fake_store: FaissStore,
    other_store: FaissStore,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
) -> None:
    """A full disk or an impatient user costs nothing but the new index."""
    write_bytes = Path.write_bytes

    def fail(file: Path, data: bytes) -> int:
        if file.name == "documents.jsonl":
            raise error
        return write_bytes(file, data)

    monkeypatch.setattr(Path, "write_bytes", fail)
    expected = StoreError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        save_store(other_store, folder, folder)
    assert load_store(folder).id == fake_store.id
    assert _scratch(folder) == []


@pytest.fixture
def cut_off(folder: Path, other_store: FaissStore, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose replacement was cut off between the two renames."""
    rename = Path.rename

    def crash(source: Path, target: Path) -> Path:
        if target == folder:
            raise KeyboardInterrupt
        return rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        with pytest.raises(KeyboardInterrupt):
            save_store(other_store, folder, folder.parent)
    assert not folder.exists()
    return folder


def test_a_crash_between_the_renames_is_recovered(cut_off: Path, fake_store: FaissStore) -> None:
    """The old index serves on from where it was put aside, and still knows its corpus."""
    (cut_off.parents[1] / "corpus").mkdir()
    assert load_store(cut_off).id == fake_store.id
    assert corpus_of(cut_off) == cut_off.parents[1] / "corpus"


def test_a_save_after_a_crash_leaves_nothing_behind(cut_off: Path, other_store: FaissStore) -> None:
    """The next index takes its place and the one put aside is removed."""
    save_store(other_store, cut_off, cut_off)
    assert load_store(cut_off).id == other_store.id
    assert _scratch(cut_off) == []


def test_a_crash_before_the_clearing_up_is_no_hindrance(
    folder: Path, other_store: FaissStore
) -> None:
    """An index put aside earlier does not stand in the way of the next save."""
    shutil.copytree(folder, folder.with_name(".index-previous"))
    save_store(other_store, folder, folder)
    assert load_store(folder).id == other_store.id
    assert _scratch(folder) == []


def test_a_link_to_an_index_stays_a_link(folder: Path, other_store: FaissStore) -> None:
    """The index a link points at is replaced, time and again."""
    link = folder.parents[1] / "link"
    link.symlink_to(folder)
    for _ in range(2):
        save_store(other_store, link, folder.parent)
    assert link.is_symlink()
    assert load_store(folder).id == other_store.id
    assert corpus_of(link) == folder.parent
    assert _scratch(folder) == []


def test_a_folder_of_other_files_is_not_replaced(tmp_path: Path, fake_store: FaissStore) -> None:
    """--index pointed at the wrong folder destroys nothing; an empty folder will do."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="holds other files; name an empty or new folder"):
        save_store(fake_store, tmp_path, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    (tmp_path / "empty").mkdir()
    save_store(fake_store, tmp_path / "empty", tmp_path)
    assert load_store(tmp_path / "empty").id == fake_store.id


def test_a_place_under_a_file_is_refused(tmp_path: Path, fake_store: FaissStore) -> None:
    """The error names the place and the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write the index at .*file/index .*with --index"):
        save_store(fake_store, tmp_path / "file" / "index", tmp_path)


def test_a_read_only_place_is_refused(
    folder: Path, fake_store: FaissStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's reason is passed on and the index that is there stays."""

    def refuse(**_: object) -> str:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(StoreError, match=r"Read-only file system.*make the folder writable"):
        save_store(fake_store, folder, folder)
    assert load_store(folder).id == fake_store.id


@pytest.mark.model
def test_the_shipped_index_is_that_of_the_shipped_corpus(passage_encoder: Encoder) -> None:
    """Building anew gives the committed documents, passages and id, and the same vectors."""
    shipped = load_store(INDEX)
    made = _build(read_corpus(CORPUS), passage_encoder)
    assert made.documents == shipped.documents
    assert made.passages == shipped.passages
    assert made.id == shipped.id
    np.testing.assert_allclose(_rows(made), _rows(shipped), atol=1e-4)
    check_store(shipped, made.recipe, read_corpus(CORPUS))
    assert corpus_of(INDEX) == CORPUS
