"""Calls of our scripts whose reply is lost or late, or that come twice or late: every script, every
fault, as a network or a client that asks again makes them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import product
from random import Random

import httpx2 as httpx

from tests.faults.scenarios.crew import open_session, until_open, worker_named
from tests.faults.scenarios.phases import answer_of, words
from tests.faults.scenarios.script_proxy import NAMES, Fault, ScriptProxy, Trap, script_proxy
from tests.faults.scenarios.told import starts_of
from tests.faults.stage import Stage
from tests.faults.traffic import SABOTAGED_SECONDS, Session, Traffic
from tests.support.stub_model import Reply

FAULTS = (
    Fault.REPLY_LOST,
    Fault.CUT,
    Fault.REPLY_LATE,
    Fault.TWICE,
    Fault.COPY_LATE,
    Fault.OVERTAKEN,
)
ONCE_MORE = (Fault.TWICE, Fault.COPY_LATE, Fault.OVERTAKEN)
UNANSWERED = (Fault.REPLY_LOST, Fault.CUT, Fault.REPLY_LATE)
CALL_SECONDS = 30.0
DONE_SECONDS = 3.0
BROUGHT_ABOUT = ("cancel", "delete", "hand_back", "renew")
"""Calls that do not come by themselves, or too seldom."""
LEASE_SECONDS = 1
"""Leases are renewed often, and soon taken over where nobody has one."""
DELETED_AND_ANSWERED_SECONDS = 1.0
"""By then the conversation after a deletion has its first answer."""


class Harm:
    """What is done to the calls of one script, on everybody's connections to Redis."""

    def __init__(
        self,
        stage: Stage,
        traffic: Traffic,
        proxy: ScriptProxy,
        handing_back: asyncio.Lock,
        script: str,
        faults: Sequence[Fault],
    ) -> None:
        self._stage = stage
        self._traffic = traffic
        self._proxy = proxy
        self._handing_back = handing_back
        self._script = script
        self._faults = faults
        self._random = Random(stage.random.getrandbits(64))
        self._cutting = Random(stage.random.getrandbits(64))
        """How often this one is asked, time decides."""
        is_brought_about = script in BROUGHT_ABOUT
        self._sessions = [
            open_session(stage, traffic) for _ in range(len(faults) * is_brought_about)
        ]
        self._held: dict[Trap, Reply] = {}
        """What is let go when the fault has happened."""
        self._settings = {"redis_url": proxy.url, "lease_seconds": LEASE_SECONDS}

    async def do(self) -> None:
        """Do each of the faults to one call of the script."""
        await until_open(self._traffic, self._sessions)
        script = self._script
        for number, fault in enumerate(self._faults):
            while not await self._harm_once(fault, number):
                pass  # the caller has gone before its reply, or before it has asked again
            self._stage.row.happened(fault)
            self._stage.row.happened(script)

    async def _harm_once(self, fault: Fault, number: int) -> bool:
        if self._script not in BROUGHT_ABOUT:
            return await self._until_done(self._set(fault))
        session = self._sessions[number]
        if self._script != "hand_back":
            return await self._until_done(await self._bring_about(fault, session))
        async with self._handing_back:  # two workers told to stop would take turns along
            return await self._until_done(await self._bring_about(fault, session))

    def _set(self, fault: Fault, *parts: str) -> Trap:
        seconds = self._random.uniform(0.1, 0.7)
        trap = Trap(fault, self._script, parts, seconds=seconds)
        self._proxy.traps.append(trap)
        return trap

    async def _until_done(self, trap: Trap) -> bool:
        """Whether the fault has happened as a whole, once its call has come."""
        patience = SABOTAGED_SECONDS if self._stage.sabotage else CALL_SECONDS
        sprung = asyncio.create_task(trap.sprung.wait())
        try:
            async with asyncio.timeout(patience):
                while not sprung.done():
                    if trap.script == "read":  # nobody reads where nobody has missed anything
                        self._cutting.choice(self._traffic.tabs).cut()
                    await asyncio.wait((sprung,), timeout=0.3)
        except TimeoutError:
            raise AssertionError(f"no {trap.script} for: {trap.fault}") from None
        finally:
            sprung.cancel()
        with suppress(TimeoutError):
            await asyncio.wait_for(trap.done.wait(), DONE_SECONDS)
        if trap in self._held:
            self._held.pop(trap).release()
        return trap.done.is_set()

    async def _bring_about(self, fault: Fault, session: Session) -> Trap:
        """A call that does not come by itself, in a session of its own whose turn is held."""
        script = self._script
        reply = Reply(words(self._random, 6), hold_after=3)
        statuses = {"cancelled"} if script == "cancel" else {"completed"}
        turn_id = self._say(session, reply, frozenset(statuses))
        view = session.tabs[0].view
        await self._traffic.until(
            lambda: starts_of(view, turn_id) and all(tab.is_open for tab in session.tabs),
            "the turn begins",
        )
        trap = self._set(fault, session.session_id)
        self._held[trap] = reply
        match script:
            case "cancel":
                session.tabs[1].send({"type": "cancel", "turn_id": turn_id})
            case "delete":
                await self._delete(trap, session)
            case "hand_back":
                start_worker = self._stage.deployment.start_worker
                await start_worker(drain_seconds=0.1, **self._settings)
                worker = str(starts_of(view, turn_id)[-1]["worker"])
                worker_named(self._stage.workers, worker).terminate()
            case _:
                pass  # a lease is renewed for as long as its turn runs
        return trap

    async def _delete(self, trap: Trap, session: Session) -> None:
        trap.seconds = DELETED_AND_ANSWERED_SECONDS
        forget_all(session)
        await delete(self._random.choice(self._stage.gateways).http, session.session_id)
        # Answered at once: a copy of the deletion that comes late would find it whole.
        self._say(session, Reply(words(self._random, 6)), frozenset({"completed"}))

    def _say(self, session: Session, reply: Reply, statuses: frozenset[str]) -> str:
        answer = answer_of(self._random, session, [reply])
        answer.statuses = statuses
        self._traffic.say(session, answer, session.tabs[0])
        return answer.message_id


