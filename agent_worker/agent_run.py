"""One run of an agent: its events told as they happen, its end as an outcome, whatever happens.

The run's events are translated inside the run (an event stream handler), not in a task beside it: a
text's last piece is told before the end of the model call that wrote it.
"""

import asyncio
import logging
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import CancellationToken, DeferredToolRequests, RunContext
from pydantic_ai.exceptions import RunCancelled, RunTimedOut
from pydantic_ai.messages import ModelMessage

from agent_worker.agents import AgentForTurn, TurnContext
from agent_worker.call_frames import CallFrames
from agent_worker.failures import FILTERED, OVERFLOWED, UNSUPPORTED_OUTPUT, explain
from agent_worker.history import prompt_message
from agent_worker.models import build_usage_limits
from agent_worker.settings import WorkerSettings
from agent_worker.span_ends import SpanEnds
from agent_worker.story import TurnStory
from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.told_content import content_of_frames, content_of_spans
from agent_worker.translate import TextTooLong, Translator
from shared.inbox import InboxItem
from shared.protocol import Failure, TurnStatus, Usage

_log = logging.getLogger(__name__)

STOP_SECONDS = 5.0
"""How long an agent may take to notice that it is stopped, before its task is cancelled."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: TurnStatus
    usage: Usage | None
    failure: Failure | None = None
    messages: Sequence[ModelMessage] | None = None
    """The conversation for the next turn; `None` leaves it as it was."""


class AgentRun:
    """One attempt's run of the agent."""

    def __init__(
        self,
        story: TurnStory,
        emitter: TelemetryEmitter,
        span_ends: SpanEnds,
        provider: TracerProvider,
        agent_for_turn: AgentForTurn,
        settings: WorkerSettings,
    ) -> None:
        self._story = story
        self._emitter = emitter
        emitter.content = content_of_frames(settings)
        self._frames = CallFrames(emitter, span_ends, provider, content_of_spans(settings))
        self._agent_for_turn = agent_for_turn
        self._settings = settings
        self._translator = Translator(
            story,
            max_data_bytes=settings.max_result_bytes,
            max_text_bytes=settings.max_text_bytes,
        )

    async def run(
        self, item: InboxItem, history: list[ModelMessage], stop: asyncio.Event
    ) -> Outcome:
        """Run the agent until it ends, `stop` is set, or the emitter overflows. Everything that
        happened is emitted, and every start has an end, when this returns."""
        token = CancellationToken()
        running = asyncio.create_task(self._call_agent(item, history, token))
        stopping = asyncio.create_task(stop.wait())
        overflowing = asyncio.create_task(self._emitter.overflowed.wait())
        try:
            await asyncio.wait(
                (running, stopping, overflowing), return_when=asyncio.FIRST_COMPLETED
            )
            if not running.done():
                token.cancel()
                await asyncio.wait((running,), timeout=STOP_SECONDS)
        finally:
            for task in (running, stopping, overflowing):
                task.cancel()
            await asyncio.gather(running, stopping, overflowing, return_exceptions=True)
        return self._conclude(running, item, history)

    async def _call_agent(
        self, item: InboxItem, history: list[ModelMessage], token: CancellationToken
    ) -> Any:
        story = self._story
        context = TurnContext(story.session_id, story.turn_id, story.attempt)
        agent, deps = self._agent_for_turn(context)
        return await agent.run(
            item.message.content,
            message_history=history,
            conversation_id=story.session_id,
            deps=deps,
            usage_limits=build_usage_limits(self._settings),
            cancellation_token=token,
            timeout=self._settings.turn_timeout,
            event_stream_handler=self._tell,
            capabilities=self._frames.capabilities(),
        )

    async def _tell(self, ctx: RunContext[Any], events: AsyncIterable[Any]) -> None:
        async for event in events:
            self._frames.observe(event)
            for frame in self._translator.translate(event):
                self._emitter.emit(frame)

    def _conclude(
        self, running: asyncio.Task[Any], item: InboxItem, history: list[ModelMessage]
    ) -> Outcome:
        error = asyncio.CancelledError() if running.cancelled() else running.exception()
        if self._emitter.overflowed.is_set():
            return self._failed(OVERFLOWED)
        if error is None:
            result = running.result()
            if isinstance(result.output, DeferredToolRequests):
                return self._failed(UNSUPPORTED_OUTPUT)
            if result.response.finish_reason == "content_filter":
                return self._failed(FILTERED)  # half an answer is none, though it has text
            try:
                told = [*self._translator.close(), *self._translator.output(result.output)]
            except TextTooLong as error:
                return self._failed(explain(error, None), error)
            for frame in told:
                self._emitter.emit(frame)
            self._emitter.close_open_calls()
            return Outcome("completed", self._frames.usage(), messages=result.all_messages())
        stopped = isinstance(error, RunCancelled | asyncio.CancelledError)
        if isinstance(error, RunTimedOut) or not stopped:
            return self._failed(explain(error, self._frames.tool_error), error)
        self._emitter.close_open_calls()
        for frame in self._translator.close():
            self._emitter.emit(frame)
        messages = _messages_of(error, item, history)
        return Outcome("cancelled", self._frames.usage(), messages=messages)

    def _failed(self, failure: Failure, error: BaseException | None = None) -> Outcome:
        self._emitter.close_open_calls()
        _log.warning("turn %s failed: %s", self._story.turn_id, failure.code, exc_info=error)
        return Outcome("failed", self._frames.usage(), failure)


def _messages_of(
    error: BaseException, item: InboxItem, history: list[ModelMessage]
) -> list[ModelMessage]:
    """What a stopped run leaves in the conversation: the question, and what had been said."""
    messages = error.all_messages() if isinstance(error, RunCancelled) else []
    return messages if len(messages) > len(history) else [*history, prompt_message(item)]
