"""A server that comes back with older files: it gives numbers out that tabs already hold."""

import asyncio
import shutil
import signal
from pathlib import Path

from dev.embedded_redis import EmbeddedRedis
from tests.faults.append_only import ends_written
from tests.faults.outage import (
    RESET,
    SAID,
    TOLD,
    Meanwhile,
    Outage,
    allow_forgetting,
    count_forgotten,
    ended,
)
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic
from tests.faults.view import Place

RESTORED = "servers restored from older files"
AWAY = "tabs away that held numbers which were used again"
BACK = "of them told `reset` when they came back"
LEAST_EVENTS = 5
"""Forgotten events that a tab must have been given before it goes away."""


async def restore_older_files(stage: Stage) -> None:
    """Files of an earlier moment are put back. Tabs of half of the sessions are away meanwhile, and
    come back when the log has passed their places again."""
    stage.row.expect(RESTORED, SAID, TOLD, RESET, AWAY, BACK)
    await stage.start()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=1, long=2)):
            await traffic.after_events(stage.random.randint(300, 800))
            await _restore_once(stage, traffic)


async def _restore_once(stage: Stage, traffic: Traffic) -> None:
    copy = stage.folder / "older"
    await asyncio.to_thread(_copy_files, stage.redis, copy)
    heads = {session.session_id: _newest_place(session.tabs) for session in traffic.sessions}
    half = stage.random.sample(traffic.sessions, len(traffic.sessions) // 2)
    await traffic.until(
        lambda: all(_is_past(session.tabs[0], heads[session.session_id]) for session in half),
        "the tabs that are to go have seen what is to be forgotten",
    )
    for session in half:
        session.tabs[0].is_away = True
        session.tabs[0].cut()
    away = {session.tabs[0]: _place(session.tabs[0]) for session in half}
    here = [tab for tab in traffic.tabs if not tab.is_away]
    await traffic.after_events(stage.random.randint(400, 800) * stage.times(short=1, long=3))

    outage, meanwhile = Outage(stage, traffic, here), Meanwhile(stage, traffic)
    await asyncio.to_thread(stage.redis.kill)
    await outage.until_told()  # nothing comes after that, so it is known who has heard what
    forgotten = ended(traffic) - ends_written(copy)
    allow_forgetting(traffic, forgotten)
    meanwhile.say()
    shutil.rmtree(stage.redis.folder / "appendonlydir")
    shutil.copytree(copy, stage.redis.folder / "appendonlydir")
    await asyncio.to_thread(stage.redis.start)
    meanwhile.redis_is_back()
    stage.row.happened(RESTORED)
    await meanwhile.until_refused_or_shown()
    await outage.until_over()
    gone = count_forgotten(traffic, forgotten)
    stage.row.notes.append(f"{gone} of {len(forgotten)} newer turns forgotten")
    await _until_numbers_are_used_again(stage, traffic, half, heads, away)
    await outage.until_reset()
    for tab in away:
        tab.is_away = False
    await _until_back(stage, traffic, away)


async def _until_numbers_are_used_again(
    stage: Stage,
    traffic: Traffic,
    sessions: list[Session],
    heads: dict[str, Place],
    away: dict[Tab, Place],
) -> None:
    """Wait until so much was written since the restart that, counted on from the restored head, it
    goes beyond what the absent tabs hold."""

    def is_passed(session: Session) -> bool:
        _, restored = heads[session.session_id]
        epoch, held = away[session.tabs[0]]
        now_epoch, now = _newest_place(session.tabs[1:])
        return now > held if now_epoch == epoch else restored + now > held

    await traffic.until(
        lambda: all(is_passed(session) for session in sessions),
        "the log has passed the places of the tabs that are away",
    )
    stage.row.happened(AWAY, len(away))


async def _until_back(stage: Stage, traffic: Traffic, away: dict[Tab, Place]) -> None:
    def answers_to(tab: Tab) -> list[bool]:
        """Whether it was told `reset`, each time it named the place that it had gone away with."""
        epoch, seq = away[tab]
        return [each.reset for each in tab.view.answers if each.cursor == f"{epoch}-{seq}"]

    await traffic.until(
        lambda: all(tab.is_up_to_date and answers_to(tab) for tab in away),
        "the tabs that were away are back",
    )
    resets = sum(all(answers_to(tab)) for tab in away)
    stage.row.happened(BACK, resets)
    if resets < len(away):
        stage.row.problems.append(f"{len(away) - resets} tabs resumed across another life of Redis")


def _copy_files(server: EmbeddedRedis, copy: Path) -> None:
    """The server's files as they are at one moment."""
    assert server.process is not None
    shutil.rmtree(copy, ignore_errors=True)
    server.process.send_signal(signal.SIGSTOP)
    try:
        shutil.copytree(server.folder / "appendonlydir", copy)
    finally:
        server.process.send_signal(signal.SIGCONT)


def _is_past(tab: Tab, head: Place) -> bool:
    return _place(tab) >= (head[0], head[1] + LEAST_EVENTS)


def _place(tab: Tab) -> Place:
    return tab.view.cursor or (0, 0)


def _newest_place(tabs: list[Tab]) -> Place:
    return max(map(_place, tabs))


SCENARIOS = (
    Scenario("Redis restored from older files", restore_older_files, frozenset({"epoch"})),
)
