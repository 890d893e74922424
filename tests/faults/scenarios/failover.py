"""Redis under Sentinel: the primary dies or steps back, and a replica takes over, with all that it
had or with less."""

import asyncio
from collections.abc import Awaitable, Callable

from dev.embedded_redis import EmbeddedRedis
from tests.faults.append_only import ends_written
from tests.faults.outage import (
    RESET,
    TOLD,
    Outage,
    allow_forgetting,
    check_nobody_ended,
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
LAG_FAILOVER_MS = 60_000
"""Longer than the row: until then Sentinel leaves the replica's odd way to its primary alone."""


async def kill_primary(stage: Stage) -> None:
    """The primary is killed while turns run, and comes back as a replica."""
    stage.row.expect(DIED)

    async def kill(old: EmbeddedRedis, new: EmbeddedRedis, _: Sentinels) -> None:
        await asyncio.to_thread(old.kill)
        stage.row.happened(DIED)
        old.options = replica_of(new.port)

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
    stage.row.expect(TOLD, RESET)
    old, new = stage.redis, await _start_pair(stage)
    sentinels = await _start_sentinels(stage, old, new, count=stage.times(short=1, long=3))
    await stage.start()
    safe = set[str]()
    async with stage.traffic() as traffic:
        for _ in range(stage.times(short=1, long=2)):
            await traffic.until(lambda new=new: is_in_step(new), "there is a replica in step")
            await traffic.after_events(stage.random.randint(100, 400))
            outage = Outage(stage, traffic)
            await depose(old, new, sentinels)
            await _until_taken_over(traffic, outage, sentinels, new, safe)
            # What was heard of until here is in the copy that the other is given now.
            safe = ended(traffic)
            if old.process is None:
                await asyncio.to_thread(old.start)
            old, new = new, old
    stage.deployment.redis_url = old.url
    check_nobody_ended(stage)


async def fail_over_to_lagging_replica(stage: Stage) -> None:
    """The replica has heard nothing for a while when the primary dies: what was written meanwhile,
    and told to tabs, is forgotten."""
    stage.row.expect(DIED, LAGGED, FORGOTTEN, TOLD, RESET)
    proxy = await stage.outlasting.enter_async_context(proxy_before(stage.redis.port))
    second = await _start_pair(stage, way=proxy.port)
    sentinels = await _start_sentinels(stage, stage.redis, second, failover_ms=LAG_FAILOVER_MS)
    await stage.start()
    async with stage.traffic() as traffic:
        await traffic.after_events(stage.random.randint(100, 400))
        proxy.swallow(True)
        old = {answer.message_id for session in traffic.sessions for answer in session.answers}
        await traffic.until(
            lambda: len(ended(traffic) - old) >= stage.times(LEAST_FORGOTTEN, 4 * LEAST_FORGOTTEN),
            "messages are answered that the replica has not heard of",
        )
        had, has = _offset(stage.redis), _offset(second)
        outage = Outage(stage, traffic)
        await asyncio.to_thread(stage.redis.kill)
        stage.row.happened(DIED)
        stage.row.happened(LAGGED, int(has < had))
        gone = await _until_taken_over(traffic, outage, sentinels, second, safe=set())
        stage.row.happened(FORGOTTEN, gone)
        stage.row.notes.append(f"the replica lacked {had - has} bytes")
    stage.deployment.redis_url = second.url
    check_nobody_ended(stage)


async def _until_taken_over(
    traffic: Traffic, outage: Outage, sentinels: Sentinels, new: EmbeddedRedis, safe: set[str]
) -> int:
    """Wait until the new primary serves every tab. What it lacks may be forgotten: all that had
    ended, but for what is `safe` or in its file. Returns how many turns nobody shows any more."""
    await outage.until_told()
    await asyncio.to_thread(sentinels.until_primary_is, new)
    known = safe | await asyncio.to_thread(ends_written, new.folder / "appendonlydir")
    forgotten = ended(traffic) - known
    allow_forgetting(traffic, forgotten)
    await outage.until_over()
    gone = count_forgotten(traffic, forgotten)
    await outage.until_reset()
    return gone


async def _start_pair(stage: Stage, way: int = 0) -> EmbeddedRedis:
    """Start the stage's server anew, as one that has replicas, and one that follows it, by another
    way if one is given."""
    await asyncio.to_thread(stage.redis.kill)
    stage.redis.options = list(OPTIONS)
    await asyncio.to_thread(stage.redis.start)
    second = EmbeddedRedis(
        stage.folder / "second", append_only=True, options=replica_of(way or stage.redis.port)
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
