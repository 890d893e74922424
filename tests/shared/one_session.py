"""One session of one deployment, driven straight through `shared`: what gateways and workers do to
it, and what Redis then holds."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

from shared.ids import EntryId, Position, SessionId, TurnId, make_turn_id
from shared.inbox import CancelOutcome, Inbox, InboxItem, SubmittedMessage
from shared.keys import Keys
from shared.lease import Ending, Lease, Leases, Started, make_acquisition
from shared.protocol import AssistantMessage, TurnFinished, TurnStarted, TurnStatus, encode_event
from shared.redis_client import Redis, Scripts
from shared.session_log import SessionLog
from shared.work_stream import WorkStream

TIMESTAMP = "2026-01-01T00:00:00.000Z"
MOST_ATTEMPTS = 3
END_OF_LISTENING = b"that was all"


class OneSession:
    """One session. Every method is one command, or one obvious row of them."""

    def __init__(
        self,
        client: Redis,
        keys: Keys,
        session_id: str = "s-1",
        *,
        session_ttl: int = 600,
        log_max_events: int = 1000,
        lease_ms: int = 60_000,
        scripts: Scripts | None = None,
    ) -> None:
        """`scripts`: how a worker runs them, where not one by one over `client`."""
        self.client: Any = client
        self.deployment = keys
        self.id = SessionId(session_id)
        self.keys = keys.session(self.id)
        bounds = {"session_ttl": session_ttl, "log_max_events": log_max_events}
        self.inbox = Inbox(client, keys, **bounds)
        self.leases = Leases(client, keys, **bounds, lease_ms=lease_ms, scripts=scripts)
        self.log = SessionLog(client, keys)
        self.work_stream = WorkStream(client, keys)

    # what a gateway does

    def message(self, content: str = "hi", message_id: str | None = None) -> SubmittedMessage:
        return SubmittedMessage(
            session_id=self.id,
            message_id=TurnId(message_id) if message_id else make_turn_id(),
            content=content,
            timestamp=TIMESTAMP,
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )

    async def submit(self, content: str = "hi", message_id: str | None = None) -> InboxItem:
        """A message in the work stream and in the inbox."""
        message = self.message(content, message_id)
        entry_id = await self.work_stream.submit(message)
        await self.inbox.enqueue(message, entry_id)
        return InboxItem(message, entry_id)

    async def cancel(self, turn_id: TurnId) -> CancelOutcome:
        return await self.inbox.cancel(self.id, turn_id, self.finished(turn_id, "cancelled"))

    # what a worker does

    async def acquire(self, acquisition: str | None = None) -> Lease:
        """The lease, which nobody else holds."""
        lease = await self.leases.acquire(self.id, acquisition or make_acquisition())
        assert isinstance(lease, Lease), lease
        return lease

    async def take_over(self) -> Lease:
        """The lease, after the one before it has run out."""
        await self.client.delete(self.keys.lease)
        return await self.acquire()

    async def start(
        self, lease: Lease, turn_id: TurnId, attempt: int = 1, most: int = MOST_ATTEMPTS
    ) -> Started:
        event = TurnStarted(
            session_id=self.id, timestamp=TIMESTAMP, turn_id=turn_id, attempt=attempt, worker="w"
        )
        return await lease.start(lease.next_batch(), turn_id, attempt, most, [encode_event(event)])

    async def say(self, lease: Lease, turn_id: TurnId, *pieces: str) -> list[Position]:
        """Pieces of the answer, in one batch; returns their positions."""
        events = [self.said(turn_id, piece, streaming=True) for piece in pieces]
        last = await lease.append(lease.next_batch(), turn_id, events, [])
        return [Position(last.epoch, last.seq - n) for n in reversed(range(len(pieces)))]

    async def finish(
        self,
        lease: Lease,
        turn_id: TurnId,
        answer: str = "done",
        remove: list[Position] | None = None,
        ending: Ending | None = None,
    ) -> None:
        events = [
            self.said(turn_id, answer, streaming=False),
            encode_event(self.finished(turn_id, "completed")),
        ]
        await lease.finish(lease.next_batch(), turn_id, events, remove or [], ending or Ending())

    async def hand_back(self, lease: Lease, turn_id: TurnId) -> list[EntryId]:
        return await lease.hand_back(lease.next_batch(), turn_id)

    # events

    def said(self, turn_id: TurnId, content: str, *, streaming: bool) -> str:
        return encode_event(
            AssistantMessage(
                session_id=self.id,
                timestamp=TIMESTAMP,
                turn_id=turn_id,
                attempt=1,
                message_id=f"{turn_id}-answer",
                content=content,
                streaming=streaming,
            )
        )

    def finished(self, turn_id: TurnId, status: TurnStatus) -> TurnFinished:
        return TurnFinished(
            session_id=self.id, timestamp=TIMESTAMP, turn_id=turn_id, status=status, duration_ms=1
        )

    # what Redis holds

    async def events(self) -> list[dict[str, Any]]:
        """The log, as `redis-cli XRANGE` shows it."""
        rows = await self.client.xrange(self.keys.log)
        return [{"id": place.decode(), **json.loads(fields[b"event"])} for place, fields in rows]

    async def kinds(self) -> list[str]:
        return [event["type"] for event in await self.events()]

    async def waiting(self) -> list[str]:
        """The message ids in the inbox, in order."""
        elements = await self.client.lrange(self.keys.inbox, 0, -1)
        return [json.loads(element)["message_id"] for element in elements]

    async def meta(self) -> dict[str, str]:
        fields = await self.client.hgetall(self.keys.meta)
        return {name.decode(): value.decode() for name, value in fields.items()}

    async def expiries(self) -> dict[str, int]:
        """When each existing key of the conversation expires, in ms since 1970; -1: never."""
        keys = self.keys
        names = (keys.log, keys.meta, keys.inbox, keys.accepted, keys.history, keys.cancel)
        moments = {name: await self.client.pexpiretime(name) for name in names}
        return {name: moment for name, moment in moments.items() if moment != -2}

    async def check_keys_expire_together(self) -> None:
        """No key of the session lives for ever, and those of the conversation end as one."""
        moments = await self.expiries()
        assert -1 not in moments.values(), f"never expires: {moments}"
        assert len(set(moments.values())) <= 1, f"not together: {moments}"
        for name in (self.keys.lease, self.keys.deleted):
            assert await self.client.pttl(name) != -1, f"{name} never expires"

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[list[str], None]:
        """The list that holds, after the block, every text that its channel carried meanwhile."""
        texts: list[str] = []
        async with self.client.pubsub() as pubsub:
            await pubsub.subscribe(self.keys.channel)
            await pubsub.get_message(timeout=5)  # the confirmation
            yield texts
            await self.client.publish(self.keys.channel, END_OF_LISTENING)
            while (told := await pubsub.get_message(timeout=5)) is not None:
                payload = cast(bytes, told["data"])
                if payload == END_OF_LISTENING:
                    return
                texts.append(payload.decode())


def a_namespace() -> Keys:
    """The keys of a deployment that nobody else uses."""
    return Keys(f"t{uuid4().hex[:12]}")
