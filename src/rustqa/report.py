"""What becomes of an evaluation: a table, a saved run, its comparison with another, a curve.

Comparison: 95 % intervals of the difference by the paired percentile bootstrap over the answerable
questions (Efron and Tibshirani 1993). Curve: risk against coverage (El-Yaniv and Wiener 2010).
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rustqa.errors import InputError
from rustqa.evaluate import (
    PRECISION,
    Outcome,
    Report,
    Run,
    coverage,
    risk_coverage,
    summarise,
)

_NAMES = {
    "paragraph_hit_at_1": "par@1",
    "hit_at_1": "hit@1",
    "hit_at_3": "hit@3",
    "mrr": "MRR",
    "exact_match": "EM",
    "f1": "F1",
    "f1_given": "F1 given",
    "best_f1": "best F1",
    "answered": "answered",
    "silent": "silent",
    "auroc": "AUROC",
    "coverage_at_90": "cov@90",
    "ece": "ECE",
}
_RESAMPLES = 10_000
# The curve's picture and the place of its axes in it, in pixels.
_WIDTH, _HEIGHT = 480, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 460, 60, 310
_RED = "#b3261e"


@dataclass(frozen=True, slots=True)
class Difference:
    """A measure in two runs, what the second has more, and the 95 % interval of that."""

    before: float | None
    after: float | None
    difference: float | None
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """How two runs of the same questions differ: in each measure, and in hit@1 for each kind."""

    questions: int
    measures: dict[str, Difference]
    hit_at_1_of_kinds: dict[str, Difference]

    def to_dict(self) -> dict[str, object]:
        """The comparison as plain values."""
        return asdict(self)


def table(report: Report) -> str:
    """The report as a table in plain text, percentages to one decimal."""
    lines = [f"{'kind':<14}{'n':>6}" + "".join(f"{name:>9}" for name in _NAMES.values())]
    for kind, scores in {**report.kinds, "all": report.overall}.items():
        values = asdict(scores)
        cells = "".join(f"{_percent(values[key]):>9}" for key in _NAMES)
        lines.append(f"{kind:<14}{scores.questions:>6}{cells}")
    return "\n".join(lines)


def check_place(file: Path) -> None:
    """Raises InputError unless the file can be written: better before a long run than after it."""
    place = file.resolve()
    other = place.exists() and not place.is_file()
    if other or not place.parent.is_dir() or not os.access(place.parent, os.W_OK):
        raise InputError(f"{file}: cannot be written there; name a file in a folder of yours")


def save(file: Path, text: str) -> None:
    """Writes the text into the file, whole or not at all."""
    place = file.resolve()
    with tempfile.TemporaryDirectory(dir=place.parent, ignore_cleanup_errors=True) as scratch:
        made = Path(scratch) / place.name
        made.write_text(text, encoding="utf-8")
        made.replace(place)


def run_to_json(run: Run) -> str:
    """The run as it is saved."""
    return json.dumps(asdict(run), indent=1) + "\n"


def read_run(file: Path) -> Run:
    """A saved run, its report made anew of its outcomes; raises InputError if it is none."""
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
        outcomes = tuple(map(_outcome, row["outcomes"]))
        return Run(
            rustqa=str(row["rustqa"]),
            file=str(row["file"]),
            sha256=str(row["sha256"]),
            options=dict(row["options"]),
            model=dict(row["model"]),
            threshold=float(row["threshold"]),
            report=summarise(outcomes),
            outcomes=outcomes,
        )
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; name a saved run") from None
    # Each of these can come of a value that is missing or of another type than it should be.
    except (LookupError, ValueError, TypeError, ArithmeticError, RecursionError):
        raise InputError(f"{file}: not a saved run; name what `rustqa eval --save` wrote") from None


def _outcome(row: dict[str, Any]) -> Outcome:
    return Outcome(
        question=str(row["question"]),
        kind=str(row["kind"]),
        answerable=bool(row["answerable"]),
        answered=bool(row["answered"]),
        rank=None if row["rank"] is None else int(row["rank"]),
        right_paragraph=bool(row["right_paragraph"]),
        exact=float(row["exact"]),
        f1=float(row["f1"]),
        confidence=float(row["confidence"]),
    )


def compare(before: Run, after: Run) -> Comparison:
    """How the second run differs from the first; raises InputError unless both asked the same."""
    asked, again = (
        [(item.question, item.kind, item.answerable) for item in run.outcomes]
        for run in (before, after)
    )
    if asked != again:
        raise InputError(
            f"the runs are of different questions ({len(asked)} of {before.file}, {len(again)} of "
            f"{after.file}); name two runs of one file, with the same --only"
        )
    old, new = asdict(before.report.overall), asdict(after.report.overall)
    intervals = _intervals(before.outcomes, after.outcomes)
    return Comparison(
        questions=len(asked),
        measures={key: _difference(old[key], new[key], intervals.get(key)) for key in _NAMES},
        hit_at_1_of_kinds={
            kind: _difference(scores.hit_at_1, after.report.kinds[kind].hit_at_1)
            for kind, scores in before.report.kinds.items()
            if scores.hit_at_1 is not None
        },
    )


def comparison_table(comparison: Comparison) -> str:
    """The comparison as a table in plain text, percentages to one decimal."""
    rows = {_NAMES[key]: change for key, change in comparison.measures.items()}
    rows |= {f"hit@1 {kind}": one for kind, one in comparison.hit_at_1_of_kinds.items()}
    width = max(map(len, rows))
    lines = [f"{'':<{width}}{'before':>9}{'after':>9}{'change':>9}   95 % interval"]
    for name, change in rows.items():
        line = f"{name:<{width}}{_percent(change.before):>9}{_percent(change.after):>9}"
        line += f"{_percent(change.difference, '+'):>9}"
        if change.interval:
            line += "   {} to {}".format(*(_percent(end, "+") for end in change.interval))
        lines.append(line)
    return "\n".join([*lines, f"{comparison.questions} question(s); per cent"])


def curve_svg(outcomes: Sequence[Outcome], title: str = "Risk–coverage curve") -> str:
    """The curve as an SVG image: the share of wrong answers among those given, over the share of
    questions answered as the threshold falls, with the coverage at 90 % precision marked."""
    title = escape("".join(char for char in title if char.isprintable()))
    # One point for each pixel is as many as can be seen.
    points = {
        int(_x(answered / len(outcomes))): (_x(answered / len(outcomes)), _y(wrong / answered))
        for answered, wrong in risk_coverage(outcomes)
    }
    line = "".join(f"V{y:.1f}H{x:.1f}" for x, y in points.values())
    covered = coverage(outcomes)
    mark = f"coverage at {PRECISION:.0%} precision: {covered:.1%}"
    limit = _y(1 - PRECISION)
    ticks = [
        f'<path d="M{_LEFT} {_y(part):.1f}H{_RIGHT}M{_x(part):.1f} {_TOP}V{_BOTTOM}" '
        'stroke="#ddd"/>'
        f'<text x="{_LEFT - 8}" y="{_y(part) + 4:.1f}" text-anchor="end">{part}</text>'
        f'<text x="{_x(part):.1f}" y="{_BOTTOM + 18}" text-anchor="middle">{part}</text>'
        for part in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    ]
    middle_x, middle_y = (_LEFT + _RIGHT) // 2, (_TOP + _BOTTOM) // 2
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" width="{_WIDTH}" '
            f'height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-size="12" '
            'font-family="system-ui, sans-serif" fill="#222">',
            f"<title>{title}: {mark}</title>",
            '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="{_LEFT}" y="24" font-size="15" font-weight="600">{title}</text>',
            f'<circle cx="{_LEFT + 4}" cy="40" r="4" fill="{_RED}"/>',
            f'<text x="{_LEFT + 14}" y="44">{mark}</text>',
            *ticks,
            f'<text x="{middle_x}" y="{_BOTTOM + 38}" text-anchor="middle">'
            "coverage: share of the questions answered</text>",
            f'<text x="18" y="{middle_y}" text-anchor="middle" '
            f'transform="rotate(-90 18 {middle_y})">risk: share of these that is wrong</text>',
            f'<text x="{_LEFT - 8}" y="{limit + 4:.1f}" text-anchor="end" fill="{_RED}">'
            f"{1 - PRECISION:.1f}</text>",
            f'<path d="M{_LEFT} {limit:.1f}H{_RIGHT}" stroke="{_RED}" stroke-dasharray="5 4"/>',
            f'<path d="M{_LEFT} {next(iter(points.values()))[1]:.1f}{line}" fill="none" '
            'stroke="#0b5fa5" stroke-width="2" stroke-linejoin="round"/>',
            # Just behind it the curve crosses the dashed line for the last time.
            f'<circle cx="{_x(covered):.1f}" cy="{limit:.1f}" r="4" fill="{_RED}"/>',
            "</svg>\n",
        ]
    )


def _x(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _y(share: float) -> float:
    return _BOTTOM - share * (_BOTTOM - _TOP)


def _percent(share: float | None, sign: str = "-") -> str:
    """The share in per cent, to one decimal; with the sign +, also of what is not negative."""
    return "–" if share is None else f"{100 * share:{sign}z.1f}"


def _difference(
    before: float | None, after: float | None, interval: tuple[float, float] | None = None
) -> Difference:
    change = None if before is None or after is None else after - before
    return Difference(before, after, change, interval)


def _intervals(
    before: Sequence[Outcome], after: Sequence[Outcome]
) -> dict[str, tuple[float, float]]:
    """The 95 % interval of the difference in each measure that is a mean over the answerable."""
    changes = np.array(
        [
            (new.right - old.right, new.f1 - old.f1, new.answered - old.answered)
            for old, new in zip(before, after, strict=True)
            if old.answerable
        ]
    )
    if not len(changes):
        return {}
    random = np.random.default_rng(0)
    picks = (random.integers(len(changes), size=len(changes)) for _ in range(_RESAMPLES))
    means = np.array([changes[pick].mean(axis=0) for pick in picks])
    ends = np.percentile(means, (2.5, 97.5), axis=0).T.tolist()
    keys = ("hit_at_1", "f1", "answered")
    return {key: (low, high) for key, (low, high) in zip(keys, ends, strict=True)}
