"""Workers that die, freeze or are told to stop in the middle of a turn."""

import asyncio
from dataclasses import dataclass

from tests.faults.scenarios.crew import (
    Crew,
    a_crew,
    hasty,
    open_session,
    until_all_are_there,
    until_open,
    worker_named,
)
from tests.faults.scenarios.killing_turn import poison
from tests.faults.scenarios.phases import PHASES, Held, Phases, SlowFhirServer
from tests.faults.scenarios.redis_phases import REDIS_PHASES, RedisPhases
from tests.faults.scenarios.script_proxy import Fault, Trap
from tests.faults.scenarios.told import count_refusals, starts_of
from tests.faults.stage import Scenario, Stage
from tests.faults.traffic import Traffic
from tests.support.processes import STOP_SECONDS
from tests.support.stub_model import Reply

FROZEN = "workers frozen longer than their lease"
REFUSED = "late writes refused"
NOTICED = "woken workers that noticed"
SERVED = "woken workers that served again"
STOPPED = "workers told to stop in mid-turn"
HANDED_BACK = "turns handed back and begun again"
ALWAYS = "with its first piece on the way"
AT_ONCE = 10
"""Turns that are held at Redis before their workers are killed: so many come to it in time."""
MOST_MISSED = 2
"""Kills that come too late for a phase: whoever waits for Redis asks again after two seconds."""


