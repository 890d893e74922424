"""Gateways that go: killed, and told to stop."""

import signal

from tests.faults.scenarios.drained import FAULTS, drain_one
from tests.faults.scenarios.positions import judge_good_cursors
from tests.faults.stage import Scenario, Stage
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic
from tests.support.processes import Process

KILLED = "gateways killed"
SOCKETS_LOST = "sockets lost with them"


async def kill_gateways(stage: Stage) -> None:
    """One of two gateways is killed in mid-traffic, again and again: its tabs go to the other, and
    a new one is started."""
    stage.row.expect(KILLED, SOCKETS_LOST)
    await stage.start()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=3, long=12)):
            await traffic.after_events(stage.random.randint(50, 200))
            dying = await _one_with_tabs(stage, traffic)
            theirs = tabs_on(dying, traffic)
            await dying.kill()
            assert dying.process.returncode == -signal.SIGKILL
            stage.row.happened(KILLED)
            stage.row.happened(SOCKETS_LOST, len(theirs))
            await traffic.until(
                lambda gone=dying, tabs=theirs: all(
                    tab.is_up_to_date and tab.url != gone.url for tab in tabs
                ),
                "the tabs of the killed gateway are up to date elsewhere",
            )
            await stage.deployment.start_gateway()
    judge_good_cursors(stage.row, traffic.tabs)


async def drain_gateways(stage: Stage) -> None:
    """One of two gateways is told to stop in mid-traffic, with a client that never reads among its
    tabs; a new one is started."""
    stage.row.expect(*FAULTS)
    drain_seconds = stage.times(short=3, long=6)
    stage.deployment.environment["DRAIN_SECONDS"] = str(drain_seconds)
    await stage.start()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=1, long=2)):
            await traffic.after_events(stage.random.randint(50, 200))
            going = await _one_with_tabs(stage, traffic)
            await drain_one(stage, traffic, going, tabs_on(going, traffic), drain_seconds)
            await stage.deployment.start_gateway()
    judge_good_cursors(stage.row, traffic.tabs)


def tabs_on(gateway: Process, traffic: Traffic) -> list[Tab]:
    """The tabs that have a socket there."""
    return [tab for tab in traffic.tabs if tab.is_open and tab.url == gateway.url]


async def _one_with_tabs(stage: Stage, traffic: Traffic) -> Process:
    def found() -> list[Process]:
        return [gateway for gateway in stage.gateways if tabs_on(gateway, traffic)]

    await traffic.until(found, "a gateway has tabs")
    return stage.random.choice(found())


SCENARIOS = (
    Scenario("gateway killed", kill_gateways),
    Scenario("gateway drained", drain_gateways),
)
