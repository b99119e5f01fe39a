"""What fuzzing found stays mended, and a short run finds nothing new."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.targets import TARGETS, attempt, seeds

KEPT = [(name, file) for name in TARGETS for file in seeds(name)]


@pytest.mark.parametrize(("name", "file"), KEPT, ids=[f"{name}-{file.name}" for name, file in KEPT])
def test_kept_inputs(name: str, file: Path) -> None:
    """Each seed, and each input that ever failed, keeps the promises."""
    attempt(name, file.read_bytes())


def damaged(data: bytes) -> st.SearchStrategy[bytes]:
    """A seed with a stretch of it replaced by other bytes."""
    place = st.integers(0, len(data))
    cut = st.tuples(place, place).map(sorted)
    return st.builds(lambda ends, new: data[: ends[0]] + new + data[ends[1] :], cut, st.binary())


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_inputs(name: str) -> None:
    """Neither any bytes nor a seed damaged anywhere break a promise."""
    inputs = st.one_of(st.binary(), *(damaged(file.read_bytes()) for file in seeds(name)))

    @settings(max_examples=40)
    @given(inputs)
    def tried(data: bytes) -> None:
        attempt(name, data)

    tried()
