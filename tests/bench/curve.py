"""Scores the answers for how much is read: quality against time.

    PYTHONPATH=tests python -m bench.curve

The time is that of all processors for a whole set, encoding of its articles and all. Saved in
results/curve.json.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from unittest.mock import patch

from bench.record import save
from bench.sets import scores
from rustqa import pipeline
from rustqa.settings import Settings

WORDS = (100, 200, 400, 600, 800, 1200)
_SETS = ("article", "news", "news together", "XQuAD open")


def main() -> int:
    """Scores the sets for each number of words and saves the measures."""
    result: dict[str, dict[str, Any]] = {}
    for name in _SETS:
        for words in WORDS:
            began = time.process_time()
            with patch.object(pipeline, "WORDS_READ", words):
                measures = scores(name, Settings.from_env())
            measures["cpu_s"] = round(time.process_time() - began, 2)
            result.setdefault(name, {})[str(words)] = measures
            sys.stdout.write(f"{name} {words} {measures}\n")
            sys.stdout.flush()
    default = str(pipeline.WORDS_READ)
    save("curve", {"default": default, "sets": result}, ("onnxruntime", "rustqa"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
