"""A gateway that does what the test's script says, so that every fault can be had at will."""

import asyncio
import json
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fanline import Backoff
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

QUICK = Backoff(first_seconds=0.001, longest_seconds=0.001)
NEVER = Backoff(first_seconds=3600, longest_seconds=3600)
"""Whoever waits for this is not back before the test's time-out."""
HEARTBEAT_SECONDS = 15.0


@dataclass(frozen=True)
class Patient(Backoff):
    """Waits as `NEVER` does, and tells when it begins to."""

    waits: threading.Event = field(default_factory=threading.Event)

    def delay(self, failures: int) -> float:
        self.waits.set()
        return NEVER.delay(failures)


class FakeSocket:
    """One socket, as the gateway has it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection
        request = connection.request
        assert request is not None
        self.headers = request.headers
        self.path = request.path
        query = parse_qs(urlsplit(request.path).query)
        self.session_id = query["session_id"][0]
        self.last_event_id = query.get("last_event_id", [None])[0]

    async def next(self) -> dict[str, Any]:
        """The next frame that the client sent."""
        return json.loads(await self._connection.recv())

    async def send(self, kind: str, position: str | None = None, **fields: object) -> None:
        """Send one frame; an event when it has a position."""
        front = {} if position is None else {"id": position}
        frame = front | {"type": kind, "session_id": self.session_id} | fields
        await self._connection.send(json.dumps(frame))

    async def greet(
        self,
        head: str | None = None,
        *,
        reset: bool = False,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
    ) -> None:
        """The `connection` frame that says `connected`."""
        await self.send(
            "connection",
            status="connected",
            protocol=1,
            resumed=self.last_event_id is not None and not reset,
            reset=reset,
            truncated=False,
            heartbeat_seconds=heartbeat_seconds,
            server_time="2026-01-01T00:00:00.000Z",
            head=head,
        )

    async def show(self, position: str, message_id: str, content: str = "q") -> None:
        """The `message` event that shows what was sent."""
        await self.send(
            "message", position, turn_id=message_id, message_id=message_id, content=content
        )

    async def say(
        self, position: str, turn_id: str, text: str, content: str, **fields: object
    ) -> None:
        """An `assistant` event; a piece, unless `streaming=False` is given."""
        told: dict[str, object] = {"attempt": 1, "streaming": True, "content": content}
        await self.send("assistant", position, turn_id=turn_id, message_id=text, **(told | fields))

    async def say_pieces(self, *positions: str) -> None:
        """Pieces of one text, at these positions."""
        for position in positions:
            await self.say(position, "5b1c1c1e-8f1e-4a51-9d6d-0d4a40a1a000", "t", "x")

    async def finish(
        self, position: str, turn_id: str, status: str = "completed", **fields: object
    ) -> None:
        """The `turn_finished` event."""
        await self.send("turn_finished", position, turn_id=turn_id, status=status, **fields)

    async def close(self, code: int, reason: str = "") -> None:
        await self._connection.close(code, reason)

    async def closed(self) -> int | None:
        """The code with which it was closed, once it is."""
        await self._connection.wait_closed()
        return self._connection.close_code

    def freeze(self) -> None:
        """Take no more of what the client sends, its close frame among it."""
        self._connection.transport.pause_reading()

    def vanish(self) -> None:
        """Break the connection without a word."""
        self._connection.transport.abort()


class FakeGateway:
    """Accepts sockets and hands them to the test."""

    def __init__(self) -> None:
        self.url = ""
        self.refusals: list[int] = []
        """HTTP statuses for the next handshakes, one each."""
        self.refusal = "the test says so"
        """The body that goes with them."""
        self.location = ""
        """Where else they send the client."""
        self._sockets: asyncio.Queue[FakeSocket] = asyncio.Queue()

    async def next_socket(self) -> FakeSocket:
        """The next socket that a client opened."""
        return await self._sockets.get()

    def has_no_other_socket(self) -> bool:
        return self._sockets.empty()

    async def serve(self, connection: ServerConnection) -> None:
        self._sockets.put_nowait(FakeSocket(connection))
        await connection.wait_closed()

    def judge(self, connection: ServerConnection, request: Request) -> Response | None:
        if not self.refusals:
            return None
        response = connection.respond(HTTPStatus(self.refusals.pop(0)), self.refusal)
        if self.location:
            response.headers["Location"] = self.location
        return response


@asynccontextmanager
async def fake_gateway() -> AsyncGenerator[FakeGateway, None]:
    """A gateway that serves while the block runs."""
    gateway = FakeGateway()
    serving = serve(gateway.serve, "127.0.0.1", 0, process_request=gateway.judge, max_size=None)
    async with serving as server:
        host, port = server.sockets[0].getsockname()[:2]
        gateway.url = f"ws://{host}:{port}/ws"
        yield gateway
