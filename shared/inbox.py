"""The inbox: a session's user messages that have not been answered yet, in order.

Whoever writes here (a gateway, or a worker in its place) is idempotent by `message_id`. Every
message in an inbox has an entry of its own in the work stream, which is acknowledged only when the
message has left the inbox.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, cast

from shared.errors import NotALog
from shared.ids import EntryId, SessionId, TurnId
from shared.keys import Keys
from shared.protocol import Event, UserMessageEvent, encode_event
from shared.redis_client import Redis, Scripts, ask
from shared.tracing import trace_id_of


@dataclass(frozen=True)
class SubmittedMessage:
    """A user message that a gateway has checked; the work stream and the inbox carry it."""

    session_id: SessionId
    message_id: TurnId
    content: str
    timestamp: str
    traceparent: str

    def event(self) -> UserMessageEvent:
        return UserMessageEvent(
            session_id=self.session_id,
            timestamp=self.timestamp,
            turn_id=self.message_id,
            trace_id=trace_id_of(self.traceparent),
            message_id=self.message_id,
            content=self.content,
        )


class Enqueued(StrEnum):
    """Where a message stands after *enqueue*; only `LEFT` allows its entry to be acknowledged."""

    ENQUEUED = "enqueued"
    WAITING = "waiting"
    LEFT = "left"


@dataclass(frozen=True)
class InboxItem:
    """A message in an inbox, with the work stream entry that keeps the promise to answer it."""

    message: SubmittedMessage
    entry_id: EntryId


CancelOutcome = Literal["cancelled", "flagged", "unknown"]


class Inbox:
    """The inboxes of one deployment."""

    def __init__(self, client: Redis, keys: Keys, *, session_ttl: int, log_max_events: int) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client)
        self._bounds = (session_ttl, log_max_events)

    async def admit(self, session_id: SessionId, message_id: TurnId) -> tuple[bool, int]:
        """Whether the message has been accepted before, and how many wait. Raises `Unavailable`."""
        keys = self._keys.session(session_id)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.sismember(keys.accepted, message_id)
        pipeline.llen(keys.inbox)
        known, waiting = await ask(self._client, pipeline.execute)
        return bool(known), int(waiting)

    async def enqueue(
        self, message: SubmittedMessage, entry_id: EntryId, client: Redis | None = None
    ) -> Enqueued:
        """Put the message into its session's inbox and show it in every tab, once however often
        this is called, over `client` where one is given. Raises `Unavailable`: call it again."""
        (word,) = await self._scripts.run_for_word(
            "enqueue",
            self._keys.session(message.session_id),
            *self._bounds,
            message.message_id,
            entry_id,
            _encode_item(message, entry_id),
            encode_event(message.event()),
            client=client,
        )
        return Enqueued(word)

    async def cancel(
        self, session_id: SessionId, turn_id: TurnId, finished: Event
    ) -> CancelOutcome:
        """Stop a turn: a waiting one ends here with `finished`, a running one is flagged for its
        worker. Raises `Unavailable`: call it again."""
        (word,) = await self._scripts.run_for_word(
            "cancel",
            self._keys.session(session_id),
            *self._bounds,
            turn_id,
            encode_event(finished),
        )
        return cast(CancelOutcome, word)

    async def delete_session(self, session_id: SessionId) -> None:
        """Remove everything the session has. Its open tabs start anew. Raises `Unavailable`."""
        keys = self._keys.session(session_id)
        # The clock that the script goes by: where Redis is a cluster, each node has its own.
        read = cast(Callable[..., Awaitable[tuple[bytes, bytes]]], self._client.eval)
        seconds, microseconds = await ask(
            self._client, lambda: read("return redis.call('TIME')", 1, keys.meta)
        )
        asked = int(seconds) * 1_000_000 + int(microseconds)
        await self._scripts.run("delete", keys, self._bounds[0], session_id, asked)


def _encode_item(message: SubmittedMessage, entry_id: EntryId) -> str:
    """The inbox element. Scripts rely on the first two fields and their order (`prelude.lua`)."""
    fields = {
        "message_id": message.message_id,
        "entry": entry_id,
        "content": message.content,
        "timestamp": message.timestamp,
        "traceparent": message.traceparent,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def decode_item(session_id: SessionId, text: bytes | str) -> InboxItem:
    """The inverse of what *enqueue* stored. Raises `NotALog` for anything else."""
    try:
        fields: dict[str, Any] = json.loads(text)
        message = SubmittedMessage(
            session_id=session_id,
            message_id=TurnId(fields["message_id"]),
            content=fields["content"],
            timestamp=fields["timestamp"],
            traceparent=fields["traceparent"],
        )
        return InboxItem(message, EntryId(fields["entry"]))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NotALog("an element of the inbox that is no message") from error
