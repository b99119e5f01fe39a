"""The program as a process: it ends at once, but not before all is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = [sys.executable, "-m", "rustqa"]


def test_its_exit_code_and_its_complaint_arrive() -> None:
    """Of a question that cannot be asked: one line, and the code of bad input."""
    done = subprocess.run([*PROGRAM, "ask", ""], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rustqa: the question is empty; type one\n"


@pytest.mark.model
def test_all_that_it_prints_arrives(question_encoder: object, model_cache: Path) -> None:
    """More than a pipe holds at once, to the last record."""
    lines = [json.dumps("Who loaded the gun?"), *["3"] * 2000]
    done = subprocess.run(
        [*PROGRAM, "ask", "--batch", "-", "--top-k", "1"],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        env={**os.environ, "RUSTQA_CACHE": str(model_cache)},
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(records)) == (2, 2001)
    assert records[0]["answer"] == "Hannah Gutierrez"
    assert records[-1]["line"] == 2001


@pytest.mark.model
def test_a_reader_that_goes_away_is_no_fault(question_encoder: object, model_cache: Path) -> None:
    """What is found goes into a pipe that is closed: nothing is said of it, and the code is 0."""
    outlet, inlet = os.pipe()
    os.close(outlet)
    done = subprocess.run(
        [*PROGRAM, "search", "bullets", "--json"],
        stdout=inlet,
        stderr=subprocess.PIPE,
        env={**os.environ, "RUSTQA_CACHE": str(model_cache)},
    )
    os.close(inlet)
    assert (done.returncode, done.stderr) == (0, b"")
