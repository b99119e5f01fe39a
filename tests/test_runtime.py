"""Runtime: runs stand side by side, and their results in the order asked for."""

from __future__ import annotations

import os
import subprocess
import sys
from contextvars import ContextVar
from pathlib import Path
from threading import Barrier, current_thread
from time import sleep
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rustqa import runtime
from rustqa.runtime import Inputs, open_session, processors, run_all, side_by_side
from tiny_bert import WORDS, tiny_exported


class FakeSession:
    """Gives back its input, and with a second output more than is asked for; fails at a -1.

    With a barrier each run waits until as many others are under way.
    """

    def __init__(self, barrier: Barrier | None = None) -> None:
        self.barrier = barrier
        self.threads: set[str] = set()

    def run(self, outputs: None, inputs: Inputs) -> list[Any]:
        """The number, and something else."""
        self.threads.add(current_thread().name)
        if self.barrier:
            self.barrier.wait(timeout=60)
        if inputs["input_ids"] == -1:
            raise RuntimeError("no such number")
        return [inputs["input_ids"], "more"]


def _run(session: FakeSession, numbers: list[int]) -> list[Any]:
    inputs = [{"input_ids": np.int64(number)} for number in numbers]
    return run_all(session, inputs)  # type: ignore[arg-type]


@given(st.lists(st.integers(0, 99), max_size=50))
def test_results_keep_the_order(numbers: list[int]) -> None:
    """However many there are, none included; of each run the first output."""
    assert _run(FakeSession(), numbers) == numbers


def test_as_many_run_at_once_as_there_are_processors() -> None:
    """Runs that wait for so many others all end."""
    count = processors()
    assert count >= 1
    session = FakeSession(Barrier(count))
    assert _run(session, list(range(4 * count))) == list(range(4 * count))
    assert len(session.threads) == count


def test_an_error_is_passed_on() -> None:
    """It reaches who asked, and the next run is as good as ever."""
    with pytest.raises(RuntimeError, match="no such number"):
        _run(FakeSession(), [1, 2, -1, 3])
    assert _run(FakeSession(), [1, 2, 3]) == [1, 2, 3]


@given(st.lists(st.integers(0, 99), max_size=50))
def test_what_is_done_side_by_side_comes_in_order(numbers: list[int]) -> None:
    """Whatever each takes."""

    def late(number: int) -> int:
        sleep(number % 3 / 10_000)
        return -number

    assert list(side_by_side(late, iter(numbers))) == [-number for number in numbers]


def test_more_is_under_way_than_there_are_processors() -> None:
    """While some wait for a network, others are at work; and a network may be asked for in each."""
    barrier, session = Barrier(processors() + 1), FakeSession()

    def ask(number: int) -> list[Any]:
        barrier.wait(timeout=60)
        return _run(session, [number, number + 1])

    count = 2 * (processors() + 1)
    found = list(side_by_side(ask, range(count)))
    assert found == [[number, number + 1] for number in range(count)]


def test_what_is_side_by_side_knows_who_asks() -> None:
    """The context variables are those of the caller, and what one sets is not seen by another."""
    who = ContextVar("who", default="nobody")
    who.set("caller")

    def ask(number: int) -> str:
        found = who.get()
        who.set(str(number))
        return found

    assert list(side_by_side(ask, range(20))) == ["caller"] * 20
    assert who.get() == "caller"


@pytest.mark.parametrize(
    ("quota", "expected"), [(None, 8), (0.25, 1), (1.0, 1), (1.5, 2), (2.0, 2), (64.0, 8)]
)
def test_a_share_of_time_is_less_than_all_processors(
    quota: float | None, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container with the time of two processors is not given a thread for each of the machine's;
    a part of one counts as one."""
    monkeypatch.setattr(runtime, "allowed_processors", lambda: 8)
    monkeypatch.setattr(runtime, "cpu_quota", lambda: quota)
    assert processors() == expected


def test_what_fails_side_by_side_fails_in_its_turn() -> None:
    """What stands before it is given first."""

    def invert(number: int) -> float:
        return 1 / number

    found = side_by_side(invert, [1, 2, 0, 4])
    assert [next(found), next(found)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(found)


def test_a_network_is_opened_from_its_file_or_from_its_bytes(tmp_path: Path) -> None:
    """Both give the same, and each run takes one thread."""
    network = tiny_exported().network
    (tmp_path / "model.onnx").write_bytes(network)
    inputs = [{"input_ids": np.arange(length)[None] % WORDS} for length in (3, 9, 3)]
    found = []
    for source in (network, tmp_path / "model.onnx"):
        session = open_session(source)
        options = session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
        found.append(np.concatenate(run_all(session, inputs)))
    held, read = found
    assert np.array_equal(held, read)
    assert np.array_equal(held[0], held[2])


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    """At once, not at the first run."""
    (tmp_path / "model.onnx").write_bytes(b"no network")
    for source in (b"no network", tmp_path / "model.onnx", tmp_path / "missing.onnx"):
        with pytest.raises(Exception, match=r"(?i)model|protobuf"):
            open_session(source)


def test_nobody_is_told_how_it_is_used(tmp_path: Path) -> None:
    """ONNX Runtime, which may report that, neither makes an id for this machine nor keeps what it
    would send."""
    network = tmp_path / "model.onnx"
    network.write_bytes(tiny_exported().network)
    env = {name: value for name, value in os.environ.items() if name[:4] not in ("ORT_", "XDG_")}
    code = f"import time; from rustqa.runtime import open_session; open_session({str(network)!r})"
    run = [sys.executable, "-c", f"{code}; time.sleep(1)"]
    subprocess.run(run, env={**env, "HOME": str(tmp_path)}, check=True)
    assert list(tmp_path.iterdir()) == [network]
