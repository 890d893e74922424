"""The `/patient` requests that this worker answers: claimed, kept, answered, acknowledged.

A request has no session, no lease and no inbox: its entry is all that there is, and whoever claims
it answers. It is kept from being claimed by others while it is worked on; a worker that dies leaves
it to another. A second answer to the same request is taken by nobody.
"""

import asyncio
import logging
from collections.abc import Callable

from agent_worker.insist import keep_asking
from agent_worker.patient_runner import PatientRunner
from agent_worker.settings import WorkerSettings
from shared.ids import EntryId
from shared.patient_request import PatientAnswers, PatientRequest
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)

CLAIMABLE_AT_ONCE = 100
"""Multiples of the lease: an entry deferred with so much idle time is found by the next look."""


class PatientRequests:
    """What runs here at the moment."""

    def __init__(
        self,
        consumer: str,
        work_stream: WorkStream,
        answers: PatientAnswers,
        runner: PatientRunner,
        settings: WorkerSettings,
    ) -> None:
        self._consumer = consumer
        self._work_stream = work_stream
        self._answers = answers
        self._runner = runner
        self._settings = settings
        self._tasks: dict[EntryId, asyncio.Task[None]] = {}

    @property
    def running(self) -> list[asyncio.Task[None]]:
        return list(self._tasks.values())

    def has(self, entry_id: EntryId) -> bool:
        """Whether this entry is being answered here."""
        return entry_id in self._tasks

    def start(self, entry_id: EntryId, request: PatientRequest, done: Callable[[], None]) -> None:
        """Answer it in a task of its own, which calls `done` at its end."""
        self._tasks[entry_id] = asyncio.create_task(self._answer(entry_id, request, done))

    async def give_back(self) -> None:
        """Stop what still runs, and let another worker claim it at once."""
        left = dict(self._tasks)
        for task in left.values():
            task.cancel()
        await asyncio.gather(*left.values(), return_exceptions=True)
        idle_ms = self._settings.lease_ms * CLAIMABLE_AT_ONCE
        await keep_asking(lambda: self._work_stream.defer(self._consumer, list(left), idle_ms))

    async def _answer(
        self, entry_id: EntryId, request: PatientRequest, done: Callable[[], None]
    ) -> None:
        keeping = asyncio.create_task(self._keep(entry_id))
        try:
            times = await keep_asking(lambda: self._work_stream.times_claimed(entry_id))
            answer = await self._runner.run(request, times)
            await keep_asking(lambda: self._answers.put(request.request_id, answer))
            await keep_asking(lambda: self._work_stream.acknowledge(entry_id))
        except Exception:
            _log.exception("request %s: its entry is left pending", request.request_id)
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            del self._tasks[entry_id]
            done()

    async def _keep(self, entry_id: EntryId) -> None:
        """Say again and again that somebody is at work on this entry."""
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            await keep_asking(lambda: self._work_stream.defer(self._consumer, [entry_id], 0))
