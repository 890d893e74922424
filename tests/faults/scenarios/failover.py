"""Redis under Sentinel: the primary dies or steps back, and a replica takes over, with all that it
had or with less."""

import asyncio
from collections.abc import Awaitable, Callable

from dev.embedded_redis import EmbeddedRedis
from tests.faults.append_only import READABLE, ends_written
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
from tests.faults.traffic import Traffic
from tests.support.proxy import proxy_before
from tests.support.sentinels import (
    OPTIONS,
    Sentinels,
    is_in_step,
    replica_of,
    replication_of,
    under_sentinels,
)

DIED = "primaries killed"
STEPPED_BACK = "primaries told to step back"
LAGGED = "replicas promoted that lagged"
FORGOTTEN = "messages that the new primary does not know"
LEAST_FORGOTTEN = 5
LEAST_ENDED = 5
LAG_FAILOVER_MS = 60_000
"""Longer than the row: until then Sentinel leaves the replica's odd way to its primary alone."""


async def kill_primary(stage: Stage) -> None:
    """The primary is killed while turns run, and comes back as a replica."""
    stage.row.expect(DIED)

    async def kill(old: EmbeddedRedis, new: EmbeddedRedis, _: Sentinels) -> None:
        await asyncio.to_thread(old.kill)
        stage.row.happened(DIED)
        old.options = [*READABLE, *replica_of(new.port)]

    await _fail_over(stage, kill)


async def step_back(stage: Stage) -> None:
    """Sentinel is asked to put the replica in the primary's place while turns run; the old primary
    believes for seconds more that it is one."""
    stage.row.expect(STEPPED_BACK)

    async def ask(old: EmbeddedRedis, new: EmbeddedRedis, sentinels: Sentinels) -> None:
        await asyncio.to_thread(sentinels.fail_over)
        stage.row.happened(STEPPED_BACK)

    await _fail_over(stage, ask)


async def _fail_over(
    stage: Stage, depose: Callable[[EmbeddedRedis, EmbeddedRedis, Sentinels], Awaitable[None]]
) -> None:
    stage.row.expect(SAID, TOLD, RESET)
    old, new = stage.redis, await _start_pair(stage)
    sentinels = await _start_sentinels(stage, old, new, count=stage.times(short=1, long=3))
    await stage.start()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=1, long=2)):
            await traffic.until(lambda new=new: is_in_step(new), "there is a replica in step")
            await traffic.after_events(stage.random.randint(100, 400))
            takeover = _Takeover(stage, traffic, sentinels, new)
            await takeover.until_replica_has_what_was_told(old)
            await depose(old, new, sentinels)
            await takeover.until_over()
            if old.process is None:
                await asyncio.to_thread(old.start)
            old, new = new, old
    stage.deployment.redis_url = old.url


async def fail_over_to_lagging_replica(stage: Stage) -> None:
    """The replica has heard nothing for a while when the primary dies: what was written meanwhile,
    and told to tabs, is forgotten."""
    stage.row.expect(DIED, LAGGED, FORGOTTEN, SAID, TOLD, RESET)
    proxy = await stage.outlasting.enter_async_context(proxy_before(stage.redis.port))
    second = await _start_pair(stage, way=proxy.port)
    sentinels = await _start_sentinels(stage, stage.redis, second, failover_ms=LAG_FAILOVER_MS)
    await stage.start()
    async with stage.traffic() as traffic:
        await traffic.after_events(stage.random.randint(100, 400))
        takeover = _Takeover(stage, traffic, sentinels, second)
        await takeover.until_replica_has_what_was_told(stage.redis)
        proxy.swallow(True)
        old = {answer.message_id for session in traffic.sessions for answer in session.answers}
        await traffic.until(
            lambda: len(ended(traffic) - old) >= stage.times(LEAST_FORGOTTEN, 4 * LEAST_FORGOTTEN),
            "messages are answered that the replica has not heard of",
        )
        had, has = _offset(stage.redis), _offset(second)
        await asyncio.to_thread(stage.redis.kill)
        stage.row.happened(DIED)
        stage.row.happened(LAGGED, int(has < had))
        stage.row.happened(FORGOTTEN, await takeover.until_over())
        stage.row.notes.append(f"the replica lacked {had - has} bytes")
    stage.deployment.redis_url = second.url


