"""What `rustqa doctor` finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes import FakeEncoder
from rustqa import doctor
from rustqa.cli import main
from rustqa.errors import EncoderError
from rustqa.settings import Settings
from rustqa.torch_encoder import TorchEncoder


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real model is loaded."""
    for opened in ("open_passage_encoder", "open_question_encoder"):
        monkeypatch.setattr(doctor, opened, lambda name, _cache: FakeEncoder(name))


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything that ships is in order, and the exit code says so."""
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[:4] for line in lines] == ["ok  "] * 6


def test_each_fault_is_named_with_its_mend(tmp_path: Path) -> None:
    """A missing index, an empty corpus and an unusable cache are each found, none hides another."""
    file = tmp_path / "file"
    file.write_text("")
    settings = replace(
        Settings.from_env({}), corpus=tmp_path, index=tmp_path / "index", cache=file / "cache"
    )
    found = {finding.what: finding for finding in doctor.examine(settings)}
    assert not found["articles"].ok
    assert "no articles there; put" in found["articles"].detail
    assert "build it: rustqa index FOLDER --index" in found["index"].detail
    assert "RUSTQA_CACHE" in found["cache"].detail
    assert found["encoder"].ok


def test_a_stale_index_is_told(tmp_path: Path) -> None:
    """An index older than its corpus is not called sound."""
    (tmp_path / "new.txt").write_text("It rained.")
    findings = doctor.examine(replace(Settings.from_env({}), corpus=tmp_path))
    index = next(finding for finding in findings if finding.what == "index")
    assert not index.ok
    assert "rustqa index" in index.detail


def test_an_encoder_that_cannot_be_opened_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """For passages or for questions, without hiding the other."""

    def fail(_name: str, _cache: Path) -> FakeEncoder:
        raise EncoderError("model.safetensors is damaged; install it anew")

    for opened, what in (
        ("open_passage_encoder", "encoder"),
        ("open_question_encoder", "questions"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(doctor, opened, fail)
            findings = doctor.examine(Settings.from_env({}))
        wrong = [(finding.what, finding.detail) for finding in findings if not finding.ok]
        assert wrong == [(what, "model.safetensors is damaged; install it anew")]


@pytest.mark.model
@pytest.mark.parametrize("slow", [False, True])
def test_a_slow_encoder_is_told(
    slow: bool, torch_encoder: TorchEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in order, but what encodes the questions is named."""
    encoder = torch_encoder if slow else FakeEncoder()
    monkeypatch.setattr(doctor, "open_question_encoder", lambda _name, _cache: encoder)
    finding = doctor.examine(Settings.from_env({}))[-1]
    assert finding.ok
    assert ("slow to start" in finding.detail) == slow
