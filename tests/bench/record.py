"""Saves the results of measurements, each with what it was measured with and on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def save(
    name: str, result: Mapping[str, Any], packages: Iterable[str] = (), folder: Path = RESULTS
) -> Path:
    """Writes the result and its origin to NAME.json, whole or not at all; returns the file."""
    whole = {**result, "origin": origin(packages)}
    text = json.dumps(whole, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as scratch:
        made = Path(scratch) / file.name
        made.write_text(text, encoding="utf-8")
        made.replace(file)
    return file


def origin(packages: Iterable[str] = ()) -> dict[str, Any]:
    """The commit, the time, the machine, and the versions of the packages, None for one that is
    not installed.

    `commit` is None outside a checkout; `dirty` says whether files differ from the commit, saved
    results aside.
    """
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--", ":/", f":(exclude){RESULTS}")),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": {package: _version(package) for package in packages},
    }


def machine() -> dict[str, Any]:
    """The processor, its cores, the memory in GiB, the operating system and Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    """The processor's name, as well as the system knows it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    """What git says about the folder of this file; None if it is in no checkout."""
    command = ["git", *arguments]
    try:
        run = subprocess.run(command, cwd=RESULTS.parent, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return run.stdout.strip() if run.returncode == 0 else None
