"""What the control groups of Linux, and so containers, let this process have.

See https://docs.kernel.org/admin-guide/cgroup-v2.html and, for version 1, .../cgroup-v1/.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


@cache
def cpu_quota() -> float | None:
    """How many processors' time this process may take; None if there is no limit."""
    return min(_cpu_quotas(), default=None)


def memory_left() -> int | None:
    """Bytes that this process may still take, what is only cached counted as free; None if there
    is no limit."""
    return min(_memory_left(), default=None)


def _cpu_quotas() -> Iterator[float]:
    for folder in _groups("cpu"):
        quota, period = (*_read(folder / "cpu.max").split(), "", "")[:2]
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us")
            period = _read(folder / "cpu.cfs_period_us")
        # Version 2 says "max" where there is no limit, version 1 -1.
        if quota.isdecimal() and period.isdecimal():
            yield int(quota) / int(period)


def _memory_left() -> Iterator[int]:
    for folder in _groups("memory"):
        for most, used, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, taken = _read(folder / most), _read(folder / used)
            if limit.isdecimal() and taken.isdecimal():
                kept = dict(map(str.split, _read(folder / "memory.stat").splitlines()))
                yield max(0, int(limit) - int(taken) + int(kept.get(cached, "0")))


def _groups(controller: str) -> Iterator[Path]:
    """The folders of the groups that this process is in; each limits what those below it get."""
    for line in _read(OWN).splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = ROOT / controller if controllers else ROOT
        group = top / name.lstrip("/")
        # In a container the name may be the host's, of which only the top can be seen.
        yield from (place for place in (group, *group.parents) if place.is_relative_to(top))


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
