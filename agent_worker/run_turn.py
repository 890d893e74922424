"""Running one turn: *start*, the agent, its story, *finish*. Exactly one `turn_finished`, or
somebody else's: a worker that is fenced says nothing more.
"""

import logging
import time
from collections.abc import Sequence

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai.messages import ModelMessage

from agent_worker.agents import AgentForTurn
from agent_worker.attempt import Attempts, TurnSignals
from agent_worker.failures import INTERNAL, WORKER_LOST
from agent_worker.history import dump_history, load_history, partial_answer, prompt_message
from agent_worker.insist import insist
from agent_worker.last_attempts import LastAttempts
from agent_worker.metrics import Metrics
from agent_worker.past_attempts import PastAttempts, read_past_attempts
from agent_worker.settings import WorkerSettings
from agent_worker.span_clock import SpanClock
from agent_worker.span_ends import SpanEnds
from agent_worker.story import TurnStory, now_text
from agent_worker.turn_line import tell_turn
from shared.errors import Fenced, NotALog, TurnOver, Unavailable
from shared.ids import EntryId, Position
from shared.lease import Ending, Lease, Started, Turn
from shared.protocol import Event, TurnFinished, encode_event
from shared.redis_client import RefusedByRedis
from shared.session_log import SessionLog
from shared.tracing import context_of, trace_id_of_span

_log = logging.getLogger(__name__)


class TurnRunner:
    """Runs the turns of every session of one worker process."""

    def __init__(
        self,
        log: SessionLog,
        agent_for_turn: AgentForTurn,
        settings: WorkerSettings,
        provider: TracerProvider,
        span_ends: SpanEnds,
        metrics: Metrics,
        worker: str,
    ) -> None:
        self._log = log
        self._settings = settings
        self._metrics = metrics
        self._worker = worker
        self._attempts = Attempts(agent_for_turn, settings, provider, span_ends, metrics)
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
        self._metrics.start_turn(story.attempt, _seconds_since(turn.item.entry_id))
        end = await self._attempts.run(lease, story, turn.item, self._history(turn), signals)
        if end is None:
            clock.stop("handed_back")
            return False
        outcome = end.outcome
        duration = clock.stop(outcome.status, outcome.failure)
        ended = story.ended(
            outcome.status, duration_ms=duration, usage=outcome.usage, failure=outcome.failure
        )
        removable = [*past.deltas, *end.deltas]
        ending = self._ending(turn, outcome.messages)
        told = [*end.held, *ended]
        return await self._finish(lease, story, told, removable, ending, end.first_text_ms)

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
        first_text_ms: int | None = None,
    ) -> bool:
        """Write the end of the turn: the last of `events` is its `turn_finished`."""
        number = lease.next_batch()
        encoded = [encode_event(event) for event in events]
        await insist(
            lease,
            story.turn_id,
            lambda: lease.finish(number, story.turn_id, encoded, removable, ending),
        )
        finished = events[-1]
        assert isinstance(finished, TurnFinished)
        self._metrics.finish_turn(finished, first_text_ms)
        tell_turn(finished, first_text_ms)
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


def _seconds_since(entry_id: EntryId) -> float:
    """How long ago the entry was made, by two clocks: Redis' and ours."""
    return time.time() - int(entry_id.partition("-")[0]) / 1000
