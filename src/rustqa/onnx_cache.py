"""Keeps encoders for ONNX Runtime in the user's cache folder, each keyed by its weights."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from rustqa.checksums import sha256_of
from rustqa.onnx_encoder import Exported, OnnxEncoder, open_tokenizer

log = logging.getLogger(__name__)

# Raised whenever rustqa writes another network from the same weights.
_FORMAT = 3
_NETWORK, _TOKENIZER, _CHECKSUMS = "model.onnx", "tokenizer.json", "checksums.json"


def open_cached(cache: Path, name: str, fingerprint: str) -> OnnxEncoder | None:
    """The encoder with these weights, or None if there is none or it is damaged."""
    folder = cached_folder(cache, fingerprint)
    try:
        checksums = json.loads((folder / _CHECKSUMS).read_text())
        files = (_NETWORK, _TOKENIZER)
        damaged = [file for file in files if sha256_of(folder / file) != checksums.get(file)]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError):
        damaged = [_CHECKSUMS]
    if damaged:
        log.warning("%s in %s is damaged and will be made anew", damaged[0], folder)
        return None
    exported = Exported(folder / _NETWORK, open_tokenizer(folder / _TOKENIZER))
    return OnnxEncoder(name, fingerprint, exported)


def keep(cache: Path, fingerprint: str, exported: Exported[bytes]) -> None:
    """Writes an encoder into the cache, whole or not at all; raises OSError if it cannot."""
    import shutil
    import tempfile

    folder = cached_folder(cache, fingerprint)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        (made / _NETWORK).write_bytes(exported.network)
        (made / _TOKENIZER).write_text(exported.tokenizer.to_str(), encoding="utf-8")
        checksums = {file: sha256_of(made / file) for file in (_NETWORK, _TOKENIZER)}
        (made / _CHECKSUMS).write_text(json.dumps(checksums, indent=2))
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.rename(folder)
        except OSError:
            # Another process put the same model there first.
            if not folder.is_dir():
                raise


def cached_folder(cache: Path, fingerprint: str) -> Path:
    """Where the encoder with these weights is kept."""
    return cache / f"encoder-v{_FORMAT}" / fingerprint[:16]
