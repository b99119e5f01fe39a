"""Control groups: the limits of both versions, of a group and of those above it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rustqa import cgroups

Groups = Callable[[str, dict[str, str]], None]


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Groups]:
    """Lays out what the system would tell: the groups of this process, and files by their names."""

    def lay_out(own: str, files: dict[str, str]) -> None:
        (tmp_path / "own").write_text(own)
        for name, content in files.items():
            file = tmp_path / "groups" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)

    monkeypatch.setattr(cgroups, "ROOT", tmp_path / "groups")
    monkeypatch.setattr(cgroups, "OWN", tmp_path / "own")
    cgroups.cpu_quota.cache_clear()
    yield lay_out
    cgroups.cpu_quota.cache_clear()


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        # Version 2: in a container, without a limit, in a service, and below a tighter one.
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000\n"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "max 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "200000 100000\n"}, 0.5),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "50000 100000\n"}, 0.5),
        # Version 1: alone, without a limit, and where the name is the host's.
        (
            "4:cpu,cpuacct:/\n0::/\n",
            {"cpu/cpu.cfs_quota_us": "300000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            3,
        ),
        (
            "4:cpu:/\n",
            {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
            None,
        ),
        (
            "4:cpu:/docker/abc\n",
            {"cpu/cpu.cfs_quota_us": "20000\n", "cpu/cpu.cfs_period_us": "10000\n"},
            2,
        ),
        # Another controller's, nothing that can be read, a name from outside, and nonsense.
        ("3:cpuset:/\n", {"cpu/cpu.cfs_quota_us": "1\n", "cpu/cpu.cfs_period_us": "1\n"}, None),
        ("0::/\n", {}, None),
        ("0::/../..\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "\n"}, None),
        ("", {"cpu.max": "100000 100000\n"}, None),
    ],
)
def test_the_share_of_time(
    groups: Groups, own: str, files: dict[str, str], expected: float | None
) -> None:
    """The tightest limit of all that hold."""
    groups(own, files)
    assert cgroups.cpu_quota() == expected


def test_the_share_of_time_is_read_once(groups: Groups) -> None:
    """As it is asked for with every batch."""
    groups("0::/\n", {"cpu.max": "100000 100000"})
    assert cgroups.cpu_quota() == 1
    groups("0::/\n", {"cpu.max": "200000 100000"})
    assert cgroups.cpu_quota() == 1


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        (
            "0::/\n",
            {
                "memory.max": "1000\n",
                "memory.current": "700\n",
                "memory.stat": "anon 300\nfile 400\ninactive_file 250\n",
            },
            550,
        ),
        ("0::/\n", {"memory.max": "max\n", "memory.current": "700\n"}, None),
        ("0::/\n", {"memory.max": "1000\n", "memory.current": "1200\n"}, 0),
        (
            "7:memory:/\n",
            {
                "memory/memory.limit_in_bytes": "1000\n",
                "memory/memory.usage_in_bytes": "700\n",
                "memory/memory.stat": "cache 400\ntotal_inactive_file 50\n",
            },
            350,
        ),
        ("0::/\n", {}, None),
    ],
)
def test_the_memory_that_is_left(
    groups: Groups, own: str, files: dict[str, str], expected: int | None
) -> None:
    """Less what is taken, of which what is only cached could be given back."""
    groups(own, files)
    assert cgroups.memory_left() == expected
