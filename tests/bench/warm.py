"""Measures a server that is running beside the bare work of its networks.

The bare work of a question is to encode it and to read the passages that rustqa reads for it, by
the same networks on the same threads, and nothing else.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

from bench.load import Load, ask_all
from bench.servers import running
from rustqa.encoder import open_question_encoder
from rustqa.opening import open_pipeline
from rustqa.reader import OnnxScores
from rustqa.settings import Settings
from rustqa.types import Encoder
from rustqa.windows import Layout, Window

CLIENTS = 8
Work = Callable[[], object]


def measure_warm(
    questions: Sequence[str], rounds: int, requests: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Medians over the rounds of figures in milliseconds and questions a second, and of ratios
    within a round."""
    work = list(bare_work(Settings.from_env(), questions))
    rows = []
    with running() as server:
        port = server.port
        ask_all(port, questions, CLIENTS, 2 * len(questions))
        for number in range(rounds):
            sys.stderr.write(f"asking warm, round {number + 1} of {rounds}\n")
            alone = _in_turn(work, 1, requests)
            server_alone = ask_all(port, questions, 1, requests)
            many = _in_turn(work, CLIENTS, requests)
            server_many = ask_all(port, questions, CLIENTS, requests)
            rows.append(_row(alone, server_alone, many, server_many))
    figures = {name: round(median(row[0][name] for row in rows), 2) for name in rows[0][0]}
    ratios = {name: round(median(row[1][name] for row in rows), 3) for name in rows[0][1]}
    return figures, ratios


def _row(
    alone: Load, server_alone: Load, many: Load, server_many: Load
) -> tuple[dict[str, float], dict[str, float]]:
    figures = {
        "bare_p50_ms": 1000 * alone.percentile(0.5),
        "server_p50_ms": 1000 * server_alone.percentile(0.5),
        "server_p50_ms_at_8": 1000 * server_many.percentile(0.5),
        "server_p99_ms_at_8": 1000 * server_many.percentile(0.99),
        "bare_per_s": many.per_second,
        "server_per_s_at_8": server_many.per_second,
    }
    ratios = {
        "p50_to_bare": server_alone.percentile(0.5) / alone.percentile(0.5),
        "p99_to_p50_at_8": server_many.percentile(0.99) / server_many.percentile(0.5),
        "throughput_to_bare_at_8": server_many.per_second / many.per_second,
    }
    return figures, ratios


def bare_work(settings: Settings, questions: Sequence[str]) -> Iterator[Work]:
    """For each question what its networks do, with the inputs laid out beforehand."""
    pipeline = open_pipeline(settings)
    encoder = open_question_encoder(settings.encoder, settings.cache)
    layout = Layout(settings.reader / "tokenizer.json")
    scores = OnnxScores(settings.reader / "model.onnx")
    for question in questions:
        asked = pipeline.understand(question)
        chosen = sorted(pipeline.candidates(asked), key=lambda item: item.passage.start)
        tokens = [
            layout.tokens(item.text, item.passage.start, item.passage.sentences) for item in chosen
        ]
        windows = layout.windows(layout.asked(asked.question), tokens)
        yield partial(_bare, encoder, scores, asked.question, windows)


def _bare(encoder: Encoder, scores: OnnxScores, question: str, windows: Sequence[Window]) -> None:
    encoder.encode([question])
    scores(windows)


def _in_turn(work: Sequence[Work], threads: int, times: int) -> Load:
    def one(number: int) -> float:
        began = time.perf_counter()
        work[number % len(work)]()
        return time.perf_counter() - began

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        latencies = list(pool.map(one, range(times)))
    return Load(latencies, time.perf_counter() - began)
