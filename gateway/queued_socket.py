"""A tab's socket where the transport is not ours to write to: frames wait here, bounded, while one
task sends them."""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence

from starlette.websockets import WebSocketDisconnect

from gateway.frames import Frames
from gateway.socket_bounds import SocketBounds


class QueuedSocket(ABC):
    """A `TabSocket`. `send_frames` must run beside it."""

    def __init__(self, bounds: SocketBounds) -> None:
        self._bounds = bounds
        self._texts: deque[Sequence[bytes]] = deque()
        self._waiting_bytes = 0
        self._taken_at = asyncio.get_running_loop().time()
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._on_room: Callable[[], None] | None = None
        self.gone = asyncio.Event()
        """Set when the socket was closed from here and need not be waited for any longer."""

    @abstractmethod
    async def send_texts(self, texts: Sequence[bytes]) -> None:
        """Send them; returns when the server has room for more."""

    @abstractmethod
    async def send_close(self, code: int, reason: str) -> None:
        """Send what ends it."""

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Arrange for `callback` whenever a socket without room has drained."""
        self._on_room = callback

    @property
    def has_room(self) -> bool:
        return self._waiting_bytes <= self._bounds.max_buffer_bytes

    def write(self, frames: Frames) -> None:
        if self._closing is None:
            if not self._texts:
                self._taken_at = asyncio.get_running_loop().time()
            self._texts.append(frames.texts)
            self._waiting_bytes += sum(map(len, frames.texts))
            self._wake.set()

    def has_stalled(self, now: float) -> bool:
        waits = bool(self._waiting_bytes) and self._closing is None
        return waits and now - self._taken_at >= self._bounds.stall_seconds

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

    async def _send(self, texts: Sequence[bytes]) -> None:
        await self.send_texts(texts)
        had_room = self.has_room
        self._waiting_bytes -= sum(map(len, texts))
        self._taken_at = asyncio.get_running_loop().time()
        if self.has_room and not had_room and self._on_room is not None:
            self._on_room()
