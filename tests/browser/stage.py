"""Sessions that a test writes itself, as an accepted message and a worker would.

So every state of the page can be held for as long as somebody looks at it: a turn runs until the
test ends it. What is written goes through the product's own scripts; nobody answers by himself.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4
from zlib import crc32

from agent_worker.story import TurnStory
from shared.ids import SessionId, TurnId
from shared.lease import Ending, Lease, Leases, Started, make_acquisition
from shared.protocol import (
    AgentCustomEvent,
    AssistantMessage,
    Event,
    Failure,
    OpenAIEvent,
    OpenAIResponseEvent,
    ToolCallEvent,
    ToolResultEvent,
    TurnStatus,
    Usage,
    encode_event,
    format_timestamp,
)
from shared.tracing import trace_id_of
from tests.gateway.log_writer import TRACEPARENT, LogWriter, writing_to
from tests.support.deployment import Deployment, Process

E = TypeVar("E", bound=Event)

MODEL = "gpt-5-mini"
BATCH = 200
TURN_SPAN = "00f067aa0ba902b7"
KEPT_SECONDS = 600
MOST_EVENTS = 20_000


@dataclass(frozen=True)
class Stage:
    """A gateway without workers, and what writes into its sessions."""

    deployment: Deployment
    gateway: Process
    writer: LogWriter
    leases: Leases

    def session(self, session_id: str | None = None, *, seconds_ago: float = 0) -> "ToldSession":
        """A session without events; the first will have happened so long ago."""
        begin = datetime.now(UTC) - timedelta(seconds=seconds_ago)
        return ToldSession(self, SessionId(session_id or str(uuid4())), begin)

    async def forget_unanswered(self) -> None:
        """Nobody answers here: the promises in the work stream are the tests' own to drop."""
        async with self.deployment.client() as client:
            await client.delete(self.deployment.keys.turns())


@asynccontextmanager
async def build_stage(deployment: Deployment) -> AsyncGenerator[Stage, None]:
    """A stage for the block, in a deployment that has no process yet."""
    gateway = await deployment.start_gateway()
    async with writing_to(deployment.redis_url, deployment.keys) as writer:
        leases = Leases(
            writer.client,
            writer.keys,
            session_ttl=KEPT_SECONDS,
            log_max_events=MOST_EVENTS,
            lease_ms=1000 * KEPT_SECONDS,
        )
        stage = Stage(deployment, gateway, writer, leases)
        yield stage
        await stage.forget_unanswered()


class ToldSession:
    """One session, told event by event. Time stands still unless the test moves it on."""

    def __init__(self, stage: Stage, session_id: SessionId, begin: datetime) -> None:
        self.stage = stage
        self.session_id = session_id
        self.now = begin
        self._lease: Lease | None = None
        self._story: TurnStory | None = None
        self._names: dict[str, str] = {}

    @property
    def address(self) -> str:
        return f"{self.stage.gateway.http}/s/{self.session_id}"

    @property
    def turn_id(self) -> str:
        """Of the turn that is being told."""
        return self._turn.turn_id

    @property
    def _turn(self) -> TurnStory:
        assert self._story is not None, "no turn has begun"
        return self._story

    def pass_time(self, seconds: float) -> None:
        """What is told from here on happens so much later."""
        self.now += timedelta(seconds=seconds)

    async def ask(self, content: str) -> str:
        """A user's message; returns its id, which is that of its turn."""
        return await self.stage.writer.say(self.session_id, content, self._time())

    async def begin(self, turn_id: str, attempt: int = 1, worker: str = "worker-1") -> None:
        """The turn at the head of the inbox is begun, or taken over."""
        if self._lease is None:
            lease = await self.stage.leases.acquire(self.session_id, make_acquisition())
            assert isinstance(lease, Lease)
            self._lease = lease
        trace_id = trace_id_of(TRACEPARENT)
        self._story = TurnStory(self.session_id, TurnId(turn_id), attempt, trace_id, self._time)
        event = encode_event(self._story.started(worker))
        batch = self._lease.next_batch()
        started = await self._lease.start(batch, self._story.turn_id, attempt, 9, [event])
        assert started is Started.STARTED

    async def tell(self, *events: Event) -> None:
        """Append what `self.…` has made, each part of it at once."""
        assert self._lease is not None
        for first in range(0, len(events), BATCH):
            texts = [encode_event(event) for event in events[first : first + BATCH]]
            await self._lease.append(self._lease.next_batch(), self._turn.turn_id, texts, [])

    async def finish(
        self,
        status: TurnStatus = "completed",
        *,
        seconds: float = 4.1,
        failure: Failure | None = None,
    ) -> None:
        """The turn is over."""
        assert self._lease is not None
        usage = Usage(prompt_tokens=980, completion_tokens=260, total_tokens=1240, requests=2)
        events = self._turn.ended(
            status, duration_ms=int(1000 * seconds), usage=usage, failure=failure
        )
        texts = [encode_event(event) for event in events]
        batch = self._lease.next_batch()
        await self._lease.finish(batch, self._turn.turn_id, texts, [], Ending())

    async def is_asked_to_stop(self) -> bool:
        """Whether somebody has asked the running turn to stop."""
        assert self._lease is not None
        return await self._lease.renew(self._turn.turn_id)

    def piece(self, text: str, content: str) -> AssistantMessage:
        return self._make(AssistantMessage, message_id=text, content=content, streaming=True)

    def whole(self, text: str, content: str) -> AssistantMessage:
        return self._make(AssistantMessage, message_id=text, content=content, streaming=False)

    def model_call(self, call_id: str, model: str = MODEL) -> OpenAIEvent:
        span = self._span(call_id)
        return self._make(OpenAIEvent, call_id=call_id, provider="openai", model=model, **span)

    def model_end(self, call_id: str, model: str = MODEL, **fields: Any) -> OpenAIResponseEvent:
        common = {
            "prompt_tokens": 490,
            "completion_tokens": 130,
            "total_tokens": 620,
            "duration_ms": 900,
            "time_to_first_token_ms": 240,
            "finish_reason": "stop",
        }
        told = common | self._span(call_id) | fields
        return self._make(OpenAIResponseEvent, call_id=call_id, model=model, **told)

    def tool_call(self, call_id: str, name: str, arguments: dict[str, Any]) -> ToolCallEvent:
        self._names[call_id] = name
        span = self._span(call_id)
        return self._make(
            ToolCallEvent, tool_call_id=call_id, tool_name=name, arguments=arguments, **span
        )

    def tool_end(
        self, call_id: str, result: str, *, seconds: float = 0.3, is_error: bool = False
    ) -> ToolResultEvent:
        return self._make(
            ToolResultEvent,
            tool_call_id=call_id,
            tool_name=self._names[call_id],
            duration_ms=int(1000 * seconds),
            is_error=is_error,
            result=result,
            **self._span(call_id),
        )

    def custom(self, name: str, data: dict[str, Any]) -> AgentCustomEvent:
        return self._make(AgentCustomEvent, name=name, data=data)

    def _make(self, kind: type[E], **fields: Any) -> E:
        return self._turn.make(kind, **fields)

    def _span(self, call_id: str) -> dict[str, str]:
        return {"span_id": f"{crc32(call_id.encode()):016x}", "parent_span_id": TURN_SPAN}

    def _time(self) -> str:
        return format_timestamp(self.now)
