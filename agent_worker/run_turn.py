"""Running one turn: *start*, the agent, its story, *finish*. Exactly one `turn_finished`, or
somebody else's: a worker that is fenced says nothing more.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai.messages import ModelMessage

from agent_worker.agent_run import AgentRun
from agent_worker.agents import AgentForTurn
from agent_worker.failures import INTERNAL, WORKER_LOST
from agent_worker.history import dump_history, load_history, partial_answer, prompt_message
from agent_worker.insist import insist
from agent_worker.last_attempts import LastAttempts
from agent_worker.past_attempts import PastAttempts, read_past_attempts
from agent_worker.settings import WorkerSettings
from agent_worker.span_clock import SpanClock
from agent_worker.span_ends import SpanEnds
from agent_worker.story import TurnStory, now_text
from agent_worker.telemetry_emitter import TelemetryEmitter
from shared.errors import Fenced, NotALog, TurnOver, Unavailable
from shared.ids import Position
from shared.lease import Ending, Lease, Started, Turn
from shared.protocol import Event, encode_event
from shared.redis_client import RefusedByRedis
from shared.session_log import SessionLog
from shared.tracing import context_of, trace_id_of_span

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnSignals:
    """What may end a turn from outside. Set by the control channel, a renewal, SIGTERM."""

    stop: asyncio.Event
    hand_back: asyncio.Event


class TurnRunner:
    """Runs the turns of every session of one worker process."""

    def __init__(
        self,
        log: SessionLog,
        agent_for_turn: AgentForTurn,
        settings: WorkerSettings,
        provider: TracerProvider,
        span_ends: SpanEnds,
        worker: str,
    ) -> None:
        self._log = log
        self._agent_for_turn = agent_for_turn
        self._settings = settings
        self._provider = provider
        self._span_ends = span_ends
        self._worker = worker
        self._tracer = provider.get_tracer("fanline.worker")
        self._last_attempts = LastAttempts(settings.max_attempts, settings.lease_seconds / 3)

    async def run(self, lease: Lease, turn: Turn, signals: TurnSignals) -> bool:
        """Run the turn to its end; returns whether it has ended, or was handed back. Raises
        `Fenced` or `TurnOver`, after which nothing more is written, and `RefusedByRedis` or
        `NotALog` where the session's keys hold something else."""
        async with self._last_attempts.apart(lease, turn, signals.hand_back):
            return await self._run_in_span(lease, turn, signals)

    async def _run_in_span(self, lease: Lease, turn: Turn, signals: TurnSignals) -> bool:
        message = turn.item.message
        attempt = turn.attempts_begun + 1
        span = self._tracer.start_span(
            "turn",
            context=context_of(message.traceparent),
            kind=trace.SpanKind.CONSUMER,
            attributes={
                "session_id": lease.session_id,
                "gen_ai.conversation.id": lease.session_id,
                "turn_id": message.message_id,
                "attempt": attempt,
            },
        )
        clock = SpanClock(span)
        story = TurnStory(lease.session_id, message.message_id, attempt, trace_id_of_span(span))
        try:
            with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                return await self._run(lease, turn, story, signals, clock)
        except (Fenced, TurnOver, Unavailable, RefusedByRedis, NotALog):
            raise
        except Exception:
            # A bug of ours, or data that we cannot read: another attempt would meet it again.
            _log.exception("turn %s ends as failed", story.turn_id)
            return await self._give_up(lease, story, clock)
        finally:
            clock.end_span()

    async def _run(
        self, lease: Lease, turn: Turn, story: TurnStory, signals: TurnSignals, clock: SpanClock
    ) -> bool:
        past = await self._read_past(lease, turn)
        closing = past.closing_events(now_text())
        number = lease.next_batch()
        events = [encode_event(event) for event in [*closing, story.started(self._worker)]]
        most = self._settings.max_attempts
        started = await insist(
            lease,
            story.turn_id,
            lambda: lease.start(number, story.turn_id, story.attempt, most, events),
        )
        if started is Started.STARTED:
            return await self._attempt(lease, turn, story, signals, clock, past)

        # The turn ends without another attempt: its last one is told as the one that ended it.
        last = TurnStory(story.session_id, story.turn_id, turn.attempts_begun or 1, story.trace_id)
        if started is Started.CANCELLED:
            said = past.said(now_text())
            texts = [event.content for event in said]
            before = self._history(turn)
            messages = [*before, prompt_message(turn.item), *partial_answer(texts)]
            ending = self._ending(turn, messages)
            told = [*closing, *said, *last.ended("cancelled", duration_ms=clock.stop("cancelled"))]
        else:
            duration = clock.stop("failed", WORKER_LOST)
            ending = Ending()
            told = [*closing, *last.ended("failed", duration_ms=duration, failure=WORKER_LOST)]
        return await self._finish(lease, story, told, past.deltas, ending)

    async def _attempt(
        self,
        lease: Lease,
        turn: Turn,
        story: TurnStory,
        signals: TurnSignals,
        clock: SpanClock,
        past: PastAttempts,
    ) -> bool:
        settings = self._settings
        history = self._history(turn)
        emitter = TelemetryEmitter(
            lease,
            story,
            max_bytes=settings.emitter_max_bytes,
            max_result_bytes=settings.max_result_bytes,
        )
        agent_run = AgentRun(
            story, emitter, self._span_ends, self._provider, self._agent_for_turn, settings
        )
        sending = asyncio.create_task(emitter.send())
        renewing = asyncio.create_task(self._renew(lease, story, signals.stop))
        running = asyncio.create_task(agent_run.run(turn.item, history, signals.stop))
        handing_back = asyncio.create_task(signals.hand_back.wait())
        tasks = (sending, renewing, running, handing_back)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for lost in (sending, renewing):
                if lost.done():
                    lost.result()  # raises: fenced, or the turn is over
            if not running.done():
                clock.stop("handed_back")
                return False
            outcome = running.result()
            draining = asyncio.create_task(emitter.drain())
            await asyncio.wait((sending, draining), return_when=asyncio.FIRST_COMPLETED)
            draining.cancel()
            if sending.done():
                sending.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        duration = clock.stop(outcome.status, outcome.failure)
        ended = story.ended(
            outcome.status, duration_ms=duration, usage=outcome.usage, failure=outcome.failure
        )
        removable = [*past.deltas, *emitter.left_in_log()]
        return await self._finish(
            lease,
            story,
            [*emitter.take_held(), *ended],
            removable,
            self._ending(turn, outcome.messages),
        )

    async def _give_up(self, lease: Lease, story: TurnStory, clock: SpanClock) -> bool:
        """End the turn as failed, whatever state it is in."""
        turn = await insist(lease, story.turn_id, lease.peek)
        past = PastAttempts() if turn is None else await self._read_past(lease, turn)
        duration = clock.stop("failed", INTERNAL)
        told = [
            *past.closing_events(now_text()),
            *story.ended("failed", duration_ms=duration, failure=INTERNAL),
        ]
        return await self._finish(lease, story, told, past.deltas, Ending())

    def _ending(self, turn: Turn, messages: Sequence[ModelMessage] | None) -> Ending:
        if messages is None:
            return Ending()  # a failed turn leaves no trace in the model's history
        settings = self._settings
        history = dump_history(messages, settings.history_max_messages, settings.history_max_bytes)
        if not history:
            turn_id = turn.item.message.message_id
            _log.warning("turn %s is too big for the history, which stays as it was", turn_id)
            return Ending()
        return Ending(history, turn.unheard_end)

    def _history(self, turn: Turn) -> list[ModelMessage]:
        most_bytes = self._settings.history_max_bytes
        return load_history(turn, turn.item.message.session_id, most_bytes)

    async def _finish(
        self,
        lease: Lease,
        story: TurnStory,
        events: Sequence[Event],
        removable: Sequence[Position],
        ending: Ending,
    ) -> bool:
        number = lease.next_batch()
        encoded = [encode_event(event) for event in events]
        await insist(
            lease,
            story.turn_id,
            lambda: lease.finish(number, story.turn_id, encoded, removable, ending),
        )
        return True

    async def _read_past(self, lease: Lease, turn: Turn) -> PastAttempts:
        first = turn.first_position
        if first is None:
            return PastAttempts()
        turn_id = turn.item.message.message_id
        return await insist(
            lease,
            turn_id,
            lambda: read_past_attempts(self._log, lease.session_id, turn_id, first),
        )

    async def _renew(self, lease: Lease, story: TurnStory, stop: asyncio.Event) -> None:
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            if await insist(lease, story.turn_id, lambda: lease.renew(story.turn_id)):
                stop.set()
