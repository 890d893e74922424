"""The session log: the durable, ordered truth about one conversation.

Every event of a session is appended here exactly once and numbered 1, 2, 3 ... (`seq`) within an
epoch. Pub/sub carries the same event to whoever listens; the log proves it. Losing a pub/sub
message therefore costs a read, never an event.

This module reads; what appends are the holder of a lease (`shared/lease.py`) and the inbox
(`shared/inbox.py`). It does not know what events mean: it returns encoded text.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from shared.errors import NotALog, Unavailable
from shared.ids import EPOCH_LIMIT, Position, SessionId, parse_position
from shared.keys import Keys
from shared.redis_client import UNAVAILABLE, Redis, RefusedByRedis, Scripts, ask

PAGE_BYTES = 1_048_576
"""What a page holds at most, but for an event that alone is bigger."""


class LogEntry(NamedTuple):
    """One event as stored: JSON text without its `id`, and the position that is its `id`."""

    position: Position
    stored: str


@dataclass(frozen=True)
class LogPage:
    """Entries after a position, with the state of the log at the same instant."""

    entries: Sequence[LogEntry]
    head: Position | None
    """The last position ever written; `None` for a log that does not exist."""
    trimmed: Position | None
    """Up to here, entries were removed for size: something is missing."""
    is_last: bool
    """Whether the log held nothing after these entries."""


class SessionLog:
    """Reads the logs of one deployment."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._scripts = Scripts(client)

    async def read_after(
        self,
        session_id: SessionId,
        position: Position | None,
        count: int,
        count_bytes: int = PAGE_BYTES,
    ) -> LogPage:
        """At most `count` entries of together `count_bytes` after `position`, or from the
        beginning; one however big it is. Raises `Unavailable`, and `NotALog` when the session's
        keys hold something else."""
        after = "" if position is None else str(position)
        try:
            keys = self._keys.session(session_id)
            reply = await self._scripts.run("read", keys, after, count, count_bytes)
            epoch, head, trimmed, flat = cast(
                tuple[bytes | None, bytes | None, bytes | None, list[bytes]], reply
            )
            entries = [_entry(*row) for row in zip(flat[::2], flat[1::2], strict=True)]
            last = _head(epoch, head)
            return LogPage(
                entries=entries,
                head=last,
                trimmed=parse_position(trimmed.decode()) if trimmed else None,
                is_last=not entries or (last is not None and entries[-1].position >= last),
            )
        except (RefusedByRedis, ValueError) as error:
            raise NotALog(str(error)) from error

    async def read_heads(
        self, session_ids: Sequence[SessionId]
    ) -> dict[SessionId, Position | None]:
        """The last position of each log, in one round trip; `None` also where there is no log of
        ours, which a read then says. Those of a node that is away are left out. Raises
        `Unavailable` when none could be asked."""
        pipeline = self._client.pipeline(transaction=False)
        for session_id in session_ids:
            pipeline.hmget(self._keys.session(session_id).meta, ["epoch", "head"])
        execute = cast(Callable[..., Awaitable[list[Any]]], pipeline.execute)
        replies = await ask(self._client, lambda: execute(raise_on_error=False))
        heads: dict[SessionId, Position | None] = {}
        for session_id, reply in zip(session_ids, replies, strict=True):
            if not isinstance(reply, UNAVAILABLE):
                heads[session_id] = _head_or_none(reply)
        if replies and not heads:
            raise Unavailable(str(replies[0])) from replies[0]
        return heads


def _entry(place: bytes, stored: bytes) -> LogEntry:
    if not (stored.startswith(b'{"type":"') and stored.endswith(b"}")):
        raise ValueError("an entry that is not an event")
    epoch, _, seq = place.partition(b"-")  # Redis has written it: it is canonical
    position = Position(int(epoch), int(seq))
    if position.epoch >= EPOCH_LIMIT or position.seq >= EPOCH_LIMIT:
        raise ValueError("a position that is none of ours")
    return LogEntry(position, stored.decode())


def _head_or_none(reply: list[bytes | None] | Exception) -> Position | None:
    try:
        return None if isinstance(reply, Exception) else _head(*reply)
    except ValueError:
        return None


def _head(epoch: bytes | None, seq: bytes | None) -> Position | None:
    return None if epoch is None or seq is None else Position(int(epoch), int(seq))
