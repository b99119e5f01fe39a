"""Exports a trained network to ONNX, in float32 and with its weights in eight bits.

    python -m rustqa.training.export runs/reader --to exported

Writes exported/fp32 and exported/int8, each a folder that `open_reader` reads, and compares the
scores of both with the network's own. The weights of several runs, one going on from the other, are
averaged: the mean often does better than either (Wortsman et al. 2022).
`rustqa.training.calibrate` fits how the scores are joined.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from rustqa.checksums import sha256_of
from rustqa.encoder import PACKAGED, model_folder
from rustqa.errors import InputError, ReaderError
from rustqa.network import Shape, reader_network
from rustqa.reader import DESCRIPTION, FILES, OnnxScores, description
from rustqa.training import errors_in_a_line
from rustqa.training.model import SpanModel
from rustqa.training.train import CHECKPOINT
from rustqa.windows import Layout

_PASSAGE = "The mill closed in May. Its owner, Ada Quill, blamed the price of wool. "
_QUESTION = "Why did the mill close?"
# Where nothing is fitted yet, the span's score alone ranks and is the log-odds.
_UNFITTED = {"rank": [1.0, 0.0, 0.0], "right": [1.0, 0.0, 0.0]}


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Exports and prints the differences."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a training run's folder")
    parser.add_argument("--to", type=Path, required=True, help="where the two folders go")
    parser.add_argument("--name", default="rustqa-reader-2", help="as shown in answers")
    parser.add_argument("--base", default=PACKAGED, help="the encoder it was started from")
    options = parser.parse_args(arguments)
    folder = model_folder(options.base)
    model = SpanModel(folder)
    try:
        states = [torch.load(run / CHECKPOINT, weights_only=True) for run in options.runs]
    except OSError as error:
        raise InputError(f"{error}; name the --out folder of a training run") from None
    model.load_state_dict(averaged([state["model"] for state in states]))
    differences = export(model.eval(), folder / "tokenizer.json", options.to, options.name)
    steps = [state["step"] for state in states]
    sys.stdout.write(json.dumps({"steps": steps, **differences}, indent=2) + "\n")
    return 0


def averaged(weights: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of the weights of several networks of one shape."""
    return {
        name: torch.stack([one[name].float() for one in weights]).mean(0).to(weights[0][name].dtype)
        for name in weights[0]
    }


def export(model: SpanModel, tokenizer: Path, to: Path, name: str) -> dict[str, float]:
    """Writes both folders; the greatest difference of each one's scores from the network's.

    Raises ReaderError if the scores in float32 are others than the network's.
    """
    layout = Layout(tokenizer)
    tokens = layout.tokens(_PASSAGE * 12, 0, [])
    [window] = layout.windows(layout.asked(_QUESTION), [tokens])
    with torch.no_grad():
        expected = model([window])[0].numpy()
    weights = {key: value.numpy() for key, value in model.state_dict().items()}
    shape = Shape(model.bert.config.num_attention_heads, model.bert.config.layer_norm_eps)
    differences = {}
    for kind in ("fp32", "int8"):
        network = reader_network(weights, shape, eight_bits=kind == "int8").SerializeToString()
        [scores] = OnnxScores(network)([window])
        difference = float(np.abs(scores - expected).max())
        if kind == "fp32" and not difference < 1e-3:
            raise ReaderError(
                f"the exported network's scores differ by {difference:.4f}; "
                "install the versions in constraints.txt"
            )
        differences[kind] = round(difference, 5)
        _write(to / kind, network, tokenizer, name)
    return differences


def _write(folder: Path, network: bytes, tokenizer: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(network)
    shutil.copy(tokenizer, folder / "tokenizer.json")
    sums = {file: sha256_of(folder / file) for file in FILES}
    described = {"name": name, "sha256": sums, **_UNFITTED}
    (folder / DESCRIPTION).write_text(description(described))


if __name__ == "__main__":
    raise SystemExit(main())
