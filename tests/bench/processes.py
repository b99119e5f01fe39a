"""Runs programs as whole processes, in turn, and measures what each takes.

A small launcher, this file run as a script, starts every program: Linux counts the memory of the
process that starts another into the peak of the one it starts, and the launcher has little.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from statistics import median
from typing import NamedTuple

_TAIL = 2000


class Command(NamedTuple):
    """A program with its arguments, its environment (None: as here), and the exit codes with which
    it has done its work."""

    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    good: Collection[int] = (0,)


class Usage(NamedTuple):
    """What one run took: seconds on the clock, seconds of all processors (user and system), and
    the peak of its resident memory in MiB."""

    wall_s: float
    cpu_s: float
    memory_mib: float


class RunError(Exception):
    """A program ended with an exit code that is not among the good ones."""


def run(command: Command) -> Usage:
    """Runs the program to its end; raises RunError, with the end of its stderr, if it fails."""
    launcher = [sys.executable, "-I", "-S", __file__]
    done = subprocess.run([*launcher, *command.argv], capture_output=True, env=command.env)
    code, usage = json.loads(done.stdout) if done.returncode == 0 else ("none", ())
    if code not in command.good:
        tail = done.stderr.decode(errors="replace")[-_TAIL:].strip()
        raise RunError(f"{shlex.join(command.argv)}: exit code {code}\n{tail}")
    return Usage(*usage)


def run_in_turn(
    commands: Mapping[str, Command], rounds: int, warm_up: int = 1
) -> dict[str, list[Usage]]:
    """Runs all commands once a round, in their order, so that a drift of the machine meets all
    alike; the rounds of `warm_up` are not counted."""
    runs: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(warm_up + rounds):
        for name, command in commands.items():
            usage = run(command)
            if number >= warm_up:
                runs[name].append(usage)
    return runs


def medians(runs: Sequence[Usage]) -> dict[str, float]:
    """The median of each thing measured."""
    columns = zip(*runs, strict=True)
    return {name: median(column) for name, column in zip(Usage._fields, columns, strict=True)}


def ratios(runs: Sequence[Usage], base: Sequence[Usage]) -> dict[str, float]:
    """How many times as much as the base these took: the median over the rounds of the ratio
    within a round, in which the machine was the same for both."""
    pairs = zip(runs, base, strict=True)
    return medians([Usage(*(a / b for a, b in zip(*pair, strict=True))) for pair in pairs])


def _launch(argv: list[str]) -> tuple[int, Usage]:
    """The exit code of the program (negative: the signal that ended it) and what it took."""
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    began = time.perf_counter()
    child = os.posix_spawnp(argv[0], argv, os.environ, file_actions=silent)
    _, status, used = os.wait4(child, 0)
    wall = time.perf_counter() - began
    # ru_maxrss is in KiB, on macOS in bytes.
    unit = 2**20 if sys.platform == "darwin" else 2**10
    usage = Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / unit)
    return os.waitstatus_to_exitcode(status), usage


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_launch(sys.argv[1:])))
