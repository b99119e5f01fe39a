"""What the training commands have in common."""

from __future__ import annotations

import subprocess
import sys

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
def test_each_module_explains_itself(name: str) -> None:
    """`--help` shows how it is called."""
    command = [sys.executable, "-m", f"rustqa.training.{name}", "--help"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout.startswith(f"usage: {name}.py")
    assert f"python -m rustqa.training.{name} " in run.stdout
    assert "Traceback" not in run.stderr
