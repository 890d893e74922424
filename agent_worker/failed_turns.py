"""Turns that failed: found for an operator, and tried again (`agent_worker/failed_command.py`).

The log is the truth. A turn that failed says so there; one that was tried again is followed there
by a message whose id is made from its own. So there is no list to keep, trying again twice is
harmless, and of a session that was deleted or has expired nothing is left to try.

Nothing is claimed here and no lease taken: a turn is tried again as a gateway accepts a message. It
is a turn of its own then, in the same session, and any worker answers it.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import cast
from uuid import UUID, uuid4, uuid5

from agent_worker.settings import WorkerSettings
from shared.errors import NotALog
from shared.ids import SessionId, TurnId, parse_session_id, parse_turn_id
from shared.inbox import Inbox, SubmittedMessage
from shared.promise import Promises
from shared.protocol import TurnFinished, UserMessageEvent, format_timestamp
from shared.redis_client import Redis, RefusedByRedis, ask
from shared.work_stream import WorkStream

KEYS_PER_SCAN = 1000
PAGE_EVENTS = 64
"""Read from a log at once."""
RETRIES = UUID("6f1d3c58-0b55-4bd5-9b0e-5e7f6f6f4f0a")
"""The name space of the ids of messages that are sent again (RFC 9562, version 5)."""
KINDS = {b'{"type":"turn_finished",': TurnFinished, b'{"type":"message",': UserMessageEvent}
"""What is looked at, by its first bytes. The other events are not parsed."""

Row = tuple[bytes, dict[bytes, bytes]]


@dataclass(frozen=True)
class FailedTurn:
    """A turn that ended as failed and was not tried again."""

    time: str
    """When it ended, as frames write it."""
    session_id: SessionId
    turn_id: TurnId
    code: str
    attempts: int
    content: str | None
    """What the user said; `None` where that was trimmed from the log: it cannot be sent again."""

    @property
    def retry_id(self) -> TurnId:
        """The id of the message, and so of the turn, that tries it again."""
        return make_retry_id(self.turn_id)


class FailedTurns:
    """Those of one deployment. Raises `Unavailable` and `RefusedByRedis`."""

    def __init__(self, client: Redis, settings: WorkerSettings) -> None:
        self._client = client
        self._keys = settings.keys()
        self._inbox = Inbox(
            client,
            self._keys,
            session_ttl=settings.session_ttl,
            log_max_events=settings.log_max_events,
        )
        self._promises = Promises(client, self._inbox, WorkStream(client, self._keys))

    async def find(self, code: str = "") -> AsyncGenerator[FailedTurn, None]:
        """Those of all sessions that failed with `code`, or with any. A session that is made, or
        moved to another node, meanwhile may be passed over; one turn may come twice."""
        async for session_id in self._sessions():
            for turn in await self.find_in(session_id):
                if code in ("", turn.code):
                    yield turn

    async def find_in(self, session_id: SessionId) -> list[FailedTurn]:
        """Those of one session, the oldest first. Raises `NotALog` where its keys hold something
        else."""
        messages: set[str] = set()
        ends: dict[str, TurnFinished] = {}
        found: list[FailedTurn] = []
        async for event in self._read_back(session_id):
            if isinstance(event, UserMessageEvent):
                messages.add(event.message_id)
                if event.message_id in ends:
                    found.append(_failed(session_id, ends.pop(event.message_id), event.content))
            elif event.status == "failed" and make_retry_id(event.turn_id or "") not in messages:
                ends[event.turn_id or ""] = event
        # What is left has lost its message to the log's limit: it is older than all others.
        found += [_failed(session_id, end, None) for end in ends.values()]
        return found[::-1]

    async def try_again(self, turn: FailedTurn) -> bool:
        """Send its message again; `False` where that is not in the log any more. Harmless where it
        was done before. The turn it becomes is one trace, which begins here."""
        if turn.content is None or await self._was_deleted_since(turn):
            return False
        known, _ = await self._inbox.admit(turn.session_id, turn.retry_id)
        if not known:
            message = SubmittedMessage(
                session_id=turn.session_id,
                message_id=turn.retry_id,
                content=turn.content,
                timestamp=format_timestamp(datetime.now(UTC)),
                traceparent=f"00-{uuid4().hex}-{uuid4().hex[:16]}-01",
            )
            await self._promises.accept(message)
        return True

    async def _was_deleted_since(self, turn: FailedTurn) -> bool:
        """Asked right before: it was found a while ago, maybe with many others."""
        key = self._keys.session(turn.session_id).deleted
        read = cast(Callable[[str], Awaitable[bytes | None]], self._client.get)
        mark = await ask(self._client, lambda: read(key)) or b"0"
        return int(mark.split()[0]) / 1e6 >= datetime.fromisoformat(turn.time).timestamp()

    async def _sessions(self) -> AsyncGenerator[SessionId, None]:
        pattern = self._keys.session(SessionId("*")).log
        front, _, back = pattern.partition("*")
        await ask(self._client, self._client.look_again)
        for node in self._client.nodes():
            async for name in _scan(node, pattern):
                try:
                    yield parse_session_id(name[len(front) : -len(back)])
                except ValueError:
                    continue  # somebody else's key, which only looks like one of ours

    async def _read_back(
        self, session_id: SessionId
    ) -> AsyncGenerator[TurnFinished | UserMessageEvent, None]:
        """The ends and messages of a log, the newest first."""
        log, before = self._keys.session(session_id).log, "+"
        read = cast(Callable[..., Awaitable[list[Row]]], self._client.xrevrange)
        while True:
            try:
                page = partial(read, log, before, "-", count=PAGE_EVENTS)
                rows = await ask(self._client, page)
            except RefusedByRedis as error:
                if str(error).startswith("WRONGTYPE"):
                    raise NotALog(str(error)) from error
                raise
            for _, fields in rows:
                event = _parse(fields.get(b"event", b""))
                if event is not None:
                    yield event
            if len(rows) < PAGE_EVENTS:
                return
            before = f"({rows[-1][0].decode()}"


def make_retry_id(turn_id: str) -> TurnId:
    """The id of the one message that tries this turn again."""
    return TurnId(str(uuid5(RETRIES, turn_id)))


async def _scan(node: Redis, pattern: str) -> AsyncGenerator[str, None]:
    """The names of the streams on this server that match, some maybe twice."""
    scan = cast(Callable[..., Awaitable[tuple[int, list[bytes]]]], node.scan)
    cursor = 0
    while True:
        look = partial(scan, cursor, match=pattern, count=KEYS_PER_SCAN, _type="stream")
        cursor, names = await ask(node, look)
        for name in names:
            yield name.decode(errors="replace")
        if cursor == 0:
            return


def _parse(stored: bytes) -> TurnFinished | UserMessageEvent | None:
    """The event, if it is one that is looked at. What a stranger has written is none."""
    for front, kind in KINDS.items():
        if stored.startswith(front):
            with suppress(ValueError):
                event = kind.model_validate_json(stored, extra="ignore")
                parse_turn_id(event.turn_id or "")
                datetime.fromisoformat(event.timestamp)
                return event
    return None


def _failed(session_id: SessionId, end: TurnFinished, content: str | None) -> FailedTurn:
    return FailedTurn(
        time=end.timestamp,
        session_id=session_id,
        turn_id=TurnId(end.turn_id or ""),
        code="" if end.error is None else end.error.code,
        attempts=end.attempt or 0,
        content=content,
    )
