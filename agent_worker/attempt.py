"""One attempt of a turn: the agent runs, its emitter writes and the lease is renewed, side by side,
until the agent is done or somebody else has the turn."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai.messages import ModelMessage

from agent_worker.agent_run import AgentRun, Outcome
from agent_worker.agents import AgentForTurn
from agent_worker.insist import insist
from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from agent_worker.span_ends import SpanEnds
from agent_worker.story import TurnStory
from agent_worker.telemetry_emitter import TelemetryEmitter
from shared.ids import Position
from shared.inbox import InboxItem
from shared.lease import Lease
from shared.protocol import Event


@dataclass(frozen=True)
class TurnSignals:
    """What may end a turn from outside. Set by the control channel, a renewal, SIGTERM."""

    stop: asyncio.Event
    hand_back: asyncio.Event


@dataclass(frozen=True)
class AttemptEnd:
    """What an attempt that ran to its end leaves for *finish*."""

    outcome: Outcome
    held: Sequence[Event]
    """Emitted, and to be written together with the end."""
    deltas: Sequence[Position]
    """Its deltas that are still in the log."""
    first_text_ms: int | None
    """When its first piece of text came, since its beginning."""


class Attempts:
    """Runs the attempts of every session of one worker process."""

    def __init__(
        self,
        agent_for_turn: AgentForTurn,
        settings: WorkerSettings,
        provider: TracerProvider,
        span_ends: SpanEnds,
        metrics: Metrics,
    ) -> None:
        self._agent_for_turn = agent_for_turn
        self._settings = settings
        self._provider = provider
        self._span_ends = span_ends
        self._metrics = metrics

    async def run(
        self,
        lease: Lease,
        story: TurnStory,
        item: InboxItem,
        history: list[ModelMessage],
        signals: TurnSignals,
    ) -> AttemptEnd | None:
        """Run the agent to its end, with everything but `held` in the log; `None` when it was to be
        handed back before. Raises `Fenced` or `TurnOver`."""
        settings = self._settings
        begun = time.monotonic()
        emitter = TelemetryEmitter(
            lease,
            story,
            self._metrics,
            max_bytes=settings.emitter_max_bytes,
            max_result_bytes=settings.max_result_bytes,
        )
        agent_run = AgentRun(
            story, emitter, self._span_ends, self._provider, self._agent_for_turn, settings
        )
        sending = asyncio.create_task(emitter.send())
        renewing = asyncio.create_task(self._renew(lease, story, signals.stop))
        running = asyncio.create_task(agent_run.run(item, history, signals.stop))
        handing_back = asyncio.create_task(signals.hand_back.wait())
        tasks = (sending, renewing, running, handing_back)
        with self._metrics.running(emitter):
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for lost in (sending, renewing):
                    if lost.done():
                        lost.result()  # raises: fenced, or the turn is over
                if not running.done():
                    return None
                outcome = running.result()
                await _drain(emitter, sending)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        first = emitter.first_text_at
        first_text_ms = None if first is None else round((first - begun) * 1000)
        return AttemptEnd(outcome, emitter.take_held(), emitter.left_in_log(), first_text_ms)

    async def _renew(self, lease: Lease, story: TurnStory, stop: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            if await insist(lease, story.turn_id, lambda: lease.renew(story.turn_id)):
                stop.set()


async def _drain(emitter: TelemetryEmitter, sending: "asyncio.Task[None]") -> None:
    draining = asyncio.create_task(emitter.drain())
    await asyncio.wait((sending, draining), return_when=asyncio.FIRST_COMPLETED)
    draining.cancel()
    if sending.done():
        sending.result()
