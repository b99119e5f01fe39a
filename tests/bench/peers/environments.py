"""A virtual environment for each peer, made from its pins and kept while they are the same."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

_HERE = Path(__file__).resolve().parent
# Nothing is looked up elsewhere and nothing is reported. torch's threads sleep while they wait for
# one another: where they spin, as they do by default, anything else that runs on a small machine
# makes them twenty times as slow.
_SET = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "OMP_WAIT_POLICY": "PASSIVE",
}
# What holds for the environment of rustqa does not hold for theirs.
_OURS = ("PIP_CONSTRAINT", "PYTHONPATH")


def environment() -> dict[str, str]:
    """The variables that peers and rustqa alike run with."""
    inherited = {name: value for name, value in os.environ.items() if name not in _OURS}
    return {**inherited, **_SET}


def python_of(peer: str, folder: Path) -> Path:
    """The Python of a peer's environment below the folder, made anew if its pins have changed."""
    pins = _HERE / f"{peer}.txt"
    home = folder / peer
    python = home / "bin" / "python"
    stamp = home / "pins"
    wanted = f"Python {sys.version}\n{pins.read_text(encoding='utf-8')}"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        sys.stderr.write(f"installing {peer} into {home}\n")
        venv.create(home, clear=True, with_pip=True)
        install = (python, "-m", "pip", "install", "--quiet", "--requirement", pins)
        subprocess.run(install, env=environment(), check=True)
        stamp.write_text(wanted, encoding="utf-8")
    return python


def versions_of(peer: str, python: Path) -> dict[str, str]:
    """The versions installed in the peer's environment of the packages that it pins."""
    lines = (_HERE / f"{peer}.txt").read_text(encoding="utf-8").splitlines()
    pinned = [line.partition("==")[0] for line in lines if "==" in line]
    code = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
    command = [str(python), "-c", code, *pinned]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(pinned, run.stdout.split(), strict=True))
