"""Tables, saved runs, comparisons and the curve, on outcomes made up by hand."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rustqa.errors import InputError
from rustqa.evaluate import Outcome, Run, summarise
from rustqa.report import (
    check_place,
    compare,
    comparison_table,
    curve_svg,
    read_run,
    run_to_json,
    save,
    table,
)


def outcome(number: int, right: bool, confidence: float = 0.6, kind: str = "who") -> Outcome:
    """An outcome that is right in every way or in none; the kind `no` has no answer."""
    return Outcome(
        question=f"“{number}”",
        kind=kind,
        answerable=kind != "no",
        answered=confidence >= 0.5,
        rank=1 if right else None,
        right_paragraph=right,
        exact=float(right),
        f1=float(right),
        confidence=confidence,
    )


def run_of(*outcomes: Outcome) -> Run:
    """A run with these outcomes."""
    return Run(
        rustqa="1",
        file="dev.jsonl",
        sha256="0",
        options={"scope": None, "only": None},
        model={"reader": "fake"},
        threshold=0.5,
        report=summarise(outcomes),
        outcomes=outcomes,
    )


RUN = run_of(outcome(0, True), outcome(1, False, 0.2, "why"), outcome(2, False, 0.1, "no"))


def test_table() -> None:
    """A line for each kind and one for all; per cent, and a dash where nothing is defined."""
    head, unsaid, who, why, everything = table(RUN.report).splitlines()
    assert re.split(r"\s{2,}", head)[:4] == ["kind", "n", "par@1", "hit@1"]
    assert unsaid.split()[:4] == ["no", "1", "–", "–"]
    assert who.split()[:4] == ["who", "1", "100.0", "100.0"]
    assert why.split()[:4] == ["why", "1", "0.0", "0.0"]
    assert everything.split()[:4] == ["all", "3", "50.0", "50.0"]


def test_a_saved_run_reads_as_it_was(tmp_path: Path) -> None:
    """Nothing is lost, and the report stands in the file for other programs."""
    file = tmp_path / "run.json"
    save(file, run_to_json(RUN))
    assert read_run(file) == RUN
    assert json.loads(file.read_text())["report"] == RUN.report.to_dict()
    assert list(tmp_path.iterdir()) == [file], "nothing else is left there"


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves the old file and nothing besides."""
    file = tmp_path / "run.json"
    file.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        save(file, "half \ud800")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_places_where_nothing_can_be_written(tmp_path: Path) -> None:
    """A missing folder, a folder, what is no plain file: refused before anything is asked."""
    check_place(tmp_path / "new.json")
    for place in (tmp_path / "missing" / "run.json", tmp_path, Path("/dev/null")):
        with pytest.raises(InputError, match="cannot be written there; name a file"):
            check_place(place)


WHOLE = asdict(RUN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "{}",
        "[" * 100_000,
        json.dumps({**WHOLE, "outcomes": []}),
        json.dumps({**WHOLE, "outcomes": [{"question": "?"}]}),
        json.dumps({**WHOLE, "outcomes": [{**WHOLE["outcomes"][0], "rank": "first"}]}),
        json.dumps({**WHOLE, "outcomes": [{**WHOLE["outcomes"][0], "confidence": float("nan")}]}),
        json.dumps({**WHOLE, "model": 5}),
    ],
)
def test_what_is_no_saved_run(tmp_path: Path, text: str) -> None:
    """It is refused by name, whatever is wrong in it."""
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(InputError, match=r"run\.json: not a saved run"):
        read_run(file)
    with pytest.raises(InputError, match=r"absent\.json: No such file"):
        read_run(tmp_path / "absent.json")


