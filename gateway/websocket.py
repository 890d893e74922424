"""The socket's edge: one tab from its admitted handshake to its close."""

import asyncio
import logging
from functools import partial
from typing import TypedDict

from starlette.websockets import WebSocket

from gateway.acceptance import Acceptance
from gateway.asgi_socket import AsgiSocket
from gateway.client_frames import Refused, parse_client_frame, refuse
from gateway.close_codes import INTERNAL_ERROR
from gateway.connection_manager import ConnectionManager
from gateway.frames import Frames
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tab import TabSocket
from gateway.wire import EXTENSION, WireProtocol, WireSocket
from shared.ids import Position, SessionId, parse_position
from shared.protocol import UserMessage

_log = logging.getLogger(__name__)


class WebSocketEdge:
    """Serves tabs."""

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
        """The whole life of an admitted socket. Returns when it is closed, by whomever."""
        await websocket.accept()
        protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
        if isinstance(protocol, WireProtocol):
            socket = WireSocket(protocol, **self._bounds())
            await self._follow(websocket, socket, session_id)
        else:
            await self._serve_asgi(websocket, AsgiSocket(websocket, **self._bounds()), session_id)

    async def _serve_asgi(
        self, websocket: WebSocket, socket: AsgiSocket, session_id: SessionId
    ) -> None:
        tasks = (
            asyncio.create_task(self._follow(websocket, socket, session_id)),
            asyncio.create_task(socket.gone.wait()),
        )
        sending = asyncio.create_task(socket.send_frames())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, sending):
                task.cancel()
            await asyncio.gather(*tasks, sending, return_exceptions=True)

    async def _follow(
        self, websocket: WebSocket, socket: WireSocket | AsgiSocket, session_id: SessionId
    ) -> None:
        cursor, asked = _cursor_of(websocket)
        tab = self._manager.connect(socket, session_id, cursor, asked=asked)
        socket.call_when_room(partial(self._manager.on_drained, tab))
        try:
            await self._receive(websocket, socket, session_id)
        except Exception:
            _log.exception("session %s: a socket ended by an error", session_id[:8])
            socket.close(INTERNAL_ERROR)
        finally:
            self._manager.disconnect(tab)

    async def _receive(
        self, websocket: WebSocket, socket: TabSocket, session_id: SessionId
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
                socket.write(Frames.of(refused.frame))

    async def _obey(self, text: str, session_id: SessionId) -> None:
        # One frame after the other: two messages of one socket keep their order.
        frame = parse_client_frame(text, session_id)
        if isinstance(frame, UserMessage):
            await self._acceptance.accept_message(session_id, frame)
        else:
            await self._acceptance.cancel_turn(session_id, frame)

    def _bounds(self) -> "_Bounds":
        return {
            "max_buffer_bytes": self._settings.max_tab_buffer_bytes,
            "stall_seconds": self._settings.stall_seconds,
            "close_seconds": self._settings.close_seconds,
        }


class _Bounds(TypedDict):
    max_buffer_bytes: int
    stall_seconds: float
    close_seconds: float


def _cursor_of(websocket: WebSocket) -> tuple[Position | None, bool]:
    """The cursor that the tab names, and whether it names one at all, readable or not."""
    values = websocket.query_params.getlist("last_event_id")
    if not values:
        return None, False
    try:
        return parse_position(values[-1]), True
    except ValueError:
        return None, True