async def kill_in_every_phase(stage: Stage) -> None:
    """Turns are held in every phase, each in a session of its own; then their workers are killed,
    and others take their place."""
    named = _name_phases(stage)
    stage.row.expect(*(f"killed {phase}" for phase in named))
    async with a_crew(stage) as (crew, fhir), stage.traffic() as traffic:
        phases = Phases(traffic, traffic.random, fhir)
        at_redis = RedisPhases(traffic, crew.traps)
        for _ in range(-(-len(named) // AT_ONCE) + MOST_MISSED):
            due = [phase for phase in named if not stage.row.faults[f"killed {phase}"]]
            first = [phase for phase in due if phase in PHASES]
            then = [phase for phase in due if phase in REDIS_PHASES][:AT_ONCE]
            sessions = [open_session(stage, traffic) for _ in (*first, *then)]
            await until_open(traffic, sessions)
            helds = phases.hold(first, sessions[: len(first)])
            await until_all_are_there(traffic, helds)
            helds += await at_redis.hold(then, sessions[len(first) :])
            if helds:
                await _kill_and_replace(stage, traffic, crew, helds)


def _name_phases(stage: Stage) -> list[str]:
    """All in the long run; in the short one the seed deals some of them out."""
    if stage.is_long:
        return [*PHASES, *REDIS_PHASES]
    chosen = {ALWAYS, *stage.random.sample(PHASES, 3), *stage.random.sample(REDIS_PHASES, 8)}
    return [phase for phase in (*PHASES, *REDIS_PHASES) if phase in chosen]


@dataclass(frozen=True)
class _Following:
    """The start that shows that somebody has taken a session over."""

    held: Held
    turn_id: str
    starts_before: int
    killed_worker: str

    @classmethod
    def of(cls, held: Held, traffic: Traffic, killed_worker: str) -> "_Following":
        if "turn_finished" not in held.told:
            return cls(held, held.turn_id, held.attempts, killed_worker)
        return cls(held, traffic.ask(held.session).message_id, 0, killed_worker)

    @property
    def has_come(self) -> bool:
        return len(starts_of(self.held.view, self.turn_id)) > self.starts_before

    @property
    def is_in_vain(self) -> bool:
        """Whether the turn has ended all the same: its worker was killed too late."""
        return self.held.view.has("turn_finished", self.turn_id)

    @property
    def is_by_another(self) -> bool:
        if not self.has_come:
            return False  # it was killed too late
        start = starts_of(self.held.view, self.turn_id)[self.starts_before]
        return not start["worker"].endswith(self.killed_worker)


async def _kill_and_replace(stage: Stage, traffic: Traffic, crew: Crew, helds: list[Held]) -> None:
    now = asyncio.get_running_loop().time
    workers = {held: crew.worker_of(held) for held in helds}
    in_phase = [held for held in helds if held.is_in_phase()]
    to_kill = {worker.process.pid: worker for worker in workers.values()}
    for worker in to_kill.values():
        await worker.kill()
    killed_at = now()
    for held in helds:
        if held.trap is None:
            held.let_go()
    replacing = [asyncio.create_task(crew.start_worker()) for _ in to_kill]
    following = [_Following.of(held, traffic, f"-{workers[held].process.pid}") for held in helds]

    async def see(one: _Following) -> None:
        await traffic.until(lambda: one.has_come or one.is_in_vain, "the session is taken over")
        if one.has_come:
            stage.row.recoveries.append(now() - killed_at)
        # What it has told is what it had told: it died in that phase, and not after it.
        in_time = one.held in in_phase and one.held.is_in_phase() and one.is_by_another
        stage.row.happened(f"killed {one.held.phase}", in_time)
        if one.held.trap is not None:  # at once: whoever has taken over is in mid-turn
            # Killed too late, it has written the same by itself: then there is nothing to refuse.
            refusals = one.held.refusals if in_time else (b"",)
            await _deliver_what_is_late(stage, one.held.trap, refusals)

    await asyncio.gather(*replacing, *(see(one) for one in following))


async def _deliver_what_is_late(
    stage: Stage, trap: Trap, refusals: tuple[bytes, ...] = (b"fenced",)
) -> None:
    """A call that Redis was not given arrives, when another worker has taken over."""
    if trap.fault is not Fault.HELD:
        return
    trap.let_go.set()
    await asyncio.wait_for(trap.done.wait(), 5)
    if not any(word in trap.reply for word in refusals):
        stage.row.problems.append(f"the late {trap.script} was told {trap.reply!r}")


async def freeze(stage: Stage) -> None:
    """A worker stands still in mid-text, with a write on its way; another takes its turn over; then
    the write arrives and the worker wakes."""
    stage.row.expect(FROZEN, REFUSED, NOTICED, SERVED)
    async with a_crew(stage) as (crew, fhir), stage.traffic() as traffic:
        phases = Phases(traffic, traffic.random, fhir)
        session = open_session(stage, traffic)
        for _ in range(stage.times(short=1, long=2)):
            held = phases.in_mid_text(session)
            await until_all_are_there(traffic, [held])
            await _freeze_and_wake(stage, traffic, crew, held)


async def _freeze_and_wake(stage: Stage, traffic: Traffic, crew: Crew, held: Held) -> None:
    now = asyncio.get_running_loop().time
    worker = crew.worker_of(held)
    name = held.worker()
    (reply,) = held.answer.replies
    write = Trap(Fault.HELD, "append", (held.turn_id,))
    crew.traps.append(write)
    hold_again(reply)
    await traffic.until(write.sprung.is_set, "the next piece is being written")
    worker.freeze()
    frozen_at = now()
    await traffic.until(lambda: len(starts_of(held.view, held.turn_id)) == 2, "the takeover")
    stage.row.recoveries.append(now() - frozen_at)
    stage.row.happened(FROZEN)
    await traffic.until(reply.reached_hold.is_set, "the second attempt is in mid-text")
    await _deliver_what_is_late(stage, write)
    stage.row.happened(REFUSED, b"fenced" in write.reply)
    served = _count_starts_by(traffic, name)
    worker.thaw()
    patience = 5 if stage.sabotage else 30
    await traffic.until(
        lambda: count_refusals(worker, held.session.session_id),
        "the woken worker notices",
        patience,
    )
    stage.row.happened(NOTICED)
    reply.release()
    await traffic.until(lambda: _count_starts_by(traffic, name) > served, "it serves again")
    stage.row.happened(SERVED)


def hold_again(reply: Reply) -> None:
    """Let go whoever waits here now, and hold whoever comes next."""
    reply.release()
    reply.released.clear()
    reply.reached_hold.clear()


def _count_starts_by(traffic: Traffic, worker: str) -> int:
    return sum(
        event["type"] == "turn_started" and event["worker"] == worker
        for session in traffic.sessions
        for event in session.tabs[0].view.events
    )


async def stop(stage: Stage) -> None:
    """A worker is told to stop in mid-turn, where one lost attempt would be one too many."""
    stage.row.expect(STOPPED, HANDED_BACK)
    settings = hasty(stage) | {"max_attempts": 1, "drain_seconds": 0.2}
    await stage.start(gateways=2, workers=0)
    await asyncio.gather(*(stage.deployment.start_worker(**settings) for _ in range(2)))
    async with stage.traffic() as traffic:
        phases = Phases(traffic, traffic.random, SlowFhirServer())
        session = open_session(stage, traffic)
        for _ in range(stage.times(short=2, long=5)):
            held = phases.in_mid_text(session)
            await until_all_are_there(traffic, [held])
            await stage.deployment.start_worker(**settings)
            worker = worker_named(stage.workers, held.worker())
            now = asyncio.get_running_loop().time
            told_at = now()
            worker.terminate()
            await traffic.until(
                lambda held=held: len(starts_of(held.view, held.turn_id)) == 2, "the next attempt"
            )
            stage.row.recoveries.append(now() - told_at)
            stage.row.happened(HANDED_BACK, starts_of(held.view, held.turn_id)[1]["attempt"] == 2)
            held.let_go()
            async with asyncio.timeout(STOP_SECONDS):
                stage.row.happened(STOPPED, await worker.process.wait() == 0)


SCENARIOS = (
    Scenario(
        "worker killed in every phase", kill_in_every_phase, frozenset({"fence"}), stays_live=True
    ),
    Scenario("worker frozen longer than its lease", freeze, frozenset({"fence"})),
    Scenario("a turn that kills every worker", poison, is_short=False),
    Scenario("worker told to stop", stop, is_short=False, stays_live=True),
)
