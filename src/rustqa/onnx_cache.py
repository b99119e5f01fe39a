"""Keeps encoders for ONNX Runtime in the user's cache folder, each keyed by its weights."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path

from rustqa.checksums import sha256_of
from rustqa.durable import make_folder, settle, settle_all, writing
from rustqa.onnx_encoder import Exported, OnnxEncoder, open_tokenizer

log = logging.getLogger(__name__)

# Raised whenever rustqa writes another network from the same weights.
_FORMAT = 3
_NETWORK, _TOKENIZER, _CHECKSUMS = "model.onnx", "tokenizer.json", "checksums.json"
# Seconds; keeping an encoder takes a few.
_LEFT = 3600


def open_cached(cache: Path, name: str, fingerprint: str) -> OnnxEncoder | None:
    """The encoder with these weights, or None if there is none or it is damaged."""
    folder = cached_folder(cache, fingerprint)
    try:
        data = (folder / _CHECKSUMS).read_bytes()
        checksums = json.loads(data)
        if checksums.keys() == {_NETWORK, _TOKENIZER}:
            # As it was kept before the checksums had their own.
            return None
        files = (_NETWORK, _TOKENIZER)
        damaged = [file for file in files if sha256_of(folder / file) != checksums.get(file)]
        if data != _described(checksums):
            damaged = [_CHECKSUMS]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, AttributeError, RecursionError):
        damaged = [_CHECKSUMS]
    if damaged:
        log.warning("%s in %s is damaged and will be made anew", damaged[0], folder)
        return None
    try:
        exported = Exported(folder / _NETWORK, open_tokenizer(folder / _TOKENIZER))
        return OnnxEncoder(name, fingerprint, exported)
    # The libraries raise errors of their own where another process replaces what is read.
    except Exception as error:
        log.warning("what is kept in %s cannot be used and will be made anew: %s", folder, error)
        return None


def keep(cache: Path, fingerprint: str, exported: Exported[bytes]) -> None:
    """Writes an encoder into the cache, whole or not at all; raises OSError if it cannot."""
    import shutil
    import tempfile

    folder = cached_folder(cache, fingerprint)
    make_folder(folder.parent)
    _clear(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / "model"
        made.mkdir()
        content = {_NETWORK: exported.network, _TOKENIZER: exported.tokenizer.to_str().encode()}
        checksums = {}
        for name, data in content.items():
            with writing(made / name) as file:
                file.write(data)
            checksums[name] = file.sha256
        with writing(made / _CHECKSUMS) as file:
            file.write(_described(checksums))
        settle_all(made)
        shutil.rmtree(folder, ignore_errors=True)
        try:
            made.rename(folder)
        except OSError:
            # Another process put the same model there first.
            if not folder.is_dir():
                raise
        settle(folder.parent)


def cached_folder(cache: Path, fingerprint: str) -> Path:
    """Where the encoder with these weights is kept."""
    return cache / f"encoder-v{_FORMAT}" / fingerprint[:16]


def _described(checksums: Mapping[str, str]) -> bytes:
    """What the file of checksums holds, its own among them."""
    of_files = {name: checksums[name] for name in (_NETWORK, _TOKENIZER) if name in checksums}
    own = hashlib.sha256(json.dumps(of_files).encode()).hexdigest()
    return json.dumps({**of_files, _CHECKSUMS: own}, indent=2).encode()


def _clear(place: Path) -> None:
    """Removes what processes that were killed had begun, long ago enough to be no one's now."""
    import shutil

    for path in place.glob("tmp????????"):
        if path.is_dir() and time.time() - path.stat().st_mtime > _LEFT:
            shutil.rmtree(path, ignore_errors=True)
