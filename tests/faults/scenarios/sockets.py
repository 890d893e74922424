"""Sockets that break: cut at any moment and resumed elsewhere, with a good cursor or a bad one."""

from tests.faults.stage import Scenario, Stage

CUT = "sockets cut"
RESUMED_ELSEWHERE = "resumed on another gateway"


async def cut_sockets(stage: Stage) -> None:
    """Sockets are cut in mid-traffic and opened again at once on the other gateway, often before
    the first one has noticed."""
    stage.row.expect(CUT)
    await stage.start()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=20, long=150)):
            await traffic.after_events(stage.random.randint(5, 60))
            stage.row.happened(CUT, stage.random.choice(traffic.tabs).cut())


SCENARIOS = (Scenario("sockets cut, resumed elsewhere", cut_sockets),)
