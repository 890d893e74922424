"""A session: one tab's view of a conversation, over as many sockets as it takes.

The position of the last event is the resume point and the only dedupe. Messages that the gateway has
not shown yet are sent again after a reconnect, with the same id, which runs them once.
"""

import asyncio
import json
import random
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.typing import Origin

from fanline.conversation import Conversation
from fanline.errors import FanlineError, Refused, TurnFailed
from fanline.events import Event, Position, parse_event

POLICY, TOO_BIG, DRAINING = 1008, 1009, 1012
MAX_UNSHOWN = 100
"""Messages that may wait for their echo."""
OPEN_SECONDS = 10.0


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next try: a random half of a doubling bound."""

    first_seconds: float = 1.0
    longest_seconds: float = 30.0
    stable_seconds: float = 5.0
    """A socket that was open for so long counts as a success."""

    def delay(self, failures: int) -> float:
        bound = min(self.longest_seconds, self.first_seconds * 2 ** min(failures, 30))
        return bound * random.uniform(0.5, 1)


class Session:
    """Iterate over it for every event, once, in order; it reconnects by itself. Frames that are in no
    log come too: after a `connection` with `reset` drop what you have."""

    def __init__(
        self,
        url: str,
        session_id: str,
        *,
        last_event_id: str | None,
        origin: str | None,
        backoff: Backoff,
    ) -> None:
        self.session_id = session_id
        self.cursor = Position.parse(last_event_id) if last_event_id else None
        self.reconnects = 0
        self._url = url
        self._origin = origin
        self._backoff = backoff
        self._socket: ClientConnection | None = None
        self._unshown: dict[str, str] = {}
        self._failures = 0
        self._opened_at = 0.0
        self._silence_seconds = 30.0
        self._replay_until: Position | None = None

    def __aiter__(self) -> "Session":
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises `Refused` when the gateway will not have this socket.

        Cancelling loses nothing.
        """
        while True:
            socket = self._socket or await self._connect()
            try:
                async with asyncio.timeout(self._silence_seconds):
                    text = await socket.recv()
            except ConnectionClosed as closed:
                await self._lost(closed)
                continue
            except TimeoutError:
                await self._drop()  # not even a heartbeat: the connection only looks alive
                continue
            event = parse_event(text)
            if self._take(event):
                return event

    async def send(self, content: str, message_id: str | None = None) -> str:
        """Send a message and return its id, which is the id of its turn. It is kept until the gateway
        has shown it, and sent again after a reconnect."""
        message_id = message_id or str(uuid.uuid4())
        if len(self._unshown) >= MAX_UNSHOWN:
            raise FanlineError(f"{MAX_UNSHOWN} messages have not been shown yet")
        frame = {"type": "message", "session_id": self.session_id}
        self._unshown[message_id] = json.dumps(
            frame | {"content": content, "message_id": message_id}
        )
        await self._try_to_send(self._unshown[message_id])
        return message_id

    async def cancel(self, turn_id: str) -> None:
        """Ask for a turn to be stopped; its `turn_finished` is the answer."""
        frame = {"type": "cancel", "session_id": self.session_id, "turn_id": turn_id}
        await self._try_to_send(json.dumps(frame))

    async def ask(self, content: str) -> str:
        """Send a message and return the answer. Raises `TurnFailed`. Events that come meanwhile are
        taken: do not iterate at the same time."""
        turn_id = await self.send(content)
        conversation = Conversation()
        async for event in self:
            conversation.apply(event)
            turn = conversation.turns.get(turn_id)
            if event.type == "error" and event.get("message_id") == turn_id:
                raise TurnFailed(event["code"], event["error"])
            if turn is not None and turn.status is not None:
                if turn.status != "completed":
                    error = turn.error or {"code": turn.status, "error": turn.status}
                    raise TurnFailed(error["code"], error["error"])
                return turn.answer
        raise FanlineError("the session has ended")

    async def close(self) -> None:
        """Close the socket. The cursor stays good."""
        if self._socket is not None:
            await self._socket.close()
            self._socket = None

    async def _connect(self) -> ClientConnection:
        query = {"session_id": self.session_id}
        if self.cursor is not None:
            query["last_event_id"] = str(self.cursor)
        origin = None if self._origin is None else Origin(self._origin)
        while True:
            try:
                self._socket = await open_socket(
                    f"{self._url}?{urlencode(query)}",
                    origin=origin,
                    compression=None,
                    max_size=None,
                    open_timeout=OPEN_SECONDS,
                )
            except InvalidStatus as refusal:
                if refusal.response.status_code < 500:
                    status = refusal.response.status_code
                    raise Refused(f"the gateway answered {status}") from refusal
                await self._wait()
            except (OSError, TimeoutError, WebSocketException):
                await self._wait()
            else:
                break
        self._opened_at = asyncio.get_running_loop().time()
        for frame in list(self._unshown.values()):
            await self._try_to_send(frame)
        return self._socket

    async def _lost(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else None
        reason = closed.rcvd.reason if closed.rcvd else ""
        self._socket = None
        self.reconnects += 1
        if code == POLICY:
            raise Refused(reason or "the gateway closed the socket for good") from closed
        if code == TOO_BIG:
            self._unshown.clear()
            raise FanlineError("a message was too big and has not been sent") from closed
        loop = asyncio.get_running_loop()
        if loop.time() - self._opened_at >= self._backoff.stable_seconds:
            self._failures = 0
        if code == DRAINING and reason.isdecimal():
            await asyncio.sleep(int(reason) / 1000)
        else:
            await self._wait()

    async def _drop(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
            self._socket = None
            self.reconnects += 1

    async def _wait(self) -> None:
        await asyncio.sleep(self._backoff.delay(self._failures))
        self._failures += 1

    async def _try_to_send(self, frame: str) -> None:
        if self._socket is None:
            return  # sent when there is one
        try:
            await self._socket.send(frame)
        except ConnectionClosed:
            return  # found by the next read, which connects anew

    def _take(self, event: Event) -> bool:
        if event.type == "connection":
            self._on_connection(event)
        if event.position is None:
            self._unshown_refused(event)
            return True
        if not self._is_new(event.position):
            return False
        self.cursor = event.position
        if event.type == "message":
            self._unshown.pop(event["message_id"], None)
        return True

    def _is_new(self, position: Position) -> bool:
        if self.cursor is None:
            return True
        if position.epoch == self.cursor.epoch:
            return position > self.cursor
        # A step of epoch is right within the replay that `connection` announced, and nowhere else.
        replayed = self._replay_until is not None and position <= self._replay_until
        return replayed and position > self.cursor

    def _on_connection(self, event: Event) -> None:
        if event["status"] != "connected":
            return
        self._silence_seconds = 2 * float(event["heartbeat_seconds"])
        self._replay_until = Position.parse(event["head"]) if event["head"] else None
        if event["reset"]:
            self.cursor = None

    def _unshown_refused(self, event: Event) -> None:
        if event.type == "error" and not event.get("retryable"):
            self._unshown.pop(event.get("message_id") or "", None)


@asynccontextmanager
async def connect(
    url: str,
    session_id: str,
    *,
    last_event_id: str | None = None,
    origin: str | None = None,
    backoff: Backoff | None = None,
) -> AsyncGenerator[Session, None]:
    """A session at the gateway whose socket is at `url` (`ws://host/ws`), from `last_event_id` or from
    the beginning. Raises `Refused`."""
    session = Session(
        url,
        session_id,
        last_event_id=last_event_id,
        origin=origin,
        backoff=backoff or Backoff(),
    )
    await session._connect()  # pyright: ignore[reportPrivateUsage]
    try:
        yield session
    finally:
        await session.close()
