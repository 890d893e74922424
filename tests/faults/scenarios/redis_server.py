"""The Redis server itself: restarted with what it wrote down, and frozen."""

import asyncio
import signal
from collections.abc import Awaitable, Callable

from tests.faults.append_only import READABLE, ends_written
from tests.faults.outage import (
    REFUSED,
    RESET,
    SAID,
    TOLD,
    Meanwhile,
    Outage,
    allow_forgetting,
    check_first_attempts,
    count_running,
    ended,
)
from tests.faults.scenarios import failover, redis_path, redis_snapshot
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Traffic

KILLED = "servers killed"
RUNNING = "turns running at a kill"
FROZEN = "servers frozen"


async def restart_in_idle(stage: Stage) -> None:
    """The server is killed while nobody talks, and comes back with its append-only file. Everything
    is there; the next turn says that this is another life of Redis."""
    stage.row.expect(KILLED, SAID, TOLD, RESET)
    await stage.start()
    async with stage.traffic(talking=False) as traffic:
        await _one_round(traffic)
        for _ in range(stage.times(short=2, long=3)):
            await _restart_once(stage, traffic, outage := Outage(stage, traffic))
            await _one_round(traffic)
            await outage.until_reset()
    check_first_attempts(stage, traffic)


def restart_in_mid_turn(policy: str) -> Callable[[Stage], Awaitable[None]]:
    """The scenario of a server that is killed while turns run, again and again, and that writes its
    append-only file by this `appendfsync` policy. The workers that ran the turns go on."""

    async def restart(stage: Stage) -> None:
        stage.row.expect(KILLED, RUNNING, SAID, TOLD, RESET)
        await asyncio.to_thread(stage.redis.kill)
        stage.redis.options = ["--appendfsync", policy, *READABLE]
        await asyncio.to_thread(stage.redis.start)
        await stage.start()
        async with stage.traffic() as traffic:
            for _ in range(stage.times(short=2, long=5)):
                await traffic.after_events(stage.random.randint(50, 400))
                outage = Outage(stage, traffic)
                stage.row.happened(RUNNING, count_running(traffic))
                await _restart_once(stage, traffic, outage)
                await outage.until_reset()
        if policy == "always":
            check_first_attempts(stage, traffic)

    return restart


def freeze_for(seconds: float) -> Callable[[Stage], Awaitable[None]]:
    """The scenario of a server that answers nobody for so long, its connections open."""

    async def freeze(stage: Stage) -> None:
        stage.row.expect(FROZEN, TOLD, SAID)
        if seconds > 10:
            stage.row.expect(REFUSED)
        await stage.start()
        async with stage.traffic() as traffic:
            for _ in range(1 if seconds > 10 else stage.times(short=1, long=2)):
                await traffic.after_events(stage.random.randint(50, 400))
                await _freeze_once(stage, traffic, seconds)
            await traffic.after_events(500)
        check_first_attempts(stage, traffic)

    return freeze


async def _freeze_once(stage: Stage, traffic: Traffic, seconds: float) -> None:
    outage, meanwhile = Outage(stage, traffic), Meanwhile(stage, traffic)
    server = stage.redis.process
    assert server is not None
    server.send_signal(signal.SIGSTOP)
    try:
        meanwhile.say()
        await asyncio.sleep(1)  # what was on its way has come
        before = stage.row.events
        await asyncio.sleep(seconds - 1)
        stage.row.happened(FROZEN, int(stage.row.events == before))
    finally:
        server.send_signal(signal.SIGCONT)
        meanwhile.redis_is_back()
    await meanwhile.until_refused_or_shown()
    await outage.until_over()


async def _one_round(traffic: Traffic) -> None:
    """Somebody says something in every session, and everybody sees its end."""
    for session in traffic.sessions:
        traffic.ask(session)
    await traffic.until(
        lambda: not any(session.unfinished for session in traffic.sessions), "a round is answered"
    )


async def _restart_once(stage: Stage, traffic: Traffic, outage: Outage) -> None:
    """What the file does not have is forgotten: with `appendfsync everysec` a write may be told
    before it is in the file, for as long as a slow disk holds the file up. What is said meanwhile
    is in no file; nobody can have accepted it, so nothing of it may be forgotten."""
    meanwhile = Meanwhile(stage, traffic)
    await asyncio.to_thread(stage.redis.kill)
    stage.row.happened(KILLED)
    await outage.until_told()  # nothing comes after that, so it is known who has heard what
    files = stage.redis.folder / "appendonlydir"
    forgotten = ended(traffic) - await asyncio.to_thread(ends_written, files)
    allow_forgetting(traffic, forgotten)
    meanwhile.say()
    await asyncio.sleep(stage.random.choice((0.0, 0.5)))
    await asyncio.to_thread(stage.redis.start)
    meanwhile.redis_is_back()
    if forgotten and "always" in stage.redis.options:
        stage.row.problems.append(f"{len(forgotten)} ends were told and not written down")
    elif forgotten:
        stage.row.notes.append(f"{len(forgotten)} ends were told and not written down")
    await meanwhile.until_refused_or_shown()
    await outage.until_over()


SCENARIOS = (
    Scenario("Redis restarted in idle", restart_in_idle, is_short=False),
    Scenario("Redis restarted in mid-turn", restart_in_mid_turn("always")),
    Scenario(
        "Redis restarted in mid-turn, AOF everysec",
        restart_in_mid_turn("everysec"),
        is_short=False,
    ),
    Scenario("Redis frozen for 3 s", freeze_for(3)),
    Scenario("Redis frozen for 30 s", freeze_for(30), is_short=False),
    *redis_snapshot.SCENARIOS,
    *failover.SCENARIOS,
    *redis_path.SCENARIOS,
)
