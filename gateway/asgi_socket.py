"""A tab's socket over plain ASGI, for a server that does not hand out its transport.

The fallback: frames wait here, bounded, while one task sends them.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect

from gateway.frames import Frames


class AsgiSocket:
    """The `TabSocket` over ASGI messages. `send_frames` must run beside it."""

    def __init__(
        self,
        websocket: WebSocket,
        *,
        max_buffer_bytes: int,
        stall_seconds: float,
        close_seconds: float,
    ) -> None:
        self._websocket = websocket
        self._stall_seconds = stall_seconds
        self._close_seconds = close_seconds
        self._max_buffer_bytes = max_buffer_bytes
        self._texts: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._taken_at = asyncio.get_running_loop().time()
        self._closing: tuple[int, str] | None = None
        self._wake = asyncio.Event()
        self._on_room: Callable[[], None] | None = None
        self.gone = asyncio.Event()
        """Set when the socket was closed from here and need not be waited for any longer."""

    def call_when_room(self, callback: Callable[[], None]) -> None:
        """Arrange for `callback` whenever a socket without room has drained."""
        self._on_room = callback

    @property
    def has_room(self) -> bool:
        return self._waiting_bytes <= self._max_buffer_bytes

    def write(self, frames: Frames) -> None:
        if self._closing is None:
            if not self._texts:
                self._taken_at = asyncio.get_running_loop().time()
            self._texts.extend(frames.texts)
            self._waiting_bytes += sum(map(len, frames.texts))
            self._wake.set()

    def has_stalled(self, now: float) -> bool:
        waits = bool(self._waiting_bytes) and self._closing is None
        return waits and now - self._taken_at >= self._stall_seconds

    def close(self, code: int, reason: str = "") -> None:
        if self._closing is None:
            self._closing = (code, reason)
            self._wake.set()
            asyncio.get_running_loop().call_later(self._close_seconds, self.gone.set)

    async def send_frames(self) -> None:
        """Send what is written, in order, until `close` is called or the peer has gone."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._texts:
                    await self._send(self._texts.popleft())
                if self._closing is not None:
                    await self._websocket.close(*self._closing)
                    return
        except (WebSocketDisconnect, RuntimeError, OSError):
            return  # the peer has gone, which reading tells as well

    async def _send(self, text: bytes) -> None:
        await self._websocket.send_text(text.decode())
        had_room = self.has_room
        self._waiting_bytes -= len(text)
        self._taken_at = asyncio.get_running_loop().time()
        if self.has_room and not had_room and self._on_room is not None:
            self._on_room()