class _Takeover:
    """One failover as the tabs live through it, and what may be forgotten by it."""

    def __init__(
        self, stage: Stage, traffic: Traffic, sentinels: Sentinels, new: EmbeddedRedis
    ) -> None:
        self._stage = stage
        self._traffic = traffic
        self._sentinels = sentinels
        self._new = new
        self._outage = Outage(stage, traffic)
        self._meanwhile = Meanwhile(stage, traffic)
        self._safe = set[str]()

    async def until_replica_has_what_was_told(self, old: EmbeddedRedis) -> None:
        """Wait until turns have ended and the replica has followed the primary: nothing that has
        ended for the tabs until now may be forgotten. In every session a tab speaks when it is told
        of the outage."""
        await self._traffic.until(
            lambda: len(ended(self._traffic)) >= LEAST_ENDED, "turns have ended"
        )
        told, place = ended(self._traffic), _offset(old)
        await self._traffic.until(lambda: _offset(self._new) >= place, "the replica has followed")
        self._safe = told
        self._meanwhile.say_when_told()

    async def until_over(self) -> int:
        """Wait until the new primary serves every tab. What had ended and is neither safe nor in
        the new primary's files may be forgotten. Returns how many turns nobody shows any more."""
        await self._outage.until_told()
        await asyncio.to_thread(self._sentinels.until_primary_is, self._new)
        self._meanwhile.redis_is_back()
        written = await asyncio.to_thread(ends_written, self._new.folder / "appendonlydir")
        if lacking := self._safe - written:
            self._stage.row.problems.append(f"the replica lacks {len(lacking)} ends that it had")
        newer = ended(self._traffic) - self._safe
        forgotten = newer - written
        allow_forgetting(self._traffic, forgotten)
        await self._meanwhile.until_refused_or_shown()
        await self._outage.until_over()
        gone = count_forgotten(self._traffic, forgotten)
        self._stage.row.notes.append(
            f"{len(self._safe)} turns had ended when the replica was level, {len(newer)} after"
            f" that; {len(forgotten)} might be forgotten, {gone} were"
        )
        await self._outage.until_reset()
        return gone


async def _start_pair(stage: Stage, way: int = 0) -> EmbeddedRedis:
    """Start the stage's server anew, as one that has replicas, and one that follows it, by another
    way if one is given."""
    await asyncio.to_thread(stage.redis.kill)
    stage.redis.options = [*READABLE, *OPTIONS]
    await asyncio.to_thread(stage.redis.start)
    second = EmbeddedRedis(
        stage.folder / "second",
        append_only=True,
        options=[*READABLE, *replica_of(way or stage.redis.port)],
    )
    await asyncio.to_thread(second.start)
    stage.outlasting.callback(second.stop)
    return second


async def _start_sentinels(
    stage: Stage, primary: EmbeddedRedis, replica: EmbeddedRedis, *, count: int = 1,
    failover_ms: int = 2000,
) -> Sentinels:  # fmt: skip
    """Start them; every process from here on finds Redis by them."""
    sentinels = under_sentinels(
        stage.folder, primary, replica, count=count, failover_ms=failover_ms
    )
    found = await asyncio.to_thread(sentinels.__enter__)
    stage.outlasting.push(sentinels.__exit__)
    stage.deployment.redis_url = found.url
    return found


def _offset(server: EmbeddedRedis) -> int:
    """How much of the primary's stream of changes the server has."""
    state = replication_of(server)
    return int(state["slave_repl_offset" if state["role"] == "slave" else "master_repl_offset"])


SCENARIOS = (
    Scenario("failover under Sentinel, primary killed", kill_primary),
    Scenario("failover under Sentinel, primary steps back", step_back, is_short=False),
    Scenario("failover to a lagging replica", fail_over_to_lagging_replica, is_short=False),
)
