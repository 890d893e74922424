"""A session: one tab's view of a conversation, over as many sockets as it takes.

What was taken is the cursor's business, what was said the outbox's; here are the sockets.
"""

import asyncio
import json
import uuid
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from fanline.backoff import Backoff, Pauses
from fanline.conversation import Conversation
from fanline.cursor import Cursor
from fanline.errors import Closed, Refused, TooBig, TurnFailed
from fanline.events import Event, Position, parse_event
from fanline.handshake import Handshake, Token, hang_up
from fanline.outbox import Outbox

POLICY, TOO_BIG = 1008, 1009
SILENCE_SECONDS = 30.0
"""Until the gateway has said how often its heart beats."""


class Session:
    """Iterate over it for every event, once, in order; it reconnects by itself while it is iterated
    or asked. Frames that are in no log come too: after one that `is_reset` drop what you have.

    One task iterates or asks; any task may send, cancel and close.
    """

    def __init__(
        self, handshake: Handshake, *, last_event_id: str | None, backoff: Backoff
    ) -> None:
        self.session_id = handshake.session_id
        self.reconnects = 0
        """Sockets that were lost so far."""
        self._cursor = Cursor(None if last_event_id is None else Position.parse(last_event_id))
        self._outbox = Outbox()
        self._handshake = handshake
        self._pauses = Pauses(backoff)
        self._socket: ClientConnection | None = None
        self._to_send: deque[str] = deque()
        self._sending = asyncio.Lock()
        self._connecting: asyncio.Timeout | None = None
        self._silence_seconds = SILENCE_SECONDS
        self._closed = False

    @property
    def cursor(self) -> Position | None:
        """The position of the last event: `last_event_id=str(session.cursor)` resumes there. `None`
        before the first event and after a reset."""
        return self._cursor.position

    def __aiter__(self) -> "Session":
        return self

    async def __anext__(self) -> Event:
        """The next event; ends when the session is closed. Raises `Refused` when the gateway will
        not have this socket (`Unauthorized` or `Forbidden` where it is about the token), `TooBig`
        when it could not take a message, and what the token's function raises.

        Cancelling loses nothing.
        """
        while not self._closed:
            socket = self._socket
            if socket is None:
                await self._connect()
                continue
            try:
                await self._flush()
                async with asyncio.timeout(self._silence_seconds):
                    text = await socket.recv()
            except ConnectionClosed as closed:
                self._lost(closed)
            except TimeoutError:
                self._drop(socket)  # not even a heartbeat: the connection only looks alive
            else:
                try:
                    event = parse_event(text)
                except ValueError:
                    continue  # forged on the channel: no gateway of ours writes it
                self._outbox.settle(event)
                if event.type == "connection" and event.get("heartbeat_seconds"):
                    self._silence_seconds = 2 * float(event["heartbeat_seconds"])
                if self._cursor.take(event):
                    return event
        await self.close()  # it may have been closed while a socket was being opened
        raise StopAsyncIteration

    async def send(self, content: str, message_id: str | None = None) -> str:
        """Send a message and return its id, which is the id of its turn. It is kept until the
        gateway has shown or refused it, and sent again after a reconnect: it is accepted when its
        `message` event comes. Sending one again, with the same `message_id`, changes nothing.

        Raises `ValueError` for a `message_id` that is not a UUID and for what is not text,
        `FanlineError` when 100 wait, `Closed`.
        """
        message_id = message_id or str(uuid.uuid4())
        uuid.UUID(message_id)
        content.encode()  # a lone surrogate would be refused without saying which message it was
        fields = {"type": "message", "session_id": self.session_id}
        frame = json.dumps(fields | {"content": content, "message_id": message_id})
        self._outbox.add_message(message_id, frame)
        await self._say(frame)
        return message_id

    async def cancel(self, turn_id: str) -> None:
        """Ask for a turn to be stopped; its `turn_finished` is the answer. Said again after a
        reconnect, as messages are. Raises `Closed`."""
        frame = json.dumps({"type": "cancel", "session_id": self.session_id, "turn_id": turn_id})
        self._outbox.add_cancel(turn_id, frame)
        await self._say(frame)

    async def ask(self, content: str, on_event: Callable[[Event], object] | None = None) -> str:
        """Send a message and return the answer, when the turn is over; `on_event` is given the
        turn's events as they come. Other events that come meanwhile are taken: do not iterate at
        the same time.

        Raises `TurnFailed` when the turn has failed or was stopped, or the message was refused;
        `Closed`; and what `send`, iterating and `on_event` raise. If it is cancelled, the turn goes
        on.
        """
        turn_id = await self.send(content)
        conversation = Conversation()
        async for event in self:
            conversation.apply(event)
            if on_event is not None and event.turn_id == turn_id:
                on_event(event)
            if event.is_reset:
                # The log may have lost the message with the rest; known ones are not run again.
                await self.send(content, turn_id)
            if event.type == "error" and event.get("message_id") == turn_id:
                raise TurnFailed(event["code"], event["error"])
            turn = conversation.turns.get(turn_id)
            if turn is not None and turn.status is not None:
                return turn.result()
        raise Closed("the session was closed before the answer came")

    async def close(self) -> None:
        """End the session, and with it its iteration, also one that waits for a gateway. What was
        said and not shown is not said again. The cursor stays good for another session."""
        self._closed = True
        if self._connecting is not None:
            self._connecting.reschedule(0)
        socket, self._socket = self._socket, None
        if socket is not None:
            await hang_up(socket)

    async def open(self) -> None:
        """Connect, however long the gateway cannot be reached. Raises `Refused`. Iterating does it
        too."""
        if self._socket is None:
            await self._connect()

    async def _connect(self) -> None:
        """Open a socket, unless the session is closed meanwhile."""
        try:
            async with asyncio.timeout(None) as self._connecting:
                socket = await self._next_socket()
        except TimeoutError:
            if not self._closed:
                raise  # the token's function did
            return
        finally:
            self._connecting = None
        self._pauses.on_opened(_now())
        self._to_send = deque(self._outbox.frames())
        self._socket = socket

    async def _next_socket(self) -> ClientConnection:
        while True:
            await asyncio.sleep(self._pauses.not_before - _now())
            socket = await self._handshake.open(self.cursor)
            if socket is not None:
                return socket
            self._pauses.on_failed(_now())

    def _lost(self, closed: ConnectionClosed) -> None:
        code = closed.rcvd.code if closed.rcvd else None
        reason = closed.rcvd.reason if closed.rcvd else ""
        self._socket = None
        if self._closed:
            return
        self.reconnects += 1
        if code == POLICY:
            raise Refused(reason or f"the gateway closed the socket with {code}") from closed
        if code == TOO_BIG and (message_id := self._outbox.drop_largest()) is not None:
            raise TooBig(f"message {message_id} was too big and has not been sent") from closed
        self._pauses.on_lost(_now(), code, reason)

    def _drop(self, socket: ClientConnection) -> None:
        socket.transport.abort()
        self._socket = None
        self.reconnects += 1

    async def _say(self, frame: str) -> None:
        if self._closed:
            raise Closed("the session is closed")
        if self._socket is None:
            return  # the outbox has it: said when there is a socket
        self._to_send.append(frame)
        try:
            await self._flush()
        except ConnectionClosed:
            return  # found by the next read, which connects anew

    async def _flush(self) -> None:
        """Say what is due, in order, whichever task began. Raises `ConnectionClosed`."""
        async with self._sending:
            while self._socket is not None and self._to_send:
                due = self._to_send  # a new socket gets a list of its own meanwhile
                await self._socket.send(due[0])
                due.popleft()


def _now() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def connect(
    url: str,
    session_id: str,
    *,
    last_event_id: str | None = None,
    token: Token | None = None,
    origin: str | None = None,
    backoff: Backoff | None = None,
) -> AsyncGenerator[Session, None]:
    """A session at the gateway whose socket is at `url` (`ws://host/ws`), from `last_event_id` or
    from the beginning; closed after the block. Waits for a gateway that cannot be reached, for as
    long as it takes. Raises `Refused`, and `ValueError` for what is no address and no position.

    A gateway with authentication wants a `token`: a text, or a function, plain or async, that
    gives a fresh one for each connection. What it raises ends the session's iteration."""
    handshake = Handshake(url, session_id, origin, token)
    session = Session(handshake, last_event_id=last_event_id, backoff=backoff or Backoff())
    await session.open()
    try:
        yield session
    finally:
        await session.close()
