"""Turns that have one attempt left are kept apart: one at a time runs in a worker."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast

from agent_worker.last_attempts import LastAttempts
from shared.lease import Lease, Turn
from tests.support.eventually import eventually

QUICK = 0.01


class FakeTurn:
    """A turn of which so many attempts are lost, and the lease it is run under."""

    def __init__(self, attempts_lost: int) -> None:
        self.attempts_lost = attempts_lost
        self.item = self.message = self
        self.message_id = "t"
        self.renewals = 0
        self.is_cancelled = False
        self.hand_back = asyncio.Event()
        self.runs = False
        self.may_end = asyncio.Event()

    async def renew(self, turn_id: str) -> bool:
        self.renewals += 1
        return self.is_cancelled

    async def run(self, last_attempts: LastAttempts) -> None:
        lease, turn = cast(Lease, self), cast(Turn, cast(Any, self))
        async with last_attempts.apart(lease, turn, self.hand_back):
            self.runs = True
            await self.may_end.wait()
        self.runs = False


@asynccontextmanager
async def running(turns: list[FakeTurn], max_attempts: int = 3) -> AsyncGenerator[None, None]:
    last_attempts = LastAttempts(max_attempts, QUICK)
    tasks: list[asyncio.Task[None]] = []
    for turn in turns:
        tasks.append(asyncio.create_task(turn.run(last_attempts)))
        await asyncio.sleep(0)
    yield
    for turn in turns:
        turn.may_end.set()
    await asyncio.gather(*tasks)


async def test_turns_with_more_than_one_attempt_left_run_side_by_side() -> None:
    turns = [FakeTurn(0), FakeTurn(1), FakeTurn(1), FakeTurn(2)]
    async with running(turns):
        await eventually(lambda: all(turn.runs for turn in turns), "all run")


async def test_a_turn_without_an_attempt_left_is_not_held_up() -> None:
    """It does not run; it only has to be told."""
    turns = [FakeTurn(2), FakeTurn(3)]
    async with running(turns):
        await eventually(lambda: all(turn.runs for turn in turns), "both are past")


async def test_a_last_attempt_waits_for_the_one_before_it_and_keeps_its_lease() -> None:
    one, other = FakeTurn(2), FakeTurn(2)
    async with running([one, other]):
        await eventually(lambda: other.renewals > 2, "its lease is renewed")
        assert one.runs
        assert not other.runs
        one.may_end.set()
        await eventually(lambda: other.runs, "it has its turn")


async def test_a_first_attempt_is_not_held_up_where_it_is_the_only_one() -> None:
    turns = [FakeTurn(0), FakeTurn(0)]
    async with running(turns, max_attempts=1):
        await eventually(lambda: all(turn.runs for turn in turns), "both run")


async def test_who_is_cancelled_or_handed_back_waits_no_longer() -> None:
    one, cancelled, handed_back, last = (FakeTurn(2) for _ in range(4))
    async with running([one, cancelled, handed_back, last]):
        cancelled.is_cancelled = True
        handed_back.hand_back.set()
        await eventually(lambda: cancelled.runs and handed_back.runs, "they are let through")
        for turn in (cancelled, handed_back):
            turn.may_end.set()
        await eventually(lambda: last.renewals > 5, "the last one waits all the same")
        assert not last.runs
        one.may_end.set()
        await eventually(lambda: last.runs, "it has its turn")
