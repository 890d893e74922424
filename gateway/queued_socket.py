"""A tab's socket where the transport is not ours to write to: frames wait here, bounded, while one
task sends them."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocketDisconnect

from gateway.frames import Frames
from gateway.socket_bounds import SocketBounds
from gateway.stall import StallCheck


class QueuedSocket(ABC):
    """A `TabSocket`. `send_frames` must run beside it."""

    def __init__(self, bounds: SocketBounds) -> None:
        self._bounds = bounds
        self._texts: deque[bytes] = deque()
        self._written = self._waiting_bytes = 0
        self._stall = StallCheck(bounds.stall_seconds, asyncio.get_running_loop().time())
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._on_room: Callable[[], None] | None = None
        self.gone = asyncio.Event()
        """Set when the socket was closed from here and need not be waited for any longer."""

    @abstractmethod
    async def send_text(self, text: bytes) -> None:
        """Send it; returns when the server has room for more."""

    @abstractmethod
    async def send_close(self, code: int, reason: str) -> None:
        """Send what ends it."""

    def bytes_on_the_way(self) -> int:
        """Of what was sent, how much has not been taken, where that can be known."""
        return 0

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Arrange for `callback` whenever a socket without room has drained."""
        self._on_room = callback

    @property
    def has_room(self) -> bool:
        return self._waiting_bytes <= self._bounds.max_buffer_bytes

    def write(self, frames: Frames) -> None:
        if self._closing is None:
            size = sum(map(len, frames.texts))
            self._texts.extend(frames.texts)
            self._written += size
            self._waiting_bytes += size
            self._wake.set()

    def has_stalled(self, now: float) -> bool:
        waiting = self._waiting_bytes + self.bytes_on_the_way()
        return self._closing is None and self._stall.has_stalled(now, self._written, waiting)

    def close(self, code: int, reason: str = "") -> None:
        if self._closing is None:
            self._closing = (code, reason)
            self._wake.set()
            asyncio.get_running_loop().call_later(self._bounds.close_seconds, self.gone.set)

    async def send_frames(self) -> int | None:
        """Send what is written, in order, until `close` is called, and return its code; or `None`
        when the peer has gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._texts:
                    await self._send(self._texts.popleft())
                if self._closing is not None:
                    await self.send_close(*self._closing)
                    return self._closing[0]
        except (WebSocketDisconnect, RuntimeError, OSError):
            return None  # the peer has gone, which reading tells as well

    async def _send(self, text: bytes) -> None:
        await self.send_text(text)
        had_room = self.has_room
        self._waiting_bytes -= len(text)
        if self.has_room and not had_room and self._on_room is not None:
            self._on_room()
