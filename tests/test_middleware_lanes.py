"""A lane: in which order those who wait get their turns, and when the others are to come again."""

from __future__ import annotations

import asyncio

import pytest

from rustqa.errors import BusyError
from rustqa.middleware.lanes import Lane


def test_who_came_first_is_first() -> None:
    """Each place that is given back goes to whoever has waited longest."""
    turns: list[int] = []

    async def test() -> None:
        lane = Lane(1, 5, None, None)
        never = asyncio.get_running_loop().create_future()

        async def work(number: int) -> None:
            assert await lane.enter(never)
            turns.append(number)
            lane.leave()

        assert await lane.enter(never)
        waiting = []
        for number in range(5):
            waiting.append(asyncio.ensure_future(work(number)))
            await asyncio.sleep(0)
        assert lane.waiting == 5
        lane.leave()
        await asyncio.gather(*waiting)
        assert (lane.at_work, lane.waiting) == (0, 0)

    asyncio.run(test())
    assert turns == [0, 1, 2, 3, 4]


def test_how_long_to_wait_is_what_it_usually_takes() -> None:
    """The longer a place is taken, and the more wait already, the later who finds none is told to
    come again."""

    async def test() -> None:
        lane = Lane(2, 1, None, 1)
        gone = asyncio.get_running_loop().create_future()
        lane.at_work = 2
        for _ in range(200):
            lane.at_work += 1
            lane.leave(8.0)
        before = asyncio.ensure_future(lane.enter(gone))
        await asyncio.sleep(0)
        with pytest.raises(BusyError, match="try again in 8 s") as info:
            await lane.enter(gone)
        assert info.value.headers == {"Retry-After": "8"}
        gone.set_result(None)
        assert not await before

    asyncio.run(test())
