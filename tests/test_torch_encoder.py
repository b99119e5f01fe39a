"""Torch encoder: what sentence-transformers loads, and that its export gives the same."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from rustqa.encoder import PACKAGED, PACKAGED_SHA256, model_folder
from rustqa.errors import EncoderError
from rustqa.onnx_encoder import OnnxEncoder
from rustqa.torch_encoder import TorchEncoder
from vectors import ODD_TEXTS, cosines

pytestmark = pytest.mark.model

POOLING = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "lasttoken")


@pytest.fixture
def small(small_model: Path) -> TorchEncoder:
    """A small model."""
    return TorchEncoder("small", small_model, "0" * 64)


@pytest.mark.parametrize("pooling", POOLING)
@pytest.mark.parametrize("modules", [2, 3])
def test_an_export_gives_the_models_vectors(
    small_model: Path, tmp_path: Path, pooling: str, modules: int
) -> None:
    """However the tokens are joined, whether the model itself brings them to unit length or not."""
    folder = tmp_path / "model"
    shutil.copytree(small_model, folder)
    listed = json.loads((folder / "modules.json").read_text())
    (folder / "modules.json").write_text(json.dumps(listed[:modules]))
    chosen = {f"pooling_mode_{name}": name == pooling for name in POOLING}
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, **chosen})
    )
    model = TorchEncoder("small", folder, "0" * 64)
    copy = OnnxEncoder("small", "0" * 64, model.export())
    assert copy.encode([]).shape == (0, 32)
    assert min(cosines(copy.encode(ODD_TEXTS), model.encode(ODD_TEXTS))) > 0.9999


def test_an_export_cuts_where_the_model_does(small: TorchEncoder) -> None:
    """At the length that the model says."""
    copy = OnnxEncoder("small", "0" * 64, small.export())
    texts = ["rain " * 253 + "frost", "rain " * 253 + "frost snow", "rain " * 254]
    assert min(cosines(copy.encode(texts), small.encode(texts))) > 0.9999
    one, longer, other = copy.encode(texts)
    np.testing.assert_allclose(longer, one, atol=1e-6)
    assert np.abs(other - one).max() > 1e-6


def test_an_export_leaves_the_model_as_it_was(small: TorchEncoder) -> None:
    """It encodes on as before, one text or many of different lengths."""
    before = small.encode(ODD_TEXTS)
    small.export()
    np.testing.assert_allclose(small.encode(ODD_TEXTS), before, atol=1e-6)
    np.testing.assert_allclose(small.encode(ODD_TEXTS[:1]), before[:1], atol=1e-6)


def test_an_export_that_differs_is_refused(
    small: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Vectors are compared before the export is given out."""
    right = OnnxEncoder.encode
    monkeypatch.setattr(OnnxEncoder, "encode", lambda self, texts: -right(self, texts))
    with pytest.raises(EncoderError, match="the exported model's vectors differ"):
        small.export()


def test_what_cannot_be_exported_says_why(
    small: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line."""

    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("no operator for this\nand much more")

    monkeypatch.setattr("torch.onnx.export", fail)
    with pytest.raises(EncoderError, match=r"exported to ONNX \(no operator for this\)$"):
        small.export()


def test_texts_keep_their_rows(small: TorchEncoder) -> None:
    """Beside others or alone."""
    texts = [f"{'word ' * (number % 3)}{number}" for number in range(70)]
    vectors = small.encode(texts)
    for place in (0, 33, 69):
        assert cosines(vectors[[place]], small.encode([texts[place]]))[0] > 0.9999


def test_a_local_folder_is_a_model(torch_encoder: TorchEncoder) -> None:
    """Named by its folder the model is the same."""
    folder = model_folder(PACKAGED)
    local = TorchEncoder(str(folder), folder, PACKAGED_SHA256)
    assert (local.name, local.fingerprint) == (str(folder), PACKAGED_SHA256)
    np.testing.assert_allclose(local.encode(ODD_TEXTS), torch_encoder.encode(ODD_TEXTS), atol=1e-6)


def test_a_folder_that_is_no_model_is_refused(tmp_path: Path) -> None:
    """Whatever the libraries make of it, one line says what is wrong with which folder."""
    (tmp_path / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EncoderError, match=f"{tmp_path} is not a usable") as caught:
        TorchEncoder(str(tmp_path), tmp_path, "0" * 64)
    assert "\n" not in str(caught.value)


def test_pickled_weights_are_refused(small_model: Path, tmp_path: Path) -> None:
    """A file that could hold a program is named and not opened, in whichever part it lies; beside
    safetensors it is passed over."""
    folder = tmp_path / "model"
    shutil.copytree(small_model, folder)
    (folder / "pytorch_model.bin").write_bytes(b"never read")
    TorchEncoder("small", folder, "0" * 64)
    pickled = folder / "2_Dense" / "pytorch_model.bin"
    pickled.parent.mkdir(exist_ok=True)
    pickled.write_bytes(b"never read")
    with pytest.raises(EncoderError, match=f"^{pickled} is not read.*save the model as safeten"):
        TorchEncoder("small", folder, "0" * 64)


def test_a_models_own_program_is_not_run(small_model: Path, tmp_path: Path) -> None:
    """A module that the folder brings along is refused before it does anything."""
    folder, trace = tmp_path / "model", tmp_path / "trace"
    shutil.copytree(small_model, folder)
    (folder / "own.py").write_text(f"open({str(trace)!r}, 'w')\nclass Own: pass\n")
    listed = json.loads((folder / "modules.json").read_text())
    listed[1]["type"] = "own.Own"
    (folder / "modules.json").write_text(json.dumps(listed))
    with pytest.raises(EncoderError, match="is not a usable"):
        TorchEncoder("small", folder, "0" * 64)
    assert not trace.exists()


def test_without_sentence_transformers_one_line_says_what_to_do(
    small_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a container, which leaves it out."""
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match="not installed; run: pip install sentence-transf"):
        TorchEncoder("small", small_model, "0" * 64)
