"""What the training commands have in common."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from rustqa.errors import CorpusError
from rustqa.training import errors_in_a_line


def test_an_error_is_a_line_and_an_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """What a person can mend does not end in a traceback."""

    @errors_in_a_line
    def main(arguments: list[str] | None = None) -> int:
        raise CorpusError("no articles there; put some")

    assert main() == CorpusError.exit_code
    assert capsys.readouterr().err == "no articles there; put some\n"


@pytest.mark.model
@pytest.mark.parametrize("name", ["accounts", "calibrate", "data", "export", "retrieval", "train"])
def test_each_module_explains_itself(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--help` shows how it is called."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", "--help"])
    with pytest.raises(SystemExit, match="0"):
        import_module(f"rustqa.training.{name}").main()
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: {name}.py")
    assert f"python -m rustqa.training.{name} " in said.out
    assert said.err == ""


def test_a_module_is_run_by_its_name() -> None:
    """As its explanation says."""
    command = [sys.executable, "-m", "rustqa.training.data", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("usage: data.py")
