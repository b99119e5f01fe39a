"""The labelled sets that the benches score answers on."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from rustqa.evaluate import Scope, evaluate_file
from rustqa.labelled import read_labelled
from rustqa.settings import Settings

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


def scores(name: str, settings: Settings) -> dict[str, Any]:
    """The measures over a set."""
    measured = SETS[name]
    file = _EVAL / measured.file
    if measured.step == 1:
        return asdict(evaluate_file(file, settings, measured.scope, measured.ids).report.overall)
    labelled = read_labelled(file, {}, by_paragraph=measured.scope == "own")
    every = [str(question.id) for one in labelled for question in one.questions]
    with tempfile.TemporaryDirectory() as scratch:
        ids = Path(scratch) / "ids.txt"
        ids.write_text("\n".join(every[:: measured.step]), encoding="utf-8")
        return asdict(evaluate_file(file, settings, measured.scope, ids).report.overall)
