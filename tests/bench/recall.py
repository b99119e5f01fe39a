"""Measures what an index of lists finds of real texts for real questions.

    PYTHONPATH=tests python -m bench.recall ../shared/data/*.jsonl.gz --passages 60000

Passages are the files' paragraphs and, beyond these, their sentences put together anew: vectors of
what was really written, as many as are wanted. The questions are the files' own. A million passages
take a minute on a large GPU and hours on a CPU.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bench.record import save
from rustqa.encoder import PACKAGED, model_folder
from rustqa.labelled import read_labelled
from rustqa.passages import split_document
from rustqa.store import nearest
from rustqa.store.columns import pack, unpack
from rustqa.store.nearest import TOP, build_nearest, exact_nearest
from rustqa.types import Vectors

_QUESTIONS = 5000
_TIMED = 200
_POOL = 50


def measure(files: Sequence[Path], passages: int) -> dict[str, Any]:
    """What the index was tuned to and what it finds, how long it takes, and what encoding took."""
    paragraphs, questions = _read(files)
    texts = list(_texts(paragraphs, passages))
    random.Random(2).shuffle(questions)
    began = time.perf_counter()
    vectors = unpack(pack(_encode(texts)))
    encoded = time.perf_counter() - began
    asked = _encode(questions[:_QUESTIONS])
    began = time.perf_counter()
    nearest.FLAT = 0
    index = build_nearest(vectors.__getitem__, len(vectors))
    built = time.perf_counter() - began
    exact = exact_nearest(asked, vectors.__getitem__, len(vectors))
    found = index.search(asked, _POOL)
    began = time.perf_counter()
    for place in range(_TIMED):
        index.search(asked[place : place + 1], _POOL)
    taken = time.perf_counter() - began
    return {
        "passages": len(texts),
        "index": index.kind,
        "probes": index.probes,
        "recall_of_sample": index.recall,
        "recall_at_10": _share(found[:, :TOP], exact),
        "nearest_10_among_50": _share(found, exact),
        "search_ms": round(1000 * taken / _TIMED, 3),
        "build_s": round(built, 1),
        "encode_s": round(encoded, 1),
    }


def _read(files: Sequence[Path]) -> tuple[list[list[str]], list[str]]:
    """Paragraphs as their sentences, and questions that stand alone."""
    paragraphs: dict[tuple[str, ...], None] = {}
    questions: dict[str, None] = {}
    for file in files:
        for labelled in read_labelled(file, {}):
            for document in labelled.documents:
                for passage in split_document(document):
                    spans = passage.sentences
                    paragraphs[tuple(document.text[start:end] for start, end in spans)] = None
            alone = (item.question for item in labelled.questions if not item.history)
            questions.update(dict.fromkeys(alone))
    return list(map(list, paragraphs)), list(questions)


def _texts(paragraphs: Sequence[Sequence[str]], count: int) -> Iterator[str]:
    """The paragraphs, then one to three sentences of one of them or of two, each text once."""
    chance = random.Random(1)
    seen: set[str] = set()
    waiting = [" ".join(sentences) for sentences in paragraphs][::-1]
    while len(seen) < count:
        if waiting:
            text = waiting.pop()
        else:
            one, other = chance.choice(paragraphs), chance.choice(paragraphs)
            rest = [chance.choice(chance.choice((one, other))) for _ in range(chance.randint(0, 2))]
            text = " ".join([chance.choice(one), *rest])
        if text not in seen:
            seen.add(text)
            yield text


def _encode(texts: Sequence[str]) -> Vectors:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(model_folder(PACKAGED)), local_files_only=True)
    vectors: Vectors = model.encode(list(texts), batch_size=256, normalize_embeddings=True)
    return vectors


def _share(found: Any, exact: Any) -> float:
    same = [len(np.intersect1d(*pair)) for pair in zip(found, exact, strict=True)]
    return round(float(np.mean(same)) / TOP, 4)


def main() -> int:
    """Measures, prints and saves."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.recall", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("files", type=Path, nargs="+", help="labelled files")
    parser.add_argument("--passages", type=int, default=60_000, help="how many (%(default)s)")
    options = parser.parse_args()
    result = measure(options.files, options.passages)
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    save("recall", result, ("faiss-cpu", "numpy", "sentence-transformers", "torch"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