def test_comparison() -> None:
    """Each measure before, after and their difference, and hit@1 of each kind that has it."""
    after = run_of(outcome(0, True), outcome(1, True, 0.7, "why"), outcome(2, False, 0.1, "no"))
    found = compare(RUN, after)
    hit = found.measures["hit_at_1"]
    assert (hit.before, hit.after, hit.difference) == (0.5, 1.0, 0.5)
    assert found.measures["answered"].difference == 0.5
    assert found.measures["silent"].difference == 0.0
    assert {kind: change.difference for kind, change in found.hit_at_1_of_kinds.items()} == {
        "who": 0.0,
        "why": 1.0,
    }
    assert {key for key, change in found.measures.items() if change.interval} == {
        "hit_at_1",
        "f1",
        "answered",
    }
    lines = {re.split(r"\s{2,}", line)[0]: line for line in comparison_table(found).splitlines()}
    assert lines["hit@1"].split()[1:] == ["50.0", "100.0", "+50.0", "+0.0", "to", "+100.0"]
    assert lines["hit@1 why"].split()[2:] == ["0.0", "100.0", "+100.0"]


def test_comparison_with_a_measure_that_is_not_defined() -> None:
    """A dash stands for it; without answerable questions there is no interval at all."""
    silent = run_of(outcome(0, False, 0.1, "no"))
    found = compare(silent, silent)
    assert found.measures["hit_at_1"].difference is None
    assert not any(change.interval for change in found.measures.values())
    assert re.search(r"^hit@1 +– +– +–$", comparison_table(found), re.MULTILINE)


def test_the_interval_is_that_of_paired_differences() -> None:
    """Half of 400 questions gained: 50 per cent, give or take 1.96 times 2.5, every time."""
    before = run_of(*(outcome(number, False) for number in range(400)))
    after = run_of(*(outcome(number, number % 2 == 0) for number in range(400)))
    found = compare(before, after)
    assert found.measures["f1"].interval == pytest.approx((0.451, 0.549), abs=0.004)
    assert found.measures["answered"].interval == (0.0, 0.0)
    assert compare(before, after) == found


def test_runs_of_different_questions() -> None:
    """Other questions, or the same with another label, are not compared."""
    for other in (
        run_of(*RUN.outcomes[:2]),
        run_of(*reversed(RUN.outcomes)),
        run_of(*RUN.outcomes[:2], replace(RUN.outcomes[2], kind="why")),
    ):
        with pytest.raises(InputError, match="different questions"):
            compare(RUN, other)


def shapes(svg: str, name: str) -> list[dict[str, str]]:
    """The attributes of each element of a name, in order."""
    root = ElementTree.fromstring(svg)  # noqa: S314  (our own)
    return [element.attrib for element in root.iter(f"{{http://www.w3.org/2000/svg}}{name}")]


def test_the_curve_steps_through_every_threshold() -> None:
    """Right, right, wrong, right: risk 0 up to a half of the questions, then 1/3, then 1/4."""
    outcomes = [outcome(n, n != 2, 0.9 - n / 10) for n in range(4)]
    (line,) = [path["d"] for path in shapes(curve_svg(outcomes), "path") if "fill" in path]
    # 400 by 250 pixels, the origin at (60, 310).
    assert line == "M60 310.0V310.0H160.0V310.0H260.0V226.7H360.0V247.5H460.0"
    assert shapes(curve_svg(outcomes), "circle")[-1]["cx"] == "260.0", "coverage at 90 %"


def test_the_curve_is_an_image_that_says_what_it_shows() -> None:
    """A role, a first element that names it, nothing that runs; its title is taken as text."""
    svg = curve_svg([outcome(0, True)], "<script> & \x07“dev”")
    root = ElementTree.fromstring(svg)  # noqa: S314  (our own)
    assert root.attrib["role"] == "img"
    assert root[0].tag.endswith("}title")
    assert root[0].text == "<script> & “dev”: coverage at 90% precision: 100.0%"
    assert shapes(svg, "script") == []
    assert shapes(svg, "rect")[0]["fill"] == "#fff", "legible on a dark page too"


def test_the_curve_stays_small() -> None:
    """Twenty thousand questions make a file under 15 kB, the same each time."""
    outcomes = [outcome(n, n * n % 7 < 4, 1 - n / 20_000) for n in range(20_000)]
    svg = curve_svg(outcomes)
    assert len(svg.encode()) < 15_000
    assert curve_svg(outcomes) == svg
