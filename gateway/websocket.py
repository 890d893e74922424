"""The socket's edge: the handshake, what a tab sends, and frames on their way to it.

Reading and writing are two tasks of one socket: a tab that takes nothing must not keep its own
words from being read, and only reading learns how a socket closed.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.acceptance import Acceptance
from gateway.client_frames import Refused, parse_client_frame, refuse
from gateway.close_codes import INTERNAL_ERROR, TRY_AGAIN
from gateway.connection_manager import ConnectionManager
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tab import Tab
from shared.ids import Position, SessionId, parse_position
from shared.protocol import UserMessage, encode_frame

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
"""How long a close may wait for a peer that does not read."""


class AsgiSocket:
    """A tab's socket over plain ASGI: frames wait here, bounded, while the peer takes them."""

    def __init__(
        self, websocket: WebSocket, settings: GatewaySettings, on_drained: Callable[[], None]
    ) -> None:
        self._websocket = websocket
        self._settings = settings
        self._on_drained = on_drained
        self._frames: deque[str] = deque()
        self._waiting_bytes = 0
        self._close: tuple[int, str] | None = None
        self._wake = asyncio.Event()

    @property
    def has_room(self) -> bool:
        return self._close is None and self._waiting_bytes < self._settings.max_tab_buffer_bytes

    def write(self, frame: str) -> None:
        if self._close is None:
            self._frames.append(frame)
            self._waiting_bytes += len(frame)
            self._wake.set()

    def close(self, code: int, reason: str = "") -> None:
        if self._close is None:
            self._close = (code, reason)
            self._wake.set()

    async def send_frames(self) -> tuple[int, str]:
        """Send what is written until `close` is called; returns what to close with. Raises
        `TimeoutError` when the peer takes nothing for `STALL_SECONDS`."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames:
                frame = self._frames.popleft()
                async with asyncio.timeout(self._settings.stall_seconds):
                    await self._websocket.send_text(frame)
                was_full = not self.has_room
                self._waiting_bytes -= len(frame)
                if was_full and self.has_room:
                    self._on_drained()
            if self._close is not None:
                return self._close


class WebSocketEdge:
    """Serves one tab from handshake to close."""

    def __init__(
        self,
        manager: ConnectionManager,
        acceptance: Acceptance,
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._manager = manager
        self._acceptance = acceptance
        self._settings = settings
        self._metrics = metrics

    async def serve(self, websocket: WebSocket, session_id: SessionId) -> None:
        """The whole life of an admitted socket. Ends when the socket is closed, by whomever."""
        await websocket.accept()
        cursor, asked = _cursor_of(websocket)
        tab: Tab | None = None

        def on_drained() -> None:
            if tab is not None:
                self._manager.on_drained(tab)

        socket = AsgiSocket(websocket, self._settings, on_drained)
        tab = self._manager.connect(socket, session_id, cursor, asked=asked)
        receiving = asyncio.create_task(self._receive(websocket, socket, session_id))
        sending = asyncio.create_task(socket.send_frames())
        try:
            await asyncio.wait((receiving, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._manager.disconnect(tab)
            receiving.cancel()
            sending.cancel()
            await asyncio.gather(receiving, sending, return_exceptions=True)
        await _close(websocket, *self._ending(receiving, sending))

    def _ending(
        self, receiving: asyncio.Task[None], sending: asyncio.Task[tuple[int, str]]
    ) -> tuple[int, str]:
        """The code and reason to close with, if the peer has not closed already."""
        for task in (receiving, sending):
            error = None if task.cancelled() else task.exception()
            if isinstance(error, TimeoutError):
                self._metrics.stalled.inc()
                return TRY_AGAIN, "took nothing"
            if error is not None and not isinstance(error, WebSocketDisconnect):
                _log.error("a socket ended by an error", exc_info=error)
                return INTERNAL_ERROR, ""
        return (
            sending.result() if not sending.cancelled() and not sending.exception() else (1000, "")
        )

    async def _receive(
        self, websocket: WebSocket, socket: AsgiSocket, session_id: SessionId
    ) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            try:
                if text is None:
                    refuse(session_id, "bad_frame", "Frames are text frames with JSON.")
                await self._obey(text, session_id)
            except Refused as refused:
                self._metrics.refused.labels(refused.frame.code).inc()
                socket.write(encode_frame(refused.frame))

    async def _obey(self, text: str, session_id: SessionId) -> None:
        # One frame after the other: two messages of one socket keep their order.
        frame = parse_client_frame(text, session_id)
        if isinstance(frame, UserMessage):
            await self._acceptance.accept_message(session_id, frame)
        else:
            await self._acceptance.cancel_turn(session_id, frame)


def _cursor_of(websocket: WebSocket) -> tuple[Position | None, bool]:
    """The cursor that the tab names, and whether it names one at all, readable or not."""
    values = websocket.query_params.getlist("last_event_id")
    if not values:
        return None, False
    try:
        return parse_position(values[-1]), True
    except ValueError:
        return None, True


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    states = (websocket.application_state, websocket.client_state)
    if states != (WebSocketState.CONNECTED, WebSocketState.CONNECTED):
        return
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await websocket.close(code, reason)
    except (TimeoutError, RuntimeError, WebSocketDisconnect, OSError):
        _log.debug("a socket was gone before its close frame")
