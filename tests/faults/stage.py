"""What a scenario is given: real processes around a server of its own, and live traffic on them."""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

import httpx2 as httpx

from dev.embedded_redis import EmbeddedRedis
from tests.faults.row import Row
from tests.faults.traffic import SABOTAGED_SECONDS, Traffic
from tests.faults.view import Breach
from tests.support.deployment import Deployment, deploy
from tests.support.front_proxy import front_proxy
from tests.support.processes import Process
from tests.support.stub_model import StubModel, stub_model

SESSIONS = 20
TABS_PER_SESSION = 3
SCENARIO_SECONDS = 150.0
HASTE = {"LEASE_SECONDS": "2", "HEADS_SECONDS": "1", "LINGER_SECONDS": "0.1"}
"""Settings of the short run; the long one has the defaults."""

BEHIND_PROXY = ", behind nginx"
NOBODY_THERE = "ws://127.0.0.1:9"
"""Where a try to connect fails, as it would for a person."""

RunScenario = Callable[["Stage"], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """One row of the table."""

    name: str
    run: RunScenario
    guarded_by: frozenset[str] = frozenset()
    """The safeguards without which this row must be red (`tests/faults/sabotage.py`)."""
    is_short: bool = True
    """Whether it belongs to the short run."""
    stays_live: bool = False
    """Whether nothing takes a tab off the live tail: then every position must be given."""


@dataclass
class Stage:
    """One run of one scenario."""

    row: Row
    random: Random
    is_long: bool
    folder: Path
    redis: EmbeddedRedis
    deployment: Deployment
    stub: StubModel
    sabotage: str
    """The safeguard that is switched off; empty: none."""
    stack: AsyncExitStack
    """Closed after the scenario, before the processes are looked at."""
    outlasting: AsyncExitStack
    """Closed when every process has ended: for other servers that they talk to."""
    way_in: str
    """Where all sockets are opened, if not at the gateways themselves: see `Tab`."""

    @property
    def gateways(self) -> list[Process]:
        """The gateways that run, in the order in which they were started."""
        return [p for p in self.deployment.processes if p.port and not p.has_ended]

    @property
    def workers(self) -> list[Process]:
        """The workers that run."""
        return [p for p in self.deployment.processes if not p.port and not p.has_ended]

    def times(self, short: int, long: int) -> int:
        """How often something is done, by the length of the run."""
        return long if self.is_long else short

    async def start(self, gateways: int = 2, workers: int = 2) -> None:
        """Start so many, with the settings of this run."""
        await asyncio.gather(
            *(self.deployment.start_gateway() for _ in range(gateways)),
            *(self.deployment.start_worker() for _ in range(workers)),
        )

    def any_gateway(self, first: int) -> Callable[[int], str]:
        """Where a tab's sockets are opened: the first on the gateway of this number, each further
        one on the next that runs."""

        def pick(number: int) -> str:
            running = self.gateways
            if not running:
                return NOBODY_THERE
            return running[(first + number) % len(running)].url

        return pick

    @asynccontextmanager
    async def traffic(
        self,
        sessions: int = SESSIONS,
        tabs: int = TABS_PER_SESSION,
        *,
        talking: bool = True,
        pace: float = 0.02,
        pick: Callable[[int], Callable[[int], str]] | None = None,
    ) -> AsyncGenerator[Traffic, None]:
        """So many sessions with so many tabs each, spread over the gateways (or where `pick` sends
        the tab of a number), that talk while the block runs. After it everybody finishes, and what
        the tabs have is judged."""
        traffic = Traffic(self.row, self.stub, self.random, self.way_in)
        traffic.pace = pace
        if self.sabotage:
            traffic.settle_seconds = SABOTAGED_SECONDS
        pick = pick or self.any_gateway
        try:
            for _ in range(sessions):
                traffic.open_session([pick(number) for number in range(tabs)])
            await traffic.until_up_to_date()
            if talking:
                traffic.start_talking()
            yield traffic
            await traffic.settle()
        finally:
            traffic.judge()
            await traffic.close()


async def run_scenario(
    scenario: Scenario,
    *,
    seed: str,
    is_long: bool = False,
    sabotage: str = "",
    behind_proxy: bool = False,
) -> Row:
    """Run it, and return its row, red or not. The same `seed` makes the same choices again; which
    gateway a tab comes to `behind_proxy`, nginx chooses."""
    row = Row(scenario.name + (BEHIND_PROXY if behind_proxy else ""))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fanline-faults-") as name:
        folder = Path(name)
        redis = EmbeddedRedis(folder / "redis", append_only=True)
        redis.start()
        try:
            async with (
                AsyncExitStack() as outlasting,
                stub_model() as stub,
                deploy(redis, folder, **stub.environment(), **({} if is_long else HASTE)) as own,
            ):
                if sabotage:
                    own.before = f"tests.faults.sabotage:without_{sabotage}"
                async with AsyncExitStack() as stack:
                    way_in = ""
                    if behind_proxy:
                        way_in = (await stack.enter_async_context(front_proxy(own))).url
                    random = Random(f"{seed}/{scenario.name}")
                    stage = Stage(
                        row,
                        random,
                        is_long,
                        folder,
                        redis,
                        own,
                        stub,
                        sabotage,
                        stack,
                        outlasting,
                        way_in,
                    )
                    async with asyncio.timeout(SCENARIO_SECONDS):
                        await scenario.run(stage)
                if not sabotage:
                    await _check_end(scenario, stage)
        except Exception as error:
            row.problems.append(f"{type(error).__name__}: {str(error)[:2000]}")
        finally:
            redis.stop()
    row.seconds = time.monotonic() - began
    return row


async def _check_end(scenario: Scenario, stage: Stage) -> None:
    """Nothing is left behind, nobody has ended by himself, and who kept up was given everything."""
    row = stage.row
    for process in stage.deployment.processes:
        if process.has_ended and not process.was_told_to_end:
            row.problems.append(f"a process has ended by itself:\n{process.log()[-2000:]}")
    if scenario.stays_live and row.holes and not await _gaps(stage):
        row.breaches.append(
            Breach("lost", f"{row.holes} positions were never given, and no gap seen")
        )
    await stage.deployment.check_nothing_is_left()


async def _gaps(stage: Stage) -> int:
    """How often a gateway found a text or a head that was not the next (heads may be compared while
    a text is on its way): it reads then, and may merge."""
    total = 0.0
    async with httpx.AsyncClient() as http:
        for gateway in stage.gateways:
            text = (await http.get(f"{gateway.http}/metrics")).text
            total += float(text.split("\nfanline_gaps_total ")[1].split("\n")[0])
    return int(total)
