"""The cache of encoders: what is kept is found again, and what is damaged is not used."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rustqa.onnx_cache import cached_folder, keep, open_cached
from rustqa.onnx_encoder import OnnxEncoder
from tiny_bert import tiny_exported

FINGERPRINT = "a" * 63 + "b"
TEXTS = ["w1 w2", "", "w3 " * 30]


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache with a tiny encoder in it."""
    keep(tmp_path, FINGERPRINT, tiny_exported())
    return tmp_path


def _fresh(seed: int = 0) -> OnnxEncoder:
    return OnnxEncoder("tiny", FINGERPRINT, tiny_exported(seed))


def test_what_is_kept_is_found_again(cache: Path) -> None:
    """With its name, its fingerprint and its vectors, those of long texts included."""
    opened = open_cached(cache, "other", FINGERPRINT)
    assert opened is not None
    assert (opened.name, opened.fingerprint) == ("other", FINGERPRINT)
    assert np.array_equal(opened.encode(TEXTS), _fresh().encode(TEXTS))


@pytest.mark.parametrize("fingerprint", ["b" * 64, "a" * 15 + "b" * 49])
def test_other_weights_are_not_there(
    cache: Path, fingerprint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is that anything to warn of."""
    with caplog.at_level(logging.WARNING):
        assert open_cached(cache, "tiny", fingerprint) is None
        assert open_cached(cache / "none", "tiny", FINGERPRINT) is None
    assert caplog.text == ""


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_damaged_file_is_named_and_not_used(
    cache: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A file that is not as it was written counts as none."""
    file = cached_folder(cache, FINGERPRINT) / name
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with caplog.at_level(logging.WARNING):
        assert open_cached(cache, "tiny", FINGERPRINT) is None
    assert f"{name} in {file.parent} is damaged and will be made anew" in caplog.text


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "checksums.json"])
def test_a_missing_file_counts_as_none(cache: Path, name: str) -> None:
    """Whichever it is."""
    (cached_folder(cache, FINGERPRINT) / name).unlink()
    assert open_cached(cache, "tiny", FINGERPRINT) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"{}", b"\xff", b"3"])
def test_broken_checksums_are_no_error(cache: Path, content: bytes) -> None:
    """What is not readable is made anew."""
    (cached_folder(cache, FINGERPRINT) / "checksums.json").write_bytes(content)
    assert open_cached(cache, "tiny", FINGERPRINT) is None


def test_an_encoder_takes_the_place_of_an_old_one(cache: Path) -> None:
    """Whole, and nothing is left beside it."""
    folder = cached_folder(cache, FINGERPRINT)
    (folder / "odd.txt").write_text("left over")
    keep(cache, FINGERPRINT, tiny_exported(seed=1))
    opened = open_cached(cache, "tiny", FINGERPRINT)
    assert opened is not None
    assert np.array_equal(opened.encode(TEXTS), _fresh(1).encode(TEXTS))
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["checksums.json", "model.onnx", "tokenizer.json"]
    assert list(folder.parent.iterdir()) == [folder]


def test_two_that_keep_the_same_do_not_hinder_each_other(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes second finds the place taken, and that is well."""
    folder = cached_folder(cache, FINGERPRINT)
    rename: Callable[[Path, Path], Path] = Path.rename

    def overtaken(source: Path, target: Path) -> Path:
        monkeypatch.setattr(Path, "rename", rename)
        keep(cache, FINGERPRINT, tiny_exported())
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", overtaken)
    keep(cache, FINGERPRINT, tiny_exported())
    assert open_cached(cache, "tiny", FINGERPRINT) is not None
    assert list(folder.parent.iterdir()) == [folder]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """For the caller to tell."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        keep(tmp_path / "file", FINGERPRINT, tiny_exported())
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "checksums.json"])
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """No half of an encoder is kept, whichever file could not be written."""
    monkeypatch.setattr("rustqa.onnx_cache._NETWORK", "no/model.onnx" if "model" in name else "m")
    monkeypatch.setattr("rustqa.onnx_cache._TOKENIZER", "no/t" if "tokenizer" in name else "t")
    monkeypatch.setattr("rustqa.onnx_cache._CHECKSUMS", "no/c" if "checksums" in name else "c")
    with pytest.raises(OSError, match="No such file"):
        keep(tmp_path, FINGERPRINT, tiny_exported())
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
