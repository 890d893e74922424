"""Sockets that break: cut at any moment and resumed elsewhere, with a good cursor or a bad one."""

import asyncio
from random import Random

from tests.faults.scenarios.half_open import HALF_OPEN, cut_half_open
from tests.faults.scenarios.positions import KINDS, Deal, judge_good_cursors, resume_from_all_kinds
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic

CUT = "sockets cut"
RESUMED_ELSEWHERE = "resumed on another gateway"
HALF_OPEN_SHARE = 0.3


async def cut_sockets(stage: Stage) -> None:
    """Sockets are cut in mid-traffic and opened again at once on the other gateway; some are left
    half open, so that for a while a tab has two sockets that are served. Every cursor is good, so
    every one is honoured."""
    row, random = stage.row, stage.random
    row.expect(CUT, RESUMED_ELSEWHERE, HALF_OPEN)
    await stage.start()
    async with stage.traffic() as traffic:
        followed: list[asyncio.Task[None]] = []
        for _ in range(stage.times(short=20, long=150)):
            own = Random(random.getrandbits(64))  # so that all draw the same, whatever was open
            await traffic.after_events(own.randint(5, 60))
            await traffic.until(lambda: any(tab.is_open for tab in traffic.tabs), "a tab is open")
            tab = own.choice([tab for tab in traffic.tabs if tab.is_open])
            if tab.view.cursor is not None and own.random() < HALF_OPEN_SHARE:
                followed.append(asyncio.create_task(cut_half_open(row, traffic, tab)))
            elif tab.view.cursor is not None:
                followed.append(asyncio.create_task(_cut(stage, traffic, tab)))
            else:  # nothing has been said yet: there is nothing to resume
                row.happened(CUT, tab.cut())
        await asyncio.gather(*followed)
    judge_good_cursors(row, traffic.tabs)


async def _cut(stage: Stage, traffic: Traffic, tab: Tab) -> None:
    before, answered = tab.url, len(tab.view.answers)
    stage.row.happened(CUT, tab.cut())
    await traffic.until(lambda: len(tab.view.answers) > answered, "a tab that was cut is back")
    stage.row.happened(RESUMED_ELSEWHERE, tab.url != before)


async def strange_positions(stage: Stage) -> None:
    """Tabs name a position that is old, ahead of the log, of another life of it, or no position at
    all. An old one is good: what comes is exactly what is after it. All others get a reset. The
    long run has every bad position that there is, the short one a share, by the seed."""
    stage.row.expect(*KINDS)
    deal = Deal(stage.random)
    await stage.start()
    async with stage.traffic() as traffic:
        await traffic.until(
            lambda: all(tab.view.cursor for tab in traffic.tabs), "something was said in all"
        )
        for _ in range(stage.times(short=1, long=8)):
            await traffic.after_events(200)
            await resume_from_all_kinds(stage.row, traffic, deal)
    stage.row.notes.append(deal.told)
    if stage.is_long and deal.left:
        stage.row.problems.append(f"{deal.left} bad positions were not named")


SCENARIOS = (
    Scenario("sockets cut, resumed elsewhere", cut_sockets),
    Scenario("strange positions", strange_positions),
)
