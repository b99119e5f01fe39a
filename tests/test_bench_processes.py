"""Programs are run in turn, measured each by itself, and their failures shown."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench.processes import Command, RunError, Usage, medians, ratios, run, run_in_turn


def _python(code: str, *good: int) -> Command:
    return Command((sys.executable, "-S", "-c", code), good=good or (0,))


def test_memory_is_that_of_the_program_alone() -> None:
    """Neither the process that measures nor an earlier, larger program counts."""
    ballast = bytearray(os.urandom(1)) * (200 * 2**20)
    small = run(_python("pass"))
    large = run(_python("bytearray(b'x') * (100 * 2**20)"))
    again = run(_python("pass"))
    assert len(ballast) > 2**20
    assert 0 < small.memory_mib < 60
    assert 100 < large.memory_mib < 190
    assert again.memory_mib < 60


def test_waiting_takes_time_and_no_processor() -> None:
    """Seconds on the clock and seconds of the processor are two things."""
    usage = run(_python("import time; time.sleep(0.5)"))
    assert usage.wall_s >= 0.5
    assert 0 < usage.cpu_s < usage.wall_s


def test_commands_take_turns(tmp_path: Path) -> None:
    """Each round runs every command once, in order; the warm-up round is not counted."""
    log = tmp_path / "log"
    commands = {name: _python(f"open({str(log)!r}, 'a').write({name!r})") for name in "abc"}
    runs = run_in_turn(commands, rounds=2)
    assert log.read_text() == "abc" * 3
    assert {name: len(usages) for name, usages in runs.items()} == {"a": 2, "b": 2, "c": 2}


def test_the_environment_is_the_one_given() -> None:
    """A command's variables reach the program, and no others do."""
    code = "import os; raise SystemExit(os.environ.get('COLOUR') != 'red' or 'HOME' in os.environ)"
    run(Command((sys.executable, "-c", code), env={"COLOUR": "red"}))


def test_a_failure_names_the_command_and_what_it_said() -> None:
    """The message holds the command, its exit code and the end of its stderr."""
    command = _python(
        "import sys; print('x' * 9999, 'no such index', file=sys.stderr); sys.exit(3)"
    )
    with pytest.raises(
        RunError, match=r"-S -c (?s:.*): exit code 3\n(?s:.*)no such index$"
    ) as info:
        run(command)
    assert len(str(info.value)) < 3000


def test_a_program_that_is_not_there_is_a_failure() -> None:
    """It is named, like any other."""
    with pytest.raises(RunError, match="no-such-program"):
        run(Command(("no-such-program",)))


def test_other_exit_codes_can_be_good() -> None:
    """Some programs say with theirs what they found."""
    assert run(_python("raise SystemExit(1)", 0, 1)).wall_s > 0


def test_medians_and_ratios_are_taken_over_the_rounds() -> None:
    """A ratio is that within a round, so that a slow round does not count for one side."""
    ours = [Usage(1, 2, 10), Usage(10, 20, 10), Usage(2, 4, 10)]
    theirs = [Usage(3, 2, 20), Usage(30, 10, 20), Usage(6, 8, 50)]
    assert medians(ours) == {"wall_s": 2, "cpu_s": 4, "memory_mib": 10}
    assert ratios(theirs, ours) == {"wall_s": 3, "cpu_s": 1, "memory_mib": 2}
