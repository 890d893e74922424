"""A tab that takes bytes at its own pace: nothing reads ahead for it, not even a buffer."""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlencode

from websockets.client import ClientProtocol
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.protocol import Event
from websockets.uri import parse_uri

from tests.faults.view import Frame, View
from tests.support.processes import Process

SMALL_BUFFER = 2048
LARGE_BUFFER = 262_144
PIECE = 65536
SIPS_PER_SECOND = 10


class SlowPeer:
    """One socket of a session, whose frames `view` is given as they are taken."""

    def __init__(self, socket: sockets.socket, url: str, view: View) -> None:
        self.view = view
        self.frames: list[Frame] = []
        self.bytes_taken = 0
        self.bytes_per_second: int | None = None
        """Its pace; 0 for one that takes nothing, `None` for one that takes what it can get."""
        self.opened_with: Response | None = None
        self.has_ended = False
        self._socket = socket
        self._protocol = ClientProtocol(parse_uri(url), max_size=None)

    @property
    def close_code(self) -> int | None:
        """What the gateway closed it with."""
        return None if self._protocol.close_rcvd is None else self._protocol.close_rcvd.code

    async def shake_hands(self) -> None:
        self._protocol.send_request(self._protocol.connect())
        await self._send()
        while self.opened_with is None:
            await self.take(SMALL_BUFFER)

    async def take(self, count: int) -> None:
        """Take at most so many bytes."""
        loop = asyncio.get_running_loop()
        try:
            data = await loop.sock_recv(self._socket, count)
        except ConnectionError:
            data = b""
        if data:
            self.bytes_taken += len(data)
            self._protocol.receive_data(data)
        else:
            self.has_ended = True
            self._protocol.receive_eof()
        self._hear(self._protocol.events_received())
        await self._send()

    def hurry(self) -> None:
        """From here on take all that it can get."""
        self._socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, LARGE_BUFFER)
        self.bytes_per_second = None

    async def read(self) -> None:
        """Take what comes, at its pace, until the gateway hangs up or this is cancelled."""
        while not self.has_ended:
            if self.bytes_per_second is None:
                await self.take(PIECE)
                continue
            if sip := self.bytes_per_second // SIPS_PER_SECOND:
                await self.take(sip)
            await asyncio.sleep(1 / SIPS_PER_SECOND)

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Response):
                self.opened_with = event
            elif isinstance(event, WireFrame) and event.opcode is Opcode.TEXT:
                frame = json.loads(bytes(event.data))
                self.frames.append(frame)
                self.view.take(frame)

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        for data in self._protocol.data_to_send():
            if data:
                try:
                    await loop.sock_sendall(self._socket, data)
                except ConnectionError:
                    self.has_ended = True


@asynccontextmanager
async def slow_peer(
    gateway: Process, session_id: str, view: View, *, receive_buffer: int = SMALL_BUFFER
) -> AsyncGenerator[SlowPeer, None]:
    """A peer that has shaken hands, naming the cursor of `view` if that has one."""
    query = {"session_id": session_id}
    if view.last_event_id is not None:
        query["last_event_id"] = view.last_event_id
    view.opened(view.last_event_id)
    with sockets.socket() as socket:
        # Before the connection is made, or it has no effect.
        socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
        socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(socket, (gateway.host, gateway.port))
        peer = SlowPeer(socket, f"{gateway.url}?{urlencode(query)}", view)
        async with asyncio.timeout(10):
            await peer.shake_hands()
        yield peer