def forget_all(session: Session) -> None:
    """Whatever was said in this session is deleted, and nobody says it again."""
    for answer in session.answers:
        answer.may_be_forgotten = True
        for tab in session.tabs:
            tab.take_back(answer.message_id)


async def delete(gateway: str, session_id: str) -> None:
    """Delete a session, and again until the gateway says that it is done."""
    url = f"{gateway}/sessions/{session_id}"
    async with httpx.AsyncClient(timeout=10) as http:
        while (await http.delete(url)).status_code != 204:  # noqa: ASYNC110 - no event to wait for
            await asyncio.sleep(0.1)


def chosen(stage: Stage) -> dict[str, list[Fault]]:
    """What is done to which script: in the long run everything, in the short one two faults to
    each, of which one loses an answer and one brings a call once more."""
    if stage.is_long:
        return {name: stage.random.sample(FAULTS, len(FAULTS)) for name in NAMES}
    pairs = list(product(UNANSWERED, ONCE_MORE))
    stage.random.shuffle(pairs)
    return {name: list[Fault](pairs[n % len(pairs)]) for n, name in enumerate(NAMES)}


async def lose_replies(stage: Stage) -> None:
    """Gateways and workers reach Redis through a proxy that does every fault to every script."""
    stage.row.expect(*FAULTS, *NAMES)
    traps: list[Trap] = []
    async with script_proxy(stage.redis.port, traps) as proxy:
        start = stage.deployment
        settings = {"drain_seconds": 0.1, "lease_seconds": LEASE_SECONDS}
        await asyncio.gather(
            *(start.start_gateway(redis_url=proxy.url) for _ in range(2)),
            *(start.start_worker(redis_url=proxy.url, **settings) for _ in range(3)),
        )
        async with stage.traffic(pace=0.03) as traffic:
            # Two at a time for each script: what a fault costs is mostly waiting.
            handing_back = asyncio.Lock()
            harms = [
                Harm(stage, traffic, proxy, handing_back, name, faults[first::2])
                for name, faults in chosen(stage).items()
                for first in (0, 1)
            ]
            await asyncio.gather(*(harm.do() for harm in harms))
        stage.row.problems += [f"a copy was told {error!r}" for error in proxy.errors]
        await stage.deployment.start_worker()
        await asyncio.gather(*(worker.stop() for worker in stage.workers[:-1]))
        await asyncio.gather(*(gateway.stop() for gateway in stage.gateways))
