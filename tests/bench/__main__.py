"""Measures rustqa beside the least that the same work takes, as ratios within one run.

    make bench, or: PYTHONPATH=tests python -m bench --help

Cold: the installed command `rustqa ask` beside floor.py, as whole processes in turn. Warm: the
server beside the bare work of its networks (warm.py). Building: an index of paragraphs of random
words beside the bare work of the encoder (building.py). Saved in results/speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.building import measure_building
from bench.processes import Command, medians, ratios, run_in_turn
from bench.record import save
from bench.warm import measure_warm
from rustqa.encoder import open_question_encoder, weights_fingerprint
from rustqa.onnx_cache import cached_folder
from rustqa.pipeline import WORDS_READ
from rustqa.settings import Settings, data_root

_HERE = Path(__file__).resolve().parent
QUESTIONS = (_HERE / "questions.txt").read_text(encoding="utf-8").splitlines()
_PACKAGES = ("rustqa", "faiss-cpu", "fastapi", "numpy", "onnxruntime", "tokenizers", "uvicorn")
Figures = tuple[dict[str, float], dict[str, float]]


def measure_cold(rounds: int) -> Figures:
    """Medians of both programs, and of the ratios of rustqa's to the floor's."""
    settings = Settings.from_env()
    open_question_encoder(settings.encoder, settings.cache)
    encoder = cached_folder(settings.cache, weights_fingerprint(settings.encoder))
    index = data_root() / "index"
    question = QUESTIONS[0]
    floor = [sys.executable, _HERE / "floor.py", encoder, settings.reader, index, question]
    runs = run_in_turn(
        {
            "floor": Command([*map(str, floor), str(WORDS_READ)]),
            "rustqa": Command(
                [str(Path(sys.executable).with_name("rustqa")), "ask", question],
                {**os.environ, "RUSTQA_INDEX": str(index)},
                (0, 1),
            ),
        },
        rounds,
    )
    named = {name: medians(found) for name, found in runs.items()}
    figures = {f"{name}_{part}": v for name, row in named.items() for part, v in row.items()}
    rounded = {name: round(value, 3) for name, value in figures.items()}
    return rounded, {
        f"{name}_to_floor": round(value, 3)
        for name, value in ratios(runs["rustqa"], runs["floor"]).items()
    }


def main() -> int:
    """Measures what is wanted, prints it and saves it; what is not measured stays as saved."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--only", choices=("cold", "warm", "building"), action="append")
    parser.add_argument("--rounds", type=int, default=10, help="of cold starts (%(default)s)")
    parser.add_argument("--requests", type=int, default=200, help="in a round (%(default)s)")
    parser.add_argument("--passages", type=int, default=10_000, help="to index (%(default)s)")
    options = parser.parse_args()
    measures: dict[str, Callable[[], Figures]] = {
        "cold": lambda: measure_cold(options.rounds),
        "warm": lambda: measure_warm(QUESTIONS, max(3, options.rounds // 2), options.requests),
        "building": lambda: measure_building(options.passages, 1),
    }
    results: dict[str, Any] = {}
    for name in options.only or measures:
        figures, found = measures[name]()
        results[name] = {"figures": figures, "ratios": found}
        sys.stdout.write(json.dumps({name: results[name]}, indent=2) + "\n")
        save(name, results[name], _PACKAGES)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
