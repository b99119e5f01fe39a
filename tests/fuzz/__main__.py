"""Fuzzes every target, guided by coverage, and keeps the inputs that fail as seeds.

    make fuzz MINUTES=15, or: PYTHONPATH=tests python -m fuzz --help

The minutes are shared among the targets; one process for each, as many at once as asked. What is
found on the way is kept in build/fuzz/ for the next run, what fails in tests/fuzz/seeds/.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["rustqa", "pypdf", "tomllib", "trafilatura"]):
    # What rustqa imports only when it is needed must be seen to be imported.
    import pypdf  # noqa: F401
    import trafilatura  # noqa: F401

    from fuzz.targets import SEEDS, TARGETS, attempt, keep

_LARGEST = 20_000
_MEMORY_MB = 3000


def main() -> int:
    """Runs one target in this process, or each in its own; 1 if anything failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0, help="for all targets together")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="targets at once")
    parser.add_argument("--work", type=Path, default=Path("build/fuzz"), help="where seeds grow")
    parser.add_argument("--run", choices=TARGETS, help="this target alone, in this process")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="only these")
    options = parser.parse_args()
    names = options.targets or list(TARGETS)
    seconds = int(60 * options.minutes * options.jobs / len(names))
    if options.run:
        _fuzz(options.run, options.work / options.run, int(60 * options.minutes))
    with ThreadPoolExecutor(options.jobs) as pool:
        failed = list(pool.map(lambda name: _run(name, options.work, seconds), names))
    return int(any(failed))


def _run(name: str, work: Path, seconds: int) -> bool:
    """Fuzzes a target for so long in a process of its own, anew after a crash; says what came."""
    runs, failures, until = 0, 0, time.monotonic() + seconds
    while (left := until - time.monotonic()) > 1:
        command = [sys.executable, "-m", "fuzz", "--run", name, "--work", str(work)]
        ended = subprocess.run(
            [*command, "--minutes", str(left / 60)],
            capture_output=True,
            text=True,
            errors="replace",
        )
        said = ended.stdout + ended.stderr
        runs += max([int(number) for number in re.findall(r"^#(\d+)", said, re.MULTILINE)] or [0])
        failed = re.findall(r"^FAILED .*", said, re.MULTILINE)
        failures += len(failed)
        print(*failed, sep="\n", end="\n" if failed else "", flush=True)
        if ended.returncode:
            failures += 1
            print(f"{name} crashed:\n{said[-3000:]}", flush=True)
    print(f"{name:13} {runs:>9,} executions, {failures} failures", flush=True)
    return bool(failures)


def _fuzz(name: str, work: Path, seconds: int) -> None:
    """Fuzzes in this process; an input that fails in a new place is kept, and the run goes on."""
    work.mkdir(parents=True, exist_ok=True)
    known: set[str] = set()

    def one(data: bytes) -> None:
        try:
            attempt(name, data)
        except Exception as error:
            # Where it failed tells one fault from another; numbers in messages do not.
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} {last.filename}:{last.lineno}"
            if place not in known:
                known.add(place)
                file = keep(SEEDS / name, data)
                reason = " ".join(str(error).split())[:300]
                print(f"FAILED {name} {file.name}: {place}: {reason}", flush=True)

    arguments = [
        f"-max_total_time={seconds}", f"-max_len={_LARGEST}", "-timeout=60",
        f"-rss_limit_mb={_MEMORY_MB}", f"-artifact_prefix={SEEDS / name}/crash-",
        "-print_final_stats=1", str(work), str(SEEDS / name),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
