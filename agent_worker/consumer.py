"""The consumer: claim an entry, take its session's lease, run its turns, acknowledge.

An entry stays pending in the work stream until its message is known to have left the inbox. Where
another worker holds the lease, the entry is left pending and made claimable for the moment that the
lease runs out: if that worker dies, whoever looks next takes the session over. Nothing is kept in
memory that another worker would need.
"""

import asyncio
import logging
from collections.abc import Iterable

from agent_worker.attempt import TurnSignals
from agent_worker.claiming import Claiming
from agent_worker.control import ControlChannels
from agent_worker.insist import keep_asking
from agent_worker.metrics import Metrics
from agent_worker.patient_requests import CLAIMABLE_AT_ONCE, PatientRequests
from agent_worker.run_turn import TurnRunner
from agent_worker.settings import WorkerSettings
from shared.errors import Fenced, NotALog, TurnOver, Unavailable
from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import Enqueued, SubmittedMessage
from shared.lease import Lease, Leases, Turn, make_acquisition
from shared.patient_request import PatientRequest
from shared.promise import Promises
from shared.redis_client import RefusedByRedis
from shared.work_stream import WorkEntry, WorkStream

_log = logging.getLogger(__name__)

READ_BLOCK_MS = 1000
CLAIM_SECONDS = 0.5
"""How often entries of silent workers are looked for."""
CLAIM_COUNT = 100
START = "0-0"


