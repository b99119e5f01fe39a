"""A lane: in which order those who wait get their turns, and when the others are to come again."""

from __future__ import annotations

import asyncio

import pytest

from rustqa.errors import BusyError
from rustqa.middleware.lanes import Lane


@pytest.mark.parametrize(("later", "first"), [(9.0, "short"), (11.0, "long")])
def test_a_long_one_waits_no_longer_than_it_takes(
    later: float, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred times as long, at a tenth of a second each, it lets go before it only what comes
    within ten seconds."""
    now, turns = 0.0, []
    monkeypatch.setattr("rustqa.middleware.lanes.monotonic", lambda: now)

    async def test() -> None:
        nonlocal now
        lane = Lane(1, 2, None, None)
        never = asyncio.get_running_loop().create_future()

        async def work(name: str, size: int) -> None:
            await lane.enter(never, size)
            turns.append(name)
            lane.leave()

        await lane.enter(never)
        long = asyncio.ensure_future(work("long", 101))
        await asyncio.sleep(0)
        now = later
        short = asyncio.ensure_future(work("short", 1))
        await asyncio.sleep(0)
        lane.leave()
        await asyncio.gather(long, short)

    asyncio.run(test())
    assert turns[0] == first
    assert len(turns) == 2


def test_how_long_to_wait_is_what_it_usually_takes() -> None:
    """The longer a place is taken, the later who finds none is told to come again; the longer
    their own work and that of those before them, too."""

    async def test() -> None:
        lane = Lane(2, 1, None, 1)
        gone = asyncio.get_running_loop().create_future()
        lane.at_work = 2
        for _ in range(200):
            lane.at_work += 1
            lane.leave(16.0, 2)
        before = asyncio.ensure_future(lane.enter(gone, 3))
        await asyncio.sleep(0)
        for size, seconds in [(1, "16"), (10, "52")]:
            with pytest.raises(BusyError) as info:
                await lane.enter(gone, size)
            assert info.value.headers["Retry-After"] == seconds
        gone.set_result(None)
        assert not await before

    asyncio.run(test())
