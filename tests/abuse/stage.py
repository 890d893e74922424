"""The stage: two gateways, a worker and a Redis, people who stand by, and one attack after another.

Where there are two cores, the attacked gateway has one for itself; all the others share the second,
on which the attacker comes last.
"""

import asyncio
import os
import tempfile
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.abuse.bystanders import Crowd, Seen
from tests.abuse.row import Lag, Row
from tests.abuse.scenarios import Scenario
from tests.abuse.talking import Talking, talking
from tests.abuse.target import Target
from tests.abuse.watching import (
    connections,
    counters,
    kept_among,
    keys_of,
    memory_of,
    open_files,
    resident_bytes,
)
from tests.support.deployment import Deployment, deploy
from tests.support.eventually import eventually
from tests.support.processes import Process
from tests.support.stub_model import stub_model

SECRET = "a secret of the abuse suite, of fifty bytes or so"
VICTIM = "bystander-0"
SESSION_TTL = 60
SETTLE_SECONDS = 30.0
SESSIONS, TABS, PER_SECOND = 5, 2, 20
SETTINGS = {
    "AUTH_MODE": "jwt",
    "AUTH_SECRET": SECRET,
    "ALLOWED_ORIGINS": "https://app.example",
    "TRUSTED_PROXIES": "127.0.0.1",
    "MAX_TABS": "1000",
    "MAX_SESSION_TABS": "20",
    "MAX_ADDRESS_TABS": "100",
    "MAX_MESSAGES_PER_MINUTE": "60",
    "MAX_ADDRESS_MESSAGES_PER_MINUTE": "300",
    "MAX_ADDRESS_REQUESTS_PER_MINUTE": "300",
    "SESSION_TTL": str(SESSION_TTL),
    "MAX_INBOX": "20",
}
"""As in production, with small numbers; the keys of a session that was made live a minute."""
REST_SECONDS = {True: 3.0, False: 0.3}
"""Between two attacks, in the long run and the short one."""
LEAST_SECONDS = 0.15
"""In which a bystander is certainly given something."""
SHORT = {
    "REQUEST_SECONDS": "1",
    "LINGER_SECONDS": "0.1",
    "MAX_TABS": "400",
    "MAX_ADDRESS_WAITING": "50",
}
LONG = {"REQUEST_SECONDS": "5"}


