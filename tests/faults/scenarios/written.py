"""Conversations that are there already: written by the product's own scripts, without a worker."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import Enqueued, Inbox, SubmittedMessage
from shared.keys import Keys
from shared.lease import Ending, Lease, Leases, Started, make_acquisition
from shared.protocol import (
    AssistantMessage,
    Event,
    OpenAIEvent,
    OpenAIResponseEvent,
    TurnFinished,
    TurnStarted,
    encode_event,
    format_timestamp,
)
from shared.redis_client import Redis, connect_redis
from tests.faults.script import Answer

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AT_ONCE = 30
SESSION_TTL, LOG_MAX_EVENTS, LEASE_MS, ATTEMPTS = 600, 10_000, 60_000, 3


class Writer:
    """Writes finished turns as a gateway and a worker would."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._inbox = Inbox(client, keys, session_ttl=SESSION_TTL, log_max_events=LOG_MAX_EVENTS)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._leases = Leases(
            client,
            keys,
            session_ttl=SESSION_TTL,
            log_max_events=LOG_MAX_EVENTS,
            lease_ms=LEASE_MS,
        )

    async def write_turn(self, session_id: str, answer: Answer) -> None:
        """The message of `answer` and the whole turn that answers it; it has no tool calls."""
        async with self._turns:
            await self._write_turn(session_id, answer)

    async def _write_turn(self, session_id: str, answer: Answer) -> None:
        session, turn = SessionId(session_id), TurnId(answer.message_id)
        now = format_timestamp(datetime.now(UTC))
        message = SubmittedMessage(session, turn, answer.content, now, TRACEPARENT)
        told = await self._inbox.enqueue(message, EntryId("9999999999999-0"))
        assert told is Enqueued.ENQUEUED
        lease = await self._leases.acquire(session, make_acquisition())
        assert isinstance(lease, Lease)
        base = {"session_id": session_id, "timestamp": now, "turn_id": turn, "attempt": 1}
        begin = encode_event(TurnStarted.model_validate(base | {"worker": "written"}))
        started = await lease.start(lease.next_batch(), turn, 1, ATTEMPTS, [begin])
        assert started is Started.STARTED
        events = [encode_event(event) for event in _rest_of(answer, base)]
        await lease.finish(lease.next_batch(), turn, events, [], Ending())
        assert await lease.release()


def _rest_of(answer: Answer, base: dict[str, str | int]) -> list[Event]:
    calls: list[Event] = []
    for number in range(answer.model_calls):
        call_id = f"{answer.message_id}.{number}"
        ids = base | {"call_id": call_id, "model": "m-x"}
        calls.append(OpenAIEvent.model_validate(ids | {"provider": "openai"}))
        calls.append(OpenAIResponseEvent.model_validate(ids | {"duration_ms": 1}))
    text = base | {"message_id": f"{answer.message_id}.1.1", "content": answer.text}
    end = base | {"status": "completed", "duration_ms": 1}
    return [*calls, AssistantMessage.model_validate(text), TurnFinished.model_validate(end)]


@asynccontextmanager
async def writing(url: str, keys: Keys) -> AsyncGenerator[Writer, None]:
    """A writer for the block."""
    client = connect_redis(url)
    try:
        yield Writer(client, keys)
    finally:
        await client.aclose()
