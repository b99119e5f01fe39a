"""Export: what is exported of several runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from onnx import ModelProto

from rustqa.encoder import PACKAGED, model_folder
from rustqa.errors import ReaderError
from rustqa.network import Floats, Shape, reader_network
from rustqa.training import export
from rustqa.training.export import averaged
from rustqa.training.model import SpanModel
from rustqa.training.train import CHECKPOINT

pytestmark = pytest.mark.model

ONE = {"weight": torch.tensor([[1.0, 2.0], [3.0, -4.0]]), "places": torch.arange(3)}
OTHER = {"weight": torch.tensor([[3.0, 2.0], [0.0, 4.0]]), "places": torch.arange(3)}


def test_weights_are_averaged() -> None:
    """The mean of each weight, of two or of three networks."""
    two, three = averaged([ONE, OTHER]), averaged([ONE, OTHER, OTHER])
    assert two["weight"].tolist() == [[2.0, 2.0], [1.5, 0.0]]
    assert torch.allclose(three["weight"], torch.tensor([[7 / 3, 2.0], [1.0, 4 / 3]]))
    assert torch.equal(two["weight"], averaged([OTHER, ONE])["weight"])


def test_one_network_stays_as_it_is() -> None:
    """To the last bit."""
    alone = averaged([ONE])
    assert list(alone) == list(ONE)
    assert all(torch.equal(alone[name], value) for name, value in ONE.items())


@pytest.mark.parametrize("kind", [torch.int64, torch.bfloat16, torch.float32])
def test_numbers_keep_their_kind(kind: torch.dtype) -> None:
    """Integers, which are alike in all, stay integers."""
    mean = averaged([{"numbers": torch.tensor([1, 2, 500]).to(kind)}] * 3)["numbers"]
    assert mean.dtype == kind
    assert torch.equal(mean, torch.tensor([1, 2, 500]).to(kind))


def test_several_runs_are_exported_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mean of their weights, and the steps of each are told."""
    fresh = SpanModel(model_folder(PACKAGED)).state_dict()
    for name, factor, step in (("one", 1.0, 7), ("two", 3.0, 9)):
        (tmp_path / name).mkdir()
        weights = {key: value * factor for key, value in fresh.items()}
        torch.save({"model": weights, "step": step}, tmp_path / name / CHECKPOINT)
    exported: list[SpanModel] = []

    def kept(model: SpanModel, *_: object) -> dict[str, float]:
        exported.append(model)
        return {"fp32": 0.0}

    monkeypatch.setattr(export, "export", kept)
    runs = [str(tmp_path / name) for name in ("one", "two")]
    assert export.main([*runs, "--to", str(tmp_path / "to")]) == 0
    [model] = exported
    assert not model.training
    for key, value in model.state_dict().items():
        if value.is_floating_point():
            assert torch.allclose(value, 2 * fresh[key])
    assert json.loads(capsys.readouterr().out) == {"steps": [7, 9], "fp32": 0.0}


def test_an_export_that_scores_otherwise_is_refused(
    tmp_path: Path, tokenizer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written; in eight bits scores may differ, and it is told by how much."""
    model = SpanModel(model_folder(PACKAGED)).eval()
    differences = export.export(model, tokenizer, tmp_path / "right", "r")
    assert differences["fp32"] < 1e-3 < differences["int8"]

    def other(weights: dict[str, Floats], shape: Shape, eight_bits: bool) -> ModelProto:
        return reader_network(weights, Shape(1, shape.epsilon), eight_bits)

    monkeypatch.setattr(export, "reader_network", other)
    with pytest.raises(ReaderError, match=r"scores differ by .*; install the versions"):
        export.export(model, tokenizer, tmp_path / "wrong", "r")
    assert not (tmp_path / "wrong").exists()


def test_a_run_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a line that says what to name."""
    assert export.main([str(tmp_path / "none"), "--to", str(tmp_path / "to")]) == 2
    assert "name the --out folder of a training run" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()
