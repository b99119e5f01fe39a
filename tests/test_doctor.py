"""What `rustqa doctor` finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fakes import FakeEncoder
from rustqa import doctor
from rustqa.cli import main
from rustqa.settings import Settings


@pytest.fixture(autouse=True)
def no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No real model is loaded."""
    monkeypatch.setattr(doctor, "PassageEncoder", FakeEncoder)
    monkeypatch.setattr(doctor, "open_question_encoder", lambda name, _cache: FakeEncoder(name))


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
