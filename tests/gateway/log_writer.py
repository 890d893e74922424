"""Writes a session's log as an accepted message does, without a gateway and without a worker."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from shared.ids import EntryId, SessionId, TurnId
from shared.inbox import Enqueued, Inbox, SubmittedMessage
from shared.keys import Keys
from shared.redis_client import Redis, connect_redis

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOON = "2026-01-01T12:00:00.000Z"


class LogWriter:
    """Appends `message` events, one each call, by the product's own script."""

    def __init__(self, client: Redis, keys: Keys, *, log_max_events: int = 10_000) -> None:
        self.client = client
        self.keys = keys
        self._inbox = Inbox(client, keys, session_ttl=600, log_max_events=log_max_events)

    async def say(
        self, session_id: str, content: str, timestamp: str = NOON, message_id: str = ""
    ) -> str:
        """Append a user's message; returns its id, which is a new one unless it is given."""
        message = SubmittedMessage(
            SessionId(session_id),
            TurnId(message_id or str(uuid4())),
            content,
            timestamp,
            TRACEPARENT,
        )
        told = await self._inbox.enqueue(message, EntryId("9999999999999-0"))
        assert told is Enqueued.ENQUEUED
        return message.message_id

    async def positions(self, session_id: str) -> list[str]:
        """Every position that the log holds, as Redis itself tells it."""
        rows: Any = await self.client.xrange(self.keys.session(SessionId(session_id)).log)
        return [row[0].decode() for row in rows]

    async def keys_of(self, session_id: str) -> list[str]:
        """The names of all keys with this id in them, in whichever namespace."""
        found: Any = await self.client.keys(f"*{session_id}*")
        return [key.decode() for key in found]

    async def subscribers(self, session_id: str) -> int:
        """How many connections are subscribed to the session's channel."""
        counts = await self.client.pubsub_numsub(self.keys.channel(SessionId(session_id)))
        return int(counts[0][1])


@asynccontextmanager
async def writing_to(url: str, keys: Keys) -> AsyncGenerator[LogWriter, None]:
    """A writer for the block."""
    client = connect_redis(url)
    try:
        yield LogWriter(client, keys)
    finally:
        await client.aclose()
