"""The emitter: a turn's events on their way to the log, without the agent ever waiting for Redis.

Emitting puts an event into a bounded queue and returns. One sender writes: the first event goes at
once; while a write is in flight, what arrives is collected and sent as the next batch. Neighbouring
deltas of one message merge in place, so waiting text costs its own length; telemetry is never
merged or held back.

When Redis is away the queue grows to `EMITTER_MAX_BYTES`; at the bound `overflowed` is set and the
turn must end as failed: nothing is dropped in silence.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from agent_worker.insist import insist
from agent_worker.metrics import Metrics
from agent_worker.pending_event import PendingEvent, Text
from agent_worker.story import TurnStory
from agent_worker.structure import Schema
from agent_worker.told_content import ToldContent
from agent_worker.translate import clean_text
from shared.ids import Position
from shared.lease import Lease
from shared.protocol import (
    AgentCustomEvent,
    AssistantMessage,
    Event,
    OpenAIEvent,
    OpenAIResponseEvent,
    ToolCallEvent,
    ToolResultEvent,
)

MAX_BATCH_EVENTS = 256
MAX_BATCH_BYTES = 1_048_576


class TelemetryEmitter:
    """Emits the events of one attempt, in order. Emit methods never block and never raise."""

    def __init__(
        self,
        lease: Lease,
        story: TurnStory,
        metrics: Metrics,
        *,
        max_bytes: int,
        max_result_bytes: int,
    ) -> None:
        self._lease = lease
        self._story = story
        self._metrics = metrics
        self.first_text_at: float | None = None
        """When the first piece of text was emitted, by `time.monotonic`."""
        self.max_bytes = max_bytes
        self.content = ToldContent("structure", max_result_bytes)
        """What calls and custom events may tell: the least, until the run says what else."""
        self._queue: deque[PendingEvent] = deque()
        self._queued_bytes = 0
        self._held: Event | None = None
        self._wake = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._deltas: dict[str, list[Position]] = {}
        self._open_calls: dict[str, ToolCallEvent | OpenAIEvent] = {}
        self.overflowed = asyncio.Event()

    # what the agent's side calls

    def emit_tool_call(
        self, tool_call_id: str, name: str, arguments: Any, schema: Schema | None = None, **ids: Any
    ) -> None:
        """A tool is about to run, with `arguments` as the model wrote them. `schema` is that of its
        parameters, `None` for a tool that does not exist. `ids`: `span_id` and `parent_span_id`,
        where there is a span."""
        event = self._story.make(
            ToolCallEvent,
            tool_call_id=tool_call_id,
            tool_name=clean_text(self.content.tool_name(name, schema)),
            arguments=self.content.arguments(name, arguments, schema),
            **ids,
        )
        self._begin_call(tool_call_id, event)

    def emit_tool_result(
        self, tool_call_id: str, result: str, duration_ms: int, *, is_error: bool = False
    ) -> None:
        """The end of a tool call that was told; a second end is ignored. With `is_error`, `result`
        is a sentence of ours, and nothing that the tool said."""
        call = self._open_calls.pop(tool_call_id, None)
        if isinstance(call, ToolCallEvent):
            self._metrics.end_tool_call(duration_ms, is_error=is_error)
            text, cut = (result, None) if is_error else self.content.result(call.tool_name, result)
            self.emit(
                self._story.make(
                    ToolResultEvent,
                    tool_call_id=tool_call_id,
                    tool_name=call.tool_name,
                    result=text,
                    duration_ms=duration_ms,
                    is_error=is_error,
                    truncated_bytes=cut,
                    span_id=call.span_id,
                    parent_span_id=call.parent_span_id,
                )
            )

    def emit_openai_call(self, call_id: str, model: str, provider: str, **ids: Any) -> None:
        """A model call begins."""
        event = self._story.make(
            OpenAIEvent, call_id=call_id, model=model, provider=provider, **ids
        )
        self._begin_call(call_id, event)

    def emit_openai_response(self, call_id: str, duration_ms: int, **outcome: Any) -> None:
        """The end of a model call that was told. `outcome`: the other fields of the frame."""
        call = self._open_calls.pop(call_id, None)
        if isinstance(call, OpenAIEvent):
            self._metrics.end_model_call(duration_ms, outcome)
            self.emit(
                self._story.make(
                    OpenAIResponseEvent,
                    call_id=call_id,
                    model=call.model,
                    duration_ms=duration_ms,
                    span_id=call.span_id,
                    parent_span_id=call.parent_span_id,
                    **outcome,
                )
            )

    def close_open_calls(self) -> None:
        """End what has begun and not ended: the run was cut off."""
        for call in list(self._open_calls.values()):
            if isinstance(call, ToolCallEvent):
                self.emit_tool_result(call.tool_call_id, "The call was cut off.", 0, is_error=True)
            else:
                self.emit_openai_response(call.call_id, 0, is_error=True)

    def emit(self, event: Event) -> None:
        """Queue one event. A text's end waits for what comes after it: the last one of a turn goes
        with `turn_finished`, in one step."""
        if isinstance(event, AgentCustomEvent):
            event = self.content.custom(event)
        if self._held is not None and not isinstance(event, OpenAIResponseEvent):
            self._put(self._held)
            self._held = None
        if isinstance(event, AssistantMessage) and not event.streaming:
            self._held = event
        else:
            self._put(event)

    # what the turn's side calls

    def waiting(self) -> tuple[int, int]:
        """Events that are not on their way to the log yet, and bytes that are not in it."""
        return len(self._queue), self._queued_bytes

    async def send(self) -> None:
        """Write what is emitted until cancelled. Cancelling may leave a batch half known: only the
        end of the turn does it. Raises `Fenced` or `TurnOver`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                await self._send_batch(self._take_batch())
            self._drained.set()

    async def drain(self) -> None:
        """Returns when everything emitted so far is in the log, but for a last text
        (`take_held`)."""
        await self._drained.wait()

    def take_held(self) -> list[Event]:
        """The turn's last text, for *finish*, if nothing came after it."""
        held, self._held = self._held, None
        return [] if held is None else [held]

    def left_in_log(self) -> list[Position]:
        """The deltas of this attempt that are still in the log, for *finish* to remove."""
        return [place for places in self._deltas.values() for place in places]

    # inside

    def _begin_call(self, call_id: str, event: ToolCallEvent | OpenAIEvent) -> None:
        if not self.overflowed.is_set():
            self.emit(event)
            self._open_calls[call_id] = event

    def _put(self, event: Event) -> None:
        if self.overflowed.is_set() and not isinstance(
            event, ToolResultEvent | OpenAIResponseEvent
        ):
            return  # the turn ends as failed, and says so; but calls that were told get their ends
        last = self._queue[-1] if self._queue else None
        size_before = last.size if last is not None else 0
        if last is not None and last.absorb(event):
            self._queued_bytes += last.size - size_before
        else:
            if self.first_text_at is None and isinstance(event, Text) and event.streaming:
                self.first_text_at = time.monotonic()
            self._queue.append(PendingEvent(event))
            self._queued_bytes += self._queue[-1].size
        if self._queued_bytes > self.max_bytes:
            self.overflowed.set()
        self._drained.clear()
        self._wake.set()

    def _take_batch(self) -> list[PendingEvent]:
        batch: list[PendingEvent] = []
        size = 0
        while self._queue and len(batch) < MAX_BATCH_EVENTS and size < MAX_BATCH_BYTES:
            item = self._queue.popleft()
            batch.append(item)
            size += item.size
        return batch

    async def _send_batch(self, batch: Sequence[PendingEvent]) -> None:
        number = self._lease.next_batch()
        texts = [item.event for item in batch if isinstance(item.event, Text)]
        ended = [text.message_id for text in texts if not text.streaming]
        # The whole text says what its last pieces would. Written beside it, they would be in the
        # log without the earlier ones, and a tab that reads would be shown a text with a hole.
        told = [item for item in batch if not _is_piece_of(item.event, ended)]
        events = [item.encode() for item in told]
        removed = [place for message_id in ended for place in self._deltas.pop(message_id, [])]
        turn_id = self._story.turn_id
        last = await insist(
            self._lease, turn_id, lambda: self._lease.append(number, turn_id, events, removed)
        )
        self._queued_bytes -= sum(item.size for item in batch)
        self._remember_deltas(told, last)

    def _remember_deltas(self, batch: Sequence[PendingEvent], last: Position) -> None:
        first = last.seq - len(batch) + 1
        for offset, item in enumerate(batch):
            if isinstance(item.event, Text) and item.event.streaming:
                place = Position(last.epoch, first + offset)
                self._deltas.setdefault(item.event.message_id, []).append(place)


def _is_piece_of(event: Event, message_ids: Sequence[str]) -> bool:
    return isinstance(event, Text) and event.streaming and event.message_id in message_ids
