"""A storm: thousands of tabs come back at once, while others talk."""

import asyncio
import math
import resource
from collections.abc import Sequence
from random import Random

from tests.faults.scenarios.losses import Losses
from tests.faults.scenarios.positions import judge_good_cursors
from tests.faults.scenarios.written import Writer, writing
from tests.faults.script import write_answer
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Session, Traffic

CAME_BACK = "tabs came back at once"
MISSED = "turns missed meanwhile"
ANSWERED = "events to others meanwhile"

TABS = 4
"""Of every session that is quiet: two on each gateway."""
OPENED_AT_ONCE = 50
"""Sessions, before the storm."""
OPEN_SECONDS = 60.0
FILES_PER_TAB = 2
HEADS_SECONDS = 5.0
"""The default, in both forms: so long what was read once serves others too."""


async def storm(stage: Stage) -> None:
    """All tabs of many sessions lose their sockets; in half of the sessions something is said
    before they come back, all at once, each with its cursor. In others somebody talks all the
    time."""
    row = stage.row
    row.expect(CAME_BACK, MISSED, ANSWERED)
    count = stage.times(short=75, long=500)
    _allow_files(count * TABS * FILES_PER_TAB)
    stage.deployment.environment["HEADS_SECONDS"] = str(HEADS_SECONDS)
    losses = Losses(row)  # none are lost: the proxies count what is read
    await losses.start_gateways(stage)
    async with (
        stage.traffic() as traffic,
        writing(stage.deployment.redis_url, stage.deployment.keys) as writer,
    ):
        talking, talking_tabs = len(traffic.sessions), traffic.tabs
        await _open_quiet_sessions(stage, traffic, writer, count)
        quiet = traffic.sessions[talking:]
        tabs = [tab for session in quiet for tab in session.tabs]
        await _send_away(traffic, tabs)
        missed = traffic.random.sample(quiet, len(quiet) // 2)
        await asyncio.gather(
            *(_write_turns(session, writer, 1, _own(traffic.random)) for session in missed)
        )
        row.happened(MISSED, len(missed))

        before = [proxy.reads.copy() for proxy in losses.proxies]
        heard = sum(tab.view.events_taken for tab in talking_tabs)
        began = asyncio.get_running_loop().time()
        for tab in tabs:
            tab.come_back()
        await traffic.until(
            lambda: all(tab.is_up_to_date for tab in tabs), "all are up to date", 60
        )
        took = asyncio.get_running_loop().time() - began
        row.happened(CAME_BACK, len(tabs))
        row.happened(ANSWERED, sum(tab.view.events_taken for tab in talking_tabs) - heard)
        row.notes.append(f"{len(tabs)} tabs of {count} sessions were up to date after {took:.2f} s")
        for gateway, proxy, reads in zip(stage.gateways, losses.proxies, before, strict=True):
            sessions = {tab.session_id for tab in tabs if tab.url == gateway.url}
            # What was read serves for so long, and nobody is more than one page behind.
            most = len(sessions) * math.ceil(took / HEADS_SECONDS)
            done = sum(proxy.reads[name] - reads[name] for name in sessions)
            row.notes.append(f"a gateway read {done} pages for {len(sessions)} of the sessions")
            if not 0 < done <= most:
                row.problems.append(f"a gateway read {done} pages, and not 1 to {most}")
        losses.judge_sharing()
    judge_good_cursors(row, tabs)


async def _open_quiet_sessions(stage: Stage, traffic: Traffic, writer: Writer, count: int) -> None:
    """Sessions with a history, in which nobody talks at the moment."""
    picks = [stage.any_gateway(number) for number in range(TABS)]
    for first in range(0, count, OPENED_AT_ONCE):
        opened = [traffic.open_session(picks) for _ in range(min(OPENED_AT_ONCE, count - first))]
        tabs = [tab for session in opened for tab in session.tabs]
        for tab in tabs:
            tab.open_seconds = OPEN_SECONDS
        await asyncio.gather(
            *(_write_history(session, writer, _own(traffic.random)) for session in opened)
        )
        await traffic.until(
            lambda opened=opened: not any(session.unfinished for session in opened),
            "the tabs of a quiet session have its history",
        )


async def _write_history(session: Session, writer: Writer, random: Random) -> None:
    await _write_turns(session, writer, random.randint(1, 3), random)


async def _write_turns(session: Session, writer: Writer, count: int, random: Random) -> None:
    for _ in range(count):
        mark = f"{session.session_id} written {len(session.answers)}"
        answer = write_answer(random, mark, shape=lambda random: (random.randint(5, 40), 0))
        session.answers.append(answer)
        await writer.write_turn(session.session_id, answer)


def _own(random: Random) -> Random:
    """One for each session: they draw from it in any order."""
    return Random(random.getrandbits(64))


async def _send_away(traffic: Traffic, tabs: Sequence[Tab]) -> None:
    for tab in tabs:
        tab.is_away = True
        tab.cut()
    await traffic.until(lambda: not any(tab.is_open for tab in tabs), "all have lost their sockets")


def _allow_files(count: int) -> None:
    """Let this process, and those that it starts, have so many open and some more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 1024)), hard))


SCENARIOS = (Scenario("storm", storm),)
