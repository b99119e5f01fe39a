"""Trains the reader's network.

    python -m rustqa.training.train --first squad.jsonl.gz --then news.jsonl.gz --out runs/reader

First one pass over general questions, then passes over questions like those that will be asked,
with some of the general ones among them. The learning rate rises, then falls to nothing. The run
is seeded; started again on the same folder, it goes on from its last checkpoint.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from rustqa.encoder import PACKAGED, model_folder
from rustqa.errors import InputError
from rustqa.training import errors_in_a_line
from rustqa.training.data import Articles, Example, batches
from rustqa.training.model import SpanModel, loss
from rustqa.windows import Layout

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
_WARM_UP = 0.06
_HEAD_RATE = 5.0
# Options that may change when a run is resumed.
_FREE = {"out", "threads", "minutes"}


@errors_in_a_line
def main(arguments: list[str] | None = None) -> int:
    """Trains until the plan is done."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    _train(_parser().parse_args(arguments))
    return 0


def _train(options: argparse.Namespace) -> None:
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    folder = model_folder(options.base)
    layout = Layout(folder / "tokenizer.json")
    first = [(Articles(file, layout), share) for file, share in map(shared_file, options.first)]
    then = [
        (Articles(file, layout, options.kinds), share)
        for file, share in map(shared_file, options.then)
    ]
    examples, plan = planned(first, then, options)
    log.info("%s examples in %s steps", f"{len(examples):,}", f"{len(plan):,}")
    model = SpanModel(folder).train()
    if options.go_on_from:
        trained = _finished(options.go_on_from)
        model.load_state_dict(trained["model"])
    head = list(model.scores.parameters())
    body = [weight for weight in model.bert.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": options.rate}, {"params": head, "lr": options.rate * _HEAD_RATE}],
        weight_decay=0.01,
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: _rate(n, len(plan)))
    options.out.mkdir(parents=True, exist_ok=True)
    settings = {key: str(value) for key, value in sorted(vars(options).items()) if key not in _FREE}
    checkpoint = options.out / CHECKPOINT
    done = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        if state["settings"] != settings:
            raise InputError(f"{checkpoint} is of a run with other options; name another --out")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        done = state["step"]

    def save(step: int) -> None:
        state = {
            "settings": settings,
            "step": step,
            "steps": len(plan),
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
        }
        torch.save(state, checkpoint.with_suffix(".part"))
        checkpoint.with_suffix(".part").replace(checkpoint)

    saved = time.monotonic()
    average = 0.0
    with tqdm(total=len(plan), initial=done, unit=" steps", disable=None) as bar:
        for step, places in enumerate(plan[done:], done + 1):
            with torch.autocast("cpu", torch.bfloat16, enabled=not options.exact):
                value = loss(model, [examples[place] for place in places])
            value.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_([*body, *head], 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            average = value.item() if not average else 0.98 * average + 0.02 * value.item()
            bar.update()
            bar.set_postfix(loss=f"{average:.3f}")
            if step % 50 == 0:
                with (options.out / "losses.jsonl").open("a") as stream:
                    stream.write(json.dumps({"step": step, "loss": round(average, 4)}) + "\n")
            if time.monotonic() - saved > 60 * options.minutes:
                save(step)
                saved = time.monotonic()
    save(len(plan))


def _finished(run: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = torch.load(run / CHECKPOINT, weights_only=True)
    except OSError as error:
        raise InputError(f"{error}; name the --out folder of a training run") from None
    return state


def planned(
    first: Sequence[tuple[Articles, float]],
    then: Sequence[tuple[Articles, float]],
    options: argparse.Namespace,
) -> tuple[list[Example], list[list[int]]]:
    """All examples of the run, and of each step the places of its examples among them."""
    chance = random.Random(options.seed)  # noqa: S311  (a sample, not a secret)
    examples: list[Example] = []
    plan: list[list[int]] = []
    passes: list[list[Example]] = [list(_varied(first, 1.0, chance))]
    for number in range(math.ceil(options.passes)):
        # Each pass takes other general questions to rehearse.
        rehearsed = _varied(first, options.rehearse, chance)
        share = min(1.0, options.passes - number)
        passes.append([*_varied(then, share, chance), *rehearsed])
    for made in passes:
        offset = len(examples)
        examples += made
        plan += [[offset + n for n in batch] for batch in batches(made, options.tokens, chance)]
    return examples, plan


def _varied(
    sources: Sequence[tuple[Articles, float]], share: float, chance: random.Random
) -> Iterator[Example]:
    for articles, part in sources:
        count = round(len(articles.items) * part * share)
        for item in chance.sample(articles.items, min(count, len(articles.items))):
            yield articles.varied(item, chance)


def _rate(step: int, steps: int) -> float:
    """The learning rate as a share of its peak."""
    warm = max(1, round(_WARM_UP * steps))
    return (step + 1) / warm if step < warm else max(0.0, (steps - step) / (steps - warm + 1))


def shared_file(text: str) -> tuple[Path, float]:
    """FILE or FILE:SHARE."""
    file, _, share = text.rpartition(":")
    try:
        return (Path(file), float(share)) if file else (Path(text), 1.0)
    except ValueError:
        raise InputError(f"{text}: give FILE or FILE:SHARE, a share like 0.5") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument(
        "--first", nargs="*", default=[], metavar="FILE[:SHARE]", help="general questions"
    )
    parser.add_argument(
        "--then", nargs="*", default=[], metavar="FILE[:SHARE]", help="questions like those to come"
    )
    parser.add_argument("--passes", type=float, default=2, help="over --then (%(default)s)")
    parser.add_argument(
        "--rehearse", type=float, default=0.1, help="share of --first in each (%(default)s)"
    )
    parser.add_argument("--base", default=PACKAGED, help="the encoder to start from (%(default)s)")
    parser.add_argument(
        "--kinds", nargs="*", default=[], metavar="KIND", help="of the questions of --then; all"
    )
    parser.add_argument(
        "--go-on-from", type=Path, metavar="RUN", help="a finished run whose weights to start with"
    )
    parser.add_argument("--rate", type=float, default=1.5e-4, help="peak learning rate")
    parser.add_argument("--tokens", type=int, default=5000, help="of a batch (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--minutes", type=float, default=5, help="between checkpoints")
    parser.add_argument("--exact", action="store_true", help="float32 where bfloat16 is the rule")
    return parser


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    raise SystemExit(main())
