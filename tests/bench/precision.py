"""Scores the answers with networks in eight bits and in float32, side by side.

    PYTHONPATH=tests python -m bench.precision EXPORTED

EXPORTED is what `python -m rustqa.training.export` wrote, both folders calibrated
(`rustqa.training.calibrate --write`). In float32 the questions, too, are encoded by the network of
the passages. Saved in results/precision.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bench.record import save
from bench.sets import SETS, scores
from rustqa.encoder import open_passage_encoder, open_question_encoder
from rustqa.settings import Settings
from rustqa.types import Encoder

ENCODERS: Mapping[str, Callable[[str, Path], Encoder]] = {
    "int8": open_question_encoder,
    "fp32": open_passage_encoder,
}


def main() -> int:
    """Scores all sets twice and saves the measures."""
    parser = argparse.ArgumentParser(prog="python -m bench.precision", description=__doc__)
    parser.add_argument("exported", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    options = parser.parse_args()
    result: dict[str, dict[str, Any]] = {}
    for name in options.only:
        for kind, opened in ENCODERS.items():
            settings = replace(Settings.from_env(), reader=options.exported / kind)
            with patch("rustqa.encoder.open_question_encoder", opened):
                measures = scores(name, settings)
            result.setdefault(name, {})[kind] = measures
            sys.stdout.write(f"{name} {kind} {measures}\n")
            sys.stdout.flush()
    save("precision", {"sets": result}, ("onnxruntime", "rustqa"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
