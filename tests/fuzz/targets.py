"""All targets by name, their kept seeds, and how one input is tried."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from fuzz import askers, readers

SEEDS = Path(__file__).resolve().parent / "seeds"
# No input takes longer, on a machine that does other work besides.
MAX_SECONDS = 5.0

Target = Callable[[bytes], None]
TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        readers.text, readers.markdown, readers.html, readers.pdf, readers.jsonl,
        readers.metadata, readers.ignoring, readers.naming, readers.made,
        askers.question, askers.conversation, askers.article, askers.http, askers.command,
        askers.saved,
    )
}  # fmt: skip


def seeds(name: str) -> list[Path]:
    """The inputs that are kept for a target, among them each that ever failed."""
    return sorted((SEEDS / name).iterdir())


def attempt(name: str, data: bytes) -> None:
    """Tries one input; raises AssertionError or whatever the code lets through."""
    began = time.monotonic()
    TARGETS[name](data)
    took = time.monotonic() - began
    assert took < MAX_SECONDS, f"took {took:.1f} seconds"


def keep(folder: Path, data: bytes) -> Path:
    """Keeps an input under the first digits of its SHA-256."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(data).hexdigest()[:16]
    file.write_bytes(data)
    return file
