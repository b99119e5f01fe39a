"""The audit fails for a known vulnerability, and for nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest

from audit import PINS, TOOL, judge

_UNKNOWN = {"name": "pip", "skip_reason": "Dependency not found"}
_GOOD = {"name": "numpy", "version": "2.4.6", "vulns": []}


@pytest.mark.parametrize("report", [None, {"dependencies": [_UNKNOWN]}, {"dependencies": []}])
def test_where_nothing_can_be_asked_it_says_so(report: Any) -> None:
    """No network, or a mirror that knows no vulnerabilities: it goes on, and claims nothing."""
    lines, good = judge(report)
    assert good
    assert lines == ["audit: the list of vulnerabilities cannot be reached; nothing was checked"]


def test_a_vulnerability_is_named_with_what_mends_it() -> None:
    """By its id, so that it can be looked up, and it is a failure."""
    bad = {
        "name": "jinja2",
        "version": "3.1.0",
        "vulns": [{"id": "PYSEC-1", "fix_versions": ["3.1.6"], "aliases": []}],
    }
    lines, good = judge({"dependencies": [_GOOD, bad, _UNKNOWN]})
    assert not good
    assert lines == [
        "audit: jinja2 3.1.0: PYSEC-1, mended in 3.1.6",
        "audit: nothing is known of pip",
        "audit: 2 packages checked, 1 vulnerabilities",
    ]


def test_without_one_it_says_how_many_were_checked() -> None:
    """And passes."""
    assert judge({"dependencies": [_GOOD]}) == (
        ["audit: 1 packages checked, 0 vulnerabilities"],
        True,
    )


def test_every_pin_is_exact() -> None:
    """A version that is checked is the one that is installed."""
    lines = [line for line in PINS.read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in [*lines, TOOL] if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
