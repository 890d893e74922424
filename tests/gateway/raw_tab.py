"""A WebSocket as it is on the wire: no client package between the test and the gateway.

It reconnects nothing, drops nothing and answers nothing by itself but pings. `ReluctantTab` does
not even that: it is a peer that takes bytes only when the test says so.
"""

import asyncio
import base64
import json
import os
import socket as sockets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from tests.gateway.event_tab import EventTab, open_events
from tests.support.deployment import Process

WAIT_SECONDS = 20.0
SMALL_BUFFER = 262_144
TINY_BUFFER = 2048
LIMIT = 2**20
Frame = dict[str, Any]


def a_session() -> str:
    """A session id that no other test has."""
    return f"s-{uuid4()}"


class RawTab:
    """One open socket of one session, and every text that came on it."""

    def __init__(self, socket: ClientConnection | EventTab, session_id: str) -> None:
        self.socket = socket
        self.session_id = session_id
        self.texts: list[str] = []
        self.frames: list[Frame] = []

    @property
    def events(self) -> list[Frame]:
        """What a page would show: the events since the last `reset`."""
        start = 0
        for number, frame in enumerate(self.frames):
            if frame["type"] == "connection" and frame.get("reset"):
                start = number
        return [frame for frame in self.frames[start:] if "id" in frame]

    def contents(self) -> list[str]:
        """The texts of the `message` events, in order."""
        return [frame["content"] for frame in self.events if frame["type"] == "message"]

    async def next(self) -> Frame:
        """The next frame. Raises `ConnectionClosed`."""
        async with asyncio.timeout(WAIT_SECONDS):
            text = await self.socket.recv()
        assert isinstance(text, str), "every frame is a text frame"
        frame: Frame = json.loads(text)
        self.texts.append(text)
        self.frames.append(frame)
        return frame

    async def until(self, kind: str, **fields: object) -> Frame:
        """The next frame of this type with these fields; those before it are kept too."""
        async with asyncio.timeout(WAIT_SECONDS):  # heartbeats alone are no answer
            while True:
                frame = await self.next()
                if frame["type"] == kind and all(frame.get(k) == v for k, v in fields.items()):
                    return frame

    async def until_events(self, count: int) -> None:
        """Read on until so many events are there."""
        await self._until(lambda: len(self.events) >= count)

    async def until_head(self, head: str | None) -> None:
        """Read on until the event at `head` has come."""
        await self._until(
            lambda: head is None or (self.events[-1:] and self.events[-1]["id"] == head)
        )

    async def until_contents(self, *contents: str) -> None:
        """Read on until the last of these messages is there; they are all that there is."""
        await self._until(lambda: self.contents()[-1:] == [contents[-1]])
        assert self.contents() == list(contents)

    async def send(self, frame: Frame | str | bytes) -> None:
        """Send a frame: an object as JSON, a text or bytes as they are."""
        await self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def say(self, content: str, **fields: object) -> str:
        """Send a message of a fresh id; returns the id."""
        message_id = str(uuid4())
        await self.send(a_message(self.session_id, content, message_id=message_id, **fields))
        return message_id

    async def is_usable(self) -> Frame:
        """Show that the socket has stayed: a valid message comes back as an event."""
        message_id = await self.say("still here?")
        return await self.until("message", message_id=message_id)

    async def close_frame(self) -> tuple[int, str]:
        """Read until the gateway closes; returns its code and reason."""
        try:
            while True:
                await self.next()
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise AssertionError("the gateway went without a close frame") from closed
            return int(closed.rcvd.code), closed.rcvd.reason

    async def _until(self, is_reached: Callable[[], object]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not is_reached():
                await self.next()

    def vanish(self) -> None:
        """Go without a word, as a browser does whose machine goes to sleep."""
        self.socket.transport.abort()


def a_message(session_id: str, content: object, **fields: object) -> Frame:
    return {"type": "message", "session_id": session_id, "content": content, **fields}


@asynccontextmanager
async def opened(
    gateway: Process,
    session_id: str,
    *,
    last_event_id: str | None = None,
    origin: str | None = None,
    receive_buffer: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> AsyncGenerator[RawTab, None]:
    """A tab on `gateway` for the block; nothing has been read yet."""
    sock = await tcp(gateway, receive_buffer)
    if gateway.way == "events":
        own = {} if origin is None else {"Origin": origin}
        limit = LIMIT if receive_buffer is None else receive_buffer
        async with open_events(
            gateway, session_id, last_event_id, own | dict(headers or {}), sock, limit
        ) as tab:
            yield RawTab(tab, session_id)
        return
    query = {"session_id": session_id}
    if last_event_id is not None:
        query["last_event_id"] = last_event_id
    async with connect(
        f"{gateway.url}?{urlencode(query)}",
        compression=None,
        origin=None if origin is None else Origin(origin),
        additional_headers=headers,
        max_size=None,
        ping_interval=None,
        close_timeout=1,
        proxy=None,
        max_queue=16 if receive_buffer is None else 1,
        sock=sock,
    ) as socket:
        yield RawTab(socket, session_id)


@asynccontextmanager
async def connected(
    gateway: Process, session_id: str, *, last_event_id: str | None = None
) -> AsyncGenerator[RawTab, None]:
    """As `opened`, with its first frame read."""
    async with opened(gateway, session_id, last_event_id=last_event_id) as tab:
        first = await tab.next()
        assert (first["type"], first["status"]) == ("connection", "connected")
        yield tab


class ReluctantTab:
    """A peer that shakes hands and then reads only when told to, and never answers a ping."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def read(self, count: int) -> bytes:
        """At most `count` bytes of whatever came; empty when the gateway has hung up."""
        async with asyncio.timeout(WAIT_SECONDS):
            try:
                return await self._reader.read(count)
            except ConnectionError:
                return b""

    async def read_until_the_end(self) -> bytes:
        """Everything that comes until the gateway hangs up."""
        heard = b""
        while piece := await self.read(65536):
            heard += piece
        return heard


@asynccontextmanager
async def reluctant(
    gateway: Process, session_id: str, receive_buffer: int = SMALL_BUFFER
) -> AsyncGenerator[ReluctantTab, None]:
    """A socket that has shaken hands and has read nothing more than that."""
    sock = await tcp(gateway, receive_buffer)
    reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer)
    key = base64.b64encode(os.urandom(16)).decode()
    is_stream = gateway.way == "events"
    lines = [
        f"GET /sessions/{session_id}/events HTTP/1.1"
        if is_stream
        else f"GET /ws?session_id={session_id} HTTP/1.1",
        f"Host: {gateway.host}:{gateway.port}",
        *([] if is_stream else ["Upgrade: websocket", "Connection: Upgrade"]),
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            answer = await reader.readuntil(b"\r\n\r\n")
        assert (b" 200 " if is_stream else b" 101 ") in answer.splitlines()[0]
        yield ReluctantTab(reader, writer)
    finally:
        writer.transport.abort()


async def tcp(gateway: Process, receive_buffer: int | None) -> sockets.socket:
    """A connection on which nothing has been said yet."""
    sock = sockets.socket()
    if receive_buffer is not None:  # before the connection is made, or it has no effect
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (gateway.host, gateway.port))
    return sock
