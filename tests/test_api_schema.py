"""The OpenAPI document: what schemathesis asks by it is answered as it says.

Longer by hand: RUSTQA_SCHEMA_EXAMPLES=500 pytest tests/test_api_schema.py -s --timeout 3600
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from browser_fixtures import serving
from fakes import REPOSITORY
from rustqa.feedback import FeedbackFile
from web_fixtures import kept_up

EXAMPLES = os.environ.get("RUSTQA_SCHEMA_EXAMPLES", "3")


def test_the_document_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every route, asked rightly and wrongly, alone and in turn, keeps to its statuses, headers,
    kinds of content and fields; what fits the document is taken, what does not is refused."""
    pipeline, upkeep = kept_up(tmp_path, monkeypatch)
    feedback = FeedbackFile(tmp_path / "kept.jsonl")
    paths = [str(REPOSITORY / "src"), str(REPOSITORY / "tests")]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "SCHEMATHESIS_HOOKS": "api_schema_hooks",
    }
    with serving(pipeline, feedback, upkeep) as address:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json"),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-examples", EXAMPLES, "--continue-on-failure", "--generation-deterministic"),
            *("--suppress-health-check", "all", "--no-color"),
        ]
        run = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=3600
        )
    print(run.stdout[-400:])  # noqa: T201
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert "Tested: 9" in run.stdout
