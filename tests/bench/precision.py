"""Scores the answers with networks in eight bits and in float32, side by side.

    PYTHONPATH=tests python -m bench.precision EXPORTED

EXPORTED is what `python -m rustqa.training.export` wrote, both folders calibrated
(`rustqa.training.calibrate --write`). In float32 the questions, too, are encoded by the network of
the passages. Saved in results/precision.json.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from bench.record import save
from rustqa import pipeline
from rustqa.encoder import open_passage_encoder, open_question_encoder
from rustqa.evaluate import Scope, evaluate_file
from rustqa.labelled import read_labelled
from rustqa.settings import Settings
from rustqa.types import Encoder

_EVAL = Path(__file__).resolve().parents[3] / "shared" / "eval"
_DISJOINT = _EVAL / "xquad_en_disjoint_ids.txt"


class Measured(NamedTuple):
    """A labelled file, how it is asked, which of its questions, and every how many of them."""

    file: str
    scope: Scope | None = None
    ids: Path | None = None
    step: int = 1


SETS: Mapping[str, Measured] = {
    "article": Measured("article_dev.jsonl"),
    "news": Measured("news_dev.jsonl"),
    "news together": Measured("news_dev.jsonl", "together"),
    "XQuAD own": Measured("xquad_en.json", "own", _DISJOINT),
    "XQuAD open": Measured("xquad_en.json", None, _DISJOINT),
    "SQuAD 1.1": Measured("squad11_eval20.jsonl.gz", "own", step=8),
    "SQuAD 2.0": Measured("squad20_eval20.jsonl.gz", "own"),
}
ENCODERS: Mapping[str, Callable[[str, Path], Encoder]] = {
    "int8": open_question_encoder,
    "fp32": open_passage_encoder,
}


def scores(name: str, kind: str, settings: Settings) -> dict[str, Any]:
    """The measures over a set, with the networks of one kind."""
    measured = SETS[name]
    file, ids = _EVAL / measured.file, measured.ids
    with (
        patch.object(pipeline, "open_question_encoder", ENCODERS[kind]),
        tempfile.TemporaryDirectory() as scratch,
    ):
        if measured.step > 1:
            ids = Path(scratch) / "ids.txt"
            by_paragraph = measured.scope == "own"
            labelled = read_labelled(file, {}, by_paragraph=by_paragraph)
            every = [str(question.id) for one in labelled for question in one.questions]
            ids.write_text("\n".join(every[:: measured.step]), encoding="utf-8")
        run = evaluate_file(file, settings, measured.scope, ids)
    return asdict(run.report.overall)


def main() -> int:
    """Scores all sets twice and saves the measures."""
    parser = argparse.ArgumentParser(prog="python -m bench.precision", description=__doc__)
    parser.add_argument("exported", type=Path)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--kinds", nargs="+", choices=ENCODERS, default=list(ENCODERS))
    options = parser.parse_args()
    result: dict[str, dict[str, Any]] = {}
    for name in options.only:
        for kind in options.kinds:
            settings = replace(Settings.from_env(), reader=options.exported / kind)
            measures = scores(name, kind, settings)
            result.setdefault(name, {})[kind] = measures
            shown = {key: value for key, value in measures.items() if value is not None}
            sys.stdout.write(f"{name} {kind} {shown}\n")
            sys.stdout.flush()
    save("precision", {"sets": result}, ("onnxruntime", "rustqa"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
