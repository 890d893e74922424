"""The work stream: one entry per message or `/patient` request, spread over the workers by a group.

An entry is a promise: it stays until its message is known to have left the inbox, and is never
trimmed by length. A worker that dies leaves its entries pending; another claims them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from shared.ids import EntryId, parse_session_id, parse_turn_id
from shared.inbox import SubmittedMessage
from shared.keys import WORK_GROUP, Keys
from shared.patient_request import PatientRequest, RequestId
from shared.redis_client import SCRIPTS, Redis, RefusedByRedis, ask

Fields = dict[bytes, bytes]
FORGOTTEN_MS = 86_400_000
"""A consumer that has not read for so long is no worker any more."""

Work = SubmittedMessage | PatientRequest
T = TypeVar("T")


@dataclass(frozen=True)
class WorkEntry:
    """A claimed entry. `work` is `None` when the fields are not one of ours."""

    entry_id: EntryId
    work: Work | None


class WorkStream:
    """`turns` and its group, for gateways (submit) and workers (claim, defer, acknowledge)."""

    def __init__(self, client: Redis, keys: Keys) -> None:
        self._client = client
        self._stream = keys.turns()

    async def create_group(self, consumer: str) -> None:
        """Make the group, from the very first entry, and this consumer. Harmless when they
        exist."""
        try:
            await ask(
                self._client,
                lambda: self._client.xgroup_create(self._stream, WORK_GROUP, "0", mkstream=True),
            )
        except RefusedByRedis as error:
            if "BUSYGROUP" not in str(error):
                raise
        await ask(
            self._client,
            lambda: self._client.xgroup_createconsumer(self._stream, WORK_GROUP, consumer),
        )

    async def leave(self, consumer: str) -> None:
        """Take this consumer out of the group, and those that were not heard of for a day, where
        they have nothing pending: with them, their pending entries would be lost. One script, for
        an entry that came between looking and taking out would be."""
        await self._run("leave", WORK_GROUP, consumer, FORGOTTEN_MS)

    async def ping(self) -> None:
        """Whether the server that has the stream answers. Raises `Unavailable`."""
        look = cast(Callable[[str], Awaitable[int]], self._client.exists)
        await ask(self._client, lambda: look(self._stream))

    async def submit(self, work: Work, client: Redis | None = None) -> EntryId:
        """Write the work down: from here on a message is accepted. Over `client` where one is
        given. Raises `Unavailable`."""
        fields: Any = {name: str(value) for name, value in asdict(work).items()}
        over = client or self._client
        entry = await ask(over, lambda: over.xadd(self._stream, fields))
        return EntryId(cast(bytes, entry).decode())

    async def read_new(self, consumer: str, count: int, block_ms: int) -> list[WorkEntry]:
        """Entries that nobody has had, waiting at most `block_ms` for the first."""
        read = cast(Callable[..., Awaitable[Any]], self._client.xreadgroup)
        reply = await self._in_group(
            consumer,
            lambda: read(WORK_GROUP, consumer, {self._stream: ">"}, count=count, block=block_ms),
            blocks_seconds=block_ms / 1000,
        )
        return _decode(reply[0][1]) if reply else []

    async def claim_idle(
        self, consumer: str, idle_ms: int, cursor: str, count: int
    ) -> tuple[str, list[WorkEntry]]:
        """Entries whose worker has not been heard of for `idle_ms`, and the cursor to go on
        from."""
        claim = cast(Callable[..., Awaitable[Any]], self._client.xautoclaim)
        reply = await self._in_group(
            consumer,
            lambda: claim(self._stream, WORK_GROUP, consumer, idle_ms, cursor, count=count),
        )
        return cast(bytes, reply[0]).decode(), _decode(reply[1])

    async def times_claimed(self, entry_id: EntryId) -> int:
        """How many workers have had this pending entry."""
        pending = cast(Callable[..., Awaitable[Any]], self._client.xpending_range)
        rows = await ask(
            self._client, lambda: pending(self._stream, WORK_GROUP, entry_id, entry_id, 1)
        )
        return int(rows[0]["times_delivered"]) if rows else 0

    async def defer(self, consumer: str, entry_ids: Sequence[EntryId], idle_ms: int) -> None:
        """Leave entries pending, as if they had been idle for `idle_ms` already: that decides when
        `claim_idle` finds them again."""
        if not entry_ids:
            return
        claim = cast(Callable[..., Awaitable[Any]], self._client.xclaim)
        await self._in_group(
            consumer,
            lambda: claim(
                self._stream, WORK_GROUP, consumer, 0, list(entry_ids), idle=idle_ms, justid=True
            ),
        )

    async def acknowledge(self, entry_id: EntryId, client: Redis | None = None) -> None:
        """Delete an entry whose message is known to have left the inbox, over `client` where one is
        given. Harmless when it is gone. One script: an entry acknowledged and not deleted would
        stay for ever."""
        await self._run("acknowledge", WORK_GROUP, entry_id, client=client)

    async def _run(self, script: str, *arguments: str | int, client: Redis | None = None) -> None:
        over = client or self._client
        run = cast(Callable[..., Awaitable[Any]], over.eval)
        await ask(over, lambda: run(_read_script(script), 1, self._stream, *arguments))

    async def _in_group(
        self, consumer: str, call: Callable[[], Awaitable[T]], *, blocks_seconds: float = 0
    ) -> T:
        """Make `call`; a Redis that has come back without its data is given the group first."""
        try:
            return await ask(self._client, call, blocks_seconds=blocks_seconds)
        except RefusedByRedis as error:
            if not str(error).startswith("NOGROUP"):
                raise
        await self.create_group(consumer)
        return await ask(self._client, call, blocks_seconds=blocks_seconds)


@cache
def _read_script(name: str) -> str:
    return (SCRIPTS / "stream" / f"{name}.lua").read_text()


def _decode(rows: list[tuple[bytes, Fields | None]]) -> list[WorkEntry]:
    return [WorkEntry(EntryId(row[0].decode()), _decode_work(row[1])) for row in rows if row[1]]


def _decode_work(fields: Fields) -> Work | None:
    try:
        if b"request_id" in fields:
            return PatientRequest(
                request_id=RequestId(fields[b"request_id"].decode()),
                patient_id=str(UUID(fields[b"patient_id"].decode())),
                traceparent=fields[b"traceparent"].decode(),
            )
        return SubmittedMessage(
            session_id=parse_session_id(fields[b"session_id"].decode()),
            message_id=parse_turn_id(fields[b"message_id"].decode()),
            content=fields[b"content"].decode(),
            timestamp=fields[b"timestamp"].decode(),
            traceparent=fields[b"traceparent"].decode(),
        )
    except (KeyError, ValueError):
        return None
