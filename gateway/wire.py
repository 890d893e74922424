"""A tab's socket written straight to its transport: no task, no queue, no copy a tab.

uvicorn keeps the handshake, the reading (`paced_protocol.py`), the pings and the closing; only
outgoing texts pass it by. What a transport has not got rid of is the one measure of a tab: above
`MAX_TAB_BUFFER_BYTES` it has no room and is *behind*; when nothing of it is taken for
`STALL_SECONDS`, it has stalled. Raw writes bypass uvicorn's own flow control, so both are looked at
here.

The kernel takes megabytes for a peer that takes little, and says that it has room again only when a
third of them has gone: minutes at a kilobyte a second. So it is given no more than a tab's own
bound, and what it still holds counts as not taken.
"""

import asyncio
import fcntl
import socket as sockets
import struct
import termios
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from websockets.http11 import Request

from gateway.frames import Frames
from gateway.paced_protocol import PacedProtocol
from gateway.socket_bounds import SocketBounds
from gateway.stall import StallCheck

EXTENSION = "fanline.wire"


class WireProtocol(PacedProtocol):
    """uvicorn's WebSocket protocol, which gives itself to the application in the scope."""

    socket: "WireSocket | None" = None
    close_seconds = 0.0

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            extensions = cast(dict[str, object], self.scope.get("extensions"))
            extensions[EXTENSION] = self

    def forget_handshake(self) -> None:
        """What nobody asks for once a socket is open is a quarter of an idle tab's memory."""
        del self.request, self.response
        self.scope["headers"] = []

    def handle_ping(self) -> None:
        """Answer, unless nothing is taken: who pings and does not read would fill our memory."""
        pongs = b"".join(self.conn.data_to_send())
        if self.socket is None or self.socket.has_room:
            self.transport.write(pongs)

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.socket is not None:
            self.socket.has_room = False

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.socket is not None:
            self.socket.has_room = True
            self.socket.on_room()

    def keepalive_timeout(self) -> None:
        """No answer to a ping. It says nothing while bytes wait before it: whether those are taken
        is the stall check's to see."""
        if waiting_bytes(self.transport) and self.ping_timeout is not None:
            self.pong_timer = self.loop.call_later(self.ping_timeout, self.keepalive_timeout)
        else:
            super().keepalive_timeout()

    def shutdown(self) -> None:
        """The server stops: whoever does not take its close frame is cut, and holds nothing up."""
        if self.close_timer is None:
            super().shutdown()
            self.loop.call_later(self.close_seconds, self.transport.abort)

    def close(self, code: int, reason: str) -> None:
        """Send a close frame behind what has been written, and cut the connection if the peer does
        not answer. Harmless twice."""
        if self.close_sent or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.read_on()
        self.close_timer = self.loop.call_later(self.close_seconds, self.transport.abort)


class WireSocket:
    """The `TabSocket` over a `WireProtocol`."""

    __slots__ = ("_protocol", "_stall", "_transport", "_written", "has_room", "on_room")

    def __init__(self, protocol: WireProtocol, bounds: SocketBounds) -> None:
        self.has_room = True
        """An attribute, not a question to the transport: it is looked at before every write."""
        self.on_room: Callable[[], None] = lambda: None
        self._protocol = protocol
        protocol.socket = self
        protocol.forget_handshake()
        protocol.close_seconds = bounds.close_seconds
        self._transport = protocol.transport
        self._written = 0
        self._stall = StallCheck(bounds.stall_seconds, asyncio.get_running_loop().time())
        self._transport.set_write_buffer_limits(high=bounds.max_buffer_bytes)
        bound_the_kernel(self._transport, bounds.max_buffer_bytes)

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Arrange for `callback` whenever a socket without room has drained."""
        self.on_room = callback

    def write(self, frames: Frames) -> None:
        if not self._protocol.close_sent and not self._transport.is_closing():
            wire = frames.wire
            self._written += len(wire)
            self._transport.write(wire)

    def has_stalled(self, now: float) -> bool:
        if self._protocol.close_sent:
            return False
        # Of an idle tab all was taken when it was last asked: the kernel is not asked again.
        is_idle = self._written == self._stall.taken
        waiting = 0 if is_idle else waiting_bytes(self._transport)
        return self._stall.has_stalled(now, self._written, waiting)

    def close(self, code: int, reason: str = "") -> None:
        self._protocol.close(code, reason)


def waiting_bytes(transport: asyncio.Transport) -> int:
    """What was written and the peer has not taken, here and in the kernel."""
    return transport.get_write_buffer_size() + _kernel_bytes(transport)


def _kernel_bytes(transport: asyncio.Transport) -> int:
    """What the kernel holds until the peer acknowledges it; 0 on a system that does not tell."""
    socket = cast(sockets.socket, transport.get_extra_info("socket"))
    try:
        (count,) = struct.unpack("i", fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, b"\0" * 4))
    except (OSError, ValueError):
        return 0
    return count


def bound_the_kernel(transport: asyncio.Transport, unsent_bytes: int) -> None:
    """Have the kernel take no more than this for a peer that takes nothing."""
    if hasattr(sockets, "TCP_NOTSENT_LOWAT"):
        socket = cast(sockets.socket, transport.get_extra_info("socket"))
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NOTSENT_LOWAT, unsent_bytes)