class Stage:
    """What runs."""

    def __init__(
        self,
        deployment: Deployment,
        gateway: Process,
        metrics_port: int,
        bystanders: Talking,
        attacker: Talking,
        target: Target,
        *,
        is_long: bool,
    ) -> None:
        self._deployment = deployment
        self._gateway = gateway
        self._metrics_port = metrics_port
        self._bystanders = bystanders
        self._attacker = attacker
        self._target = target
        self._is_long = is_long
        self.resting = Lag.of([])
        """How events came when the bystanders were last alone."""
        self._blamed: set[str] = set()
        self._first_keys: set[str] = set()

    async def begin(self, seconds: float) -> None:
        """Let the bystanders settle."""
        await self.rest(seconds)
        self._first_keys = await keys_of(self._deployment)

    async def rest(self, seconds: float = 0.0) -> Seen:
        """Let the bystanders be alone for a while; what they saw meanwhile."""
        await self._look(come=False)
        await asyncio.sleep(seconds or REST_SECONDS[self._is_long])
        seen = await self._look(come=False)
        self.resting = Lag.of(seen.lags_us)
        return seen

    async def run(self, scenario: Scenario) -> Row:
        """One scenario. The rest before it was the one after the last."""
        row, pid = Row(scenario.name, before=self.resting), self._gateway.process.pid
        try:
            keys = await keys_of(self._deployment)
            told = await counters(self._metrics_port)
            before, files = resident_bytes(pid), open_files(pid)
            row.log_bytes = -self._gateway.log_file.stat().st_size
            async with memory_of(pid) as memory:
                await self._suffer(scenario, row)
                await self._settle(told["tabs"])
            await self._recover(row)
            row.memory = before, memory.most, resident_bytes(pid)
            row.files = files, open_files(pid)
            row.log_bytes += self._gateway.log_file.stat().st_size
            now = await counters(self._metrics_port)
            row.counted = {name: value - told.get(name, 0) for name, value in now.items()}
            new = await keys_of(self._deployment) - keys
            kept = await kept_among(self._deployment, new)
            row.kept_keys, row.expiring_keys = len(kept), len(new) - len(kept)
        except Exception as error:
            row.problems.append(f"{type(error).__name__}: {str(error)[:2000]}")
        row.problems += self._blame()
        return row

    async def all_keys_expire(self) -> int:
        """Wait until no key is left but those that were there at first; how many there were."""
        keys = await keys_of(self._deployment) - self._first_keys
        await eventually(lambda: self._are_gone(keys), "every key has expired", SESSION_TTL + 30)
        return len(keys)

    async def _are_gone(self, keys: set[str]) -> bool:
        return not keys & await keys_of(self._deployment)

    async def _suffer(self, scenario: Scenario, row: Row) -> None:
        await self._look(come=True)
        began = time.monotonic()
        order = {
            "attack": scenario.attack,
            "times": scenario.times_of(self._is_long),
            "target": asdict(self._target),
        }
        row.answers = Counter(await self._attacker.ask(order))
        await asyncio.sleep(LEAST_SECONDS)
        row.seconds = time.monotonic() - began
        seen = await self._look(come=False)
        row.during, row.newcomers = Lag.of(seen.lags_us), Counter(seen.newcomers)
        row.lost, row.out_of_order = seen.lost, seen.out_of_order

    async def _recover(self, row: Row) -> None:
        seen = await self.rest()
        row.after = self.resting
        row.lost += seen.lost
        row.out_of_order += seen.out_of_order

    async def _settle(self, tabs: float) -> None:
        """Wait until the gateway has nobody's connections but the bystanders'."""

        async def is_quiet() -> bool:
            now = await counters(self._metrics_port)
            return now["tabs"] <= tabs and connections(self._gateway.port) <= tabs

        await eventually(is_quiet, "the attacker's connections are gone", SETTLE_SECONDS)

    async def _look(self, *, come: bool) -> Seen:
        return Seen(**await self._bystanders.ask({"come": come}))

    def _blame(self) -> list[str]:
        """Processes that have ended by themselves, and new lines of errors in any log."""
        found: list[str] = []
        for process in self._deployment.processes:
            if process.has_ended:
                found.append(f"{process.log_file.name}: the process has ended")
            for line in process.log().splitlines():
                is_bad = " ERROR " in line or " CRITICAL " in line or "Traceback" in line
                if is_bad and line not in self._blamed:
                    self._blamed.add(line)
                    if "Fatal" in line:
                        print(process.log()[-6000:])
                    found.append(f"{process.log_file.name}: {line[:200]}")
        return found


@asynccontextmanager
async def staged(seed: str, *, is_long: bool) -> AsyncGenerator[Stage, None]:
    """The stage, with bystanders that have settled."""
    with tempfile.TemporaryDirectory(prefix="fanline-abuse-") as name:
        redis = EmbeddedRedis(Path(name) / "redis", options=["--maxclients", "20000"])
        redis.start()
        try:
            settings = SETTINGS | (LONG if is_long else SHORT)
            async with (
                stub_model() as stub,
                deploy(redis, Path(name), **stub.environment(), **settings) as deployment,
            ):
                port = free_port()
                gateway = await deployment.start_gateway(metrics_port=port)
                await asyncio.gather(deployment.start_gateway(), deployment.start_worker())
                _give_a_core_to(gateway)
                target = Target(
                    gateway.port, SECRET, VICTIM, seed, float(settings["REQUEST_SECONDS"])
                )
                async with (
                    talking("tests.abuse.bystanders") as bystanders,
                    talking("tests.abuse.attacker") as attacker,
                ):
                    await bystanders.ask(asdict(_crowd(target, redis, deployment)))
                    stage = Stage(
                        deployment, gateway, port, bystanders, attacker, target, is_long=is_long
                    )
                    await stage.begin(10 if is_long else 1)
                    yield stage
        finally:
            redis.stop()


def _crowd(target: Target, redis: EmbeddedRedis, deployment: Deployment) -> Crowd:
    return Crowd(
        target=asdict(target),
        redis_url=redis.url,
        namespace=deployment.namespace,
        session_ttl=SESSION_TTL,
        sessions=SESSIONS,
        tabs=TABS,
        per_second=PER_SECOND,
    )


def _give_a_core_to(gateway: Process) -> None:
    """The attacked gateway has one core; the bystanders, and the attacker behind them, another."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(gateway.process.pid, cores[:1])
