"""Fitting what tells a dispute: the signs that tell right pairs from wrong ones get the weight."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from rustqa.accounts import WEIGHTS, Account, features
from rustqa.training import accounts as training
from rustqa.training.accounts import Case, fit, found
from rustqa.types import Span

pytestmark = pytest.mark.model


def _cases(seed: int, count: int) -> list[Case]:
    """Questions with three sentences of different speakers, of which in half of the cases the
    first two lie in one paragraph and are right."""
    chance = random.Random(seed)  # noqa: S311  (a sample, not a secret)
    made = []
    for number in range(count):
        disputed = number % 2 == 0
        told = [
            Account(
                f"Sentence {place} of {number}.", f"Speaker {place}", True, chance.gauss(5.0, 1.0),
                ("d", 1 if disputed and place < 2 else place + 1),
                Span(100 * place, 100 * place + 50),
            )
            for place in range(3)
        ]  # fmt: skip
        told.sort(key=lambda item: (item.span, -item.score))
        made.append(Case("Was it safe?", disputed, told, [disputed, disputed, False]))
    return made


def test_signs_that_tell_get_the_weight() -> None:
    """What is fitted finds the disputes of fresh questions, and few others."""
    weights = fit(_cases(0, 400))
    assert weights.shape == WEIGHTS.shape
    together = [features("Why?", case.accounts, 0, 1) for case in _cases(1, 2)]
    [sign] = [n for n, (one, other) in enumerate(zip(*together, strict=True)) if one - other == 1]
    assert weights[sign] == max(weights) > 1
    counts = found(_cases(2, 200), weights)
    assert counts["disputed"] == counts["others"] == 100
    assert counts["found"] == counts["both_right"] >= 95
    assert counts["false"] <= 5


def test_what_is_found_is_counted() -> None:
    """By whether there is a dispute, and whether both of its accounts are right."""
    always = 0 * WEIGHTS
    always[-1] = 9.0
    cases = _cases(0, 4)
    wrong = replace(cases[0], right=[True, False, False])
    assert found([*cases, wrong], always) == {
        "disputed": 3, "found": 3, "both_right": 2, "others": 2, "false": 2
    }  # fmt: skip
    assert found([*cases, wrong], -always) == {
        "disputed": 3, "found": 0, "both_right": 0, "others": 2, "false": 0
    }  # fmt: skip


def test_the_weights_are_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Those fitted, or without a file to fit on those in use, and how they do on other files."""
    asked = []

    def cases(file: Path, _settings: object, share: float, _chance: object) -> list[Case]:
        asked.append((file.name, share))
        return _cases(0, 40)

    monkeypatch.setattr(training, "cases", cases)
    assert training.main(["--check", "dev.jsonl"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["weights"] == pytest.approx(WEIGHTS.tolist())
    assert report["dev.jsonl"]["disputed"] == 20
    assert training.main(["--on", "train.jsonl:0.12"]) == 0
    assert json.loads(capsys.readouterr().out)["weights"] == pytest.approx(
        fit(_cases(0, 40)).tolist(), abs=0.005
    )
    assert asked == [("dev.jsonl", 1.0), ("train.jsonl", 0.12)]
