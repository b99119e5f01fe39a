"""A saved result carries what it was measured with and on."""

from __future__ import annotations

import json
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from bench.record import origin, save


def test_a_result_is_saved_with_its_origin(tmp_path: Path) -> None:
    """The file holds the result, the commit, the time, the machine and the versions."""
    file = save("speed", {"ratio": 2.5, "who": "José"}, ["numpy", "no-such"], tmp_path / "results")
    saved = json.loads(file.read_text(encoding="utf-8"))
    assert file == tmp_path / "results" / "speed.json"
    assert (saved["ratio"], saved["who"]) == (2.5, "José")
    assert saved["origin"]["versions"] == {"numpy": version("numpy"), "no-such": None}
    assert set(saved["origin"]) == {"commit", "dirty", "date", "machine", "versions"}
    assert datetime.fromisoformat(saved["origin"]["date"]).tzinfo is not None


def test_the_machine_is_described() -> None:
    """Enough to tell one machine from another."""
    machine = origin()["machine"]
    assert machine["cpu"]
    assert machine["cores"] >= 1
    assert machine["memory_gib"] > 0
    assert machine["python"].startswith("3.")


def test_saving_again_replaces_the_file_alone(tmp_path: Path) -> None:
    """The new result stands where the old one stood, and nothing is left beside it."""
    save("speed", {"ratio": 1}, folder=tmp_path)
    file = save("speed", {"ratio": 2}, folder=tmp_path)
    assert json.loads(file.read_text())["ratio"] == 2
    assert list(tmp_path.iterdir()) == [file]


def test_what_cannot_be_saved_leaves_the_old_file(tmp_path: Path) -> None:
    """A result is written whole or not at all."""
    file = save("speed", {"ratio": 1}, folder=tmp_path)
    with pytest.raises(TypeError):
        save("speed", {"ratio": object()}, folder=tmp_path)
    assert json.loads(file.read_text())["ratio"] == 1
    assert list(tmp_path.iterdir()) == [file]


def test_outside_a_checkout_there_is_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package without its history can still be measured."""
    monkeypatch.setattr("bench.record.RESULTS", tmp_path / "results")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert origin()["commit"] is None
    assert origin()["dirty"] is False