class Consumer:
    """One worker's share of the work stream."""

    def __init__(
        self,
        name: str,
        work_stream: WorkStream,
        promises: Promises,
        leases: Leases,
        runner: TurnRunner,
        requests: PatientRequests,
        control: ControlChannels,
        settings: WorkerSettings,
        metrics: Metrics,
    ) -> None:
        self._name = name
        self._work_stream = work_stream
        self._promises = promises
        self._leases = leases
        self._runner = runner
        self._control = control
        self._settings = settings
        self._sessions: dict[SessionId, asyncio.Task[None]] = {}
        self._requests = requests
        self._again: set[SessionId] = set()
        self._broken: set[SessionId] = set()
        self._slots = asyncio.Semaphore(settings.worker_concurrency)
        self._closing = asyncio.Event()
        self._hand_back = asyncio.Event()
        self._claiming = Claiming(work_stream, settings.lease_seconds, metrics)
        metrics.slots.set(settings.worker_concurrency)
        metrics.slots_busy.set_function(lambda: len(self._sessions) + len(requests.running))

    async def run(self) -> None:
        """Claim and run until cancelled. Redis may be away, from the start or at any time."""
        await self._claiming(lambda: self._work_stream.create_group(self._name))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._read_new())
            group.create_task(self._claim_idle())

    async def drain(self) -> None:
        """Claim no more; let running turns finish for `DRAIN_SECONDS`, then hand the rest back."""
        self._closing.set()
        await self._wait_for_work(self._settings.drain_seconds)
        self._hand_back.set()
        await self._requests.give_back()
        await self._wait_for_work(self._settings.lease_seconds)
        try:
            await self._work_stream.leave(self._name)
        except (Unavailable, RefusedByRedis) as error:
            _log.warning("left without a word to the group: %s", error)

    # claim

    async def _read_new(self) -> None:
        while not self._closing.is_set():
            async with self._slots:
                pass  # wait until a session could run here
            entries = await self._claiming(
                lambda: self._work_stream.read_new(self._name, 1, READ_BLOCK_MS)
            )
            await self._take(entries)

    async def _claim_idle(self) -> None:
        cursor: str = START
        while not self._closing.is_set():
            cursor, entries = await self._claiming(
                lambda cursor=cursor: self._work_stream.claim_idle(
                    self._name, self._settings.lease_ms, cursor, CLAIM_COUNT
                )
            )
            await self._take(entries)
            if cursor == START:
                await asyncio.sleep(CLAIM_SECONDS)

    async def _take(self, entries: Iterable[WorkEntry]) -> None:
        for entry in entries:
            try:
                await self._claiming(lambda entry=entry: self._take_entry(entry))
            except RefusedByRedis as error:
                if isinstance(entry.work, SubmittedMessage):
                    self._tell_broken(entry.work.session_id, error)
                else:
                    _log.error("turns: entry %s is left pending: %s", entry.entry_id, error)

    async def _take_entry(self, entry: WorkEntry) -> None:
        """Acknowledge what is over, and see that somebody runs the rest."""
        work = entry.work
        if work is None:
            _log.error("turns: entry %s is no work of ours; it is dropped", entry.entry_id)
            await self._work_stream.acknowledge(entry.entry_id)
        elif isinstance(work, PatientRequest):
            if not self._requests.has(entry.entry_id) and await self._take_slot(entry.entry_id):
                self._requests.start(entry.entry_id, work, self._slots.release)
        elif await self._promises.settle(work, entry.entry_id) is Enqueued.LEFT:
            self._broken.discard(work.session_id)
        elif work.session_id in self._sessions:
            # Its turns run here. They may have found the inbox empty just before: look once more.
            self._again.add(work.session_id)
        elif await self._take_slot(entry.entry_id):
            run = self._run_session(work.session_id, entry.entry_id)
            self._sessions[work.session_id] = asyncio.create_task(run)

    async def _take_slot(self, entry_id: EntryId) -> bool:
        """Whether there was room here; if not, the entry is claimable again in a moment, maybe
        elsewhere."""
        if self._slots.locked():
            idle_ms = self._settings.lease_ms - int(CLAIM_SECONDS * 1000)
            await self._work_stream.defer(self._name, [entry_id], max(idle_ms, 0))
            return False
        await self._slots.acquire()  # not locked: does not wait
        return True

    # run

    async def _run_session(self, session_id: SessionId, entry_id: EntryId) -> None:
        """Take the lease and run the session's turns, in order, until its inbox is empty."""
        try:
            while True:
                self._again.discard(session_id)
                try:
                    await self._run_under_lease(session_id, entry_id)
                except Fenced as error:
                    _log.warning("%s", error)
                self._broken.discard(session_id)
                if session_id not in self._again:
                    break
        except (RefusedByRedis, NotALog) as error:
            self._tell_broken(session_id, error)
        except Exception:
            _log.exception("session %s: its entry is left pending", session_id[:8])
        finally:
            self._again.discard(session_id)
            del self._sessions[session_id]
            self._slots.release()

    def _tell_broken(self, session_id: SessionId, error: Exception) -> None:
        """Somebody has put something else under this session's keys: it waits, alone, and is tried
        again and again. That is said once."""
        if session_id not in self._broken:
            _log.error("session %s: its entries are left pending: %s", session_id[:8], error)
        self._broken.add(session_id)

    async def _run_under_lease(self, session_id: SessionId, entry_id: EntryId) -> None:
        acquisition = make_acquisition()
        lease = await self._claiming(lambda: self._leases.acquire(session_id, acquisition))
        if isinstance(lease, Lease):
            await self._run_turns(lease)
        elif lease is not None:
            # Held for `lease` ms: the entry is found again when that time is over.
            idle_ms = max(self._settings.lease_ms - lease, 0)
            await keep_asking(lambda: self._work_stream.defer(self._name, [entry_id], idle_ms))

    async def _run_turns(self, lease: Lease) -> None:
        while True:
            turn = await keep_asking(lease.peek)
            if turn is None:
                if await keep_asking(lease.release):
                    return
                continue
            turn_id = turn.item.message.message_id
            if self._closing.is_set():
                return await self._give_back(lease, turn_id)
            try:
                finished = await self._run_turn(lease, turn)
            except TurnOver:
                finished = True  # it was cancelled while it waited, or a reply was lost
            if not finished:
                return await self._give_back(lease, turn_id)
            item = turn.item
            await keep_asking(lambda item=item: self._promises.settle(item.message, item.entry_id))

    async def _run_turn(self, lease: Lease, turn: Turn) -> bool:
        signals = TurnSignals(stop=asyncio.Event(), hand_back=self._hand_back)
        turn_id = turn.item.message.message_id
        async with self._control.listen(lease.session_id, turn_id, signals.stop):
            return await self._runner.run(lease, turn, signals)

    async def _give_back(self, lease: Lease, turn_id: TurnId) -> None:
        number = lease.next_batch()
        entries = await keep_asking(lambda: lease.hand_back(number, turn_id))
        idle_ms = self._settings.lease_ms * CLAIMABLE_AT_ONCE
        await keep_asking(lambda: self._work_stream.defer(self._name, entries, idle_ms))

    async def _wait_for_work(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while running := [*self._sessions.values(), *self._requests.running]:
                    await asyncio.wait(running)
        except TimeoutError:
            _log.info("%d sessions are still running", len(self._sessions))
