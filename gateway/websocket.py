"""The socket's edge: one tab from its admitted handshake to its close."""

import asyncio
import logging
import time

from starlette.websockets import WebSocket

from gateway.admission import Admitted
from gateway.asgi_socket import AsgiSocket
from gateway.client_frames import Refused, parse_client_frame, refuse
from gateway.close_codes import INTERNAL_ERROR, POLICY, TRY_AGAIN
from gateway.commands import Commands
from gateway.connection_line import ConnectionLine
from gateway.connection_manager import ConnectionManager
from gateway.frames import Frames
from gateway.limits import address_of
from gateway.metrics import Metrics
from gateway.opened_tab import cursor_of, opened_tab
from gateway.settings import GatewaySettings
from gateway.socket_bounds import SocketBounds
from gateway.tab import TabSocket
from gateway.wire import EXTENSION, WireProtocol, WireSocket

_log = logging.getLogger(__name__)


class WebSocketEdge:
    """Serves tabs."""

    def __init__(
        self,
        manager: ConnectionManager,
        commands: Commands,
        bounds: SocketBounds,
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._manager = manager
        self._commands = commands
        self._bounds = bounds
        self._settings = settings
        self._metrics = metrics

    async def serve(self, websocket: WebSocket, admitted: Admitted) -> None:
        """The whole life of an admitted socket. Returns when it is closed, by whomever."""
        await websocket.accept()
        line = ConnectionLine(websocket.scope)
        protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
        if isinstance(protocol, WireProtocol):
            socket = WireSocket(protocol, self._bounds)
            await self._follow(websocket, socket, admitted, line)
        else:
            await self._serve_asgi(websocket, AsgiSocket(websocket, self._bounds), admitted, line)

    async def _serve_asgi(
        self, websocket: WebSocket, socket: AsgiSocket, admitted: Admitted, line: ConnectionLine
    ) -> None:
        tasks = (
            asyncio.create_task(self._follow(websocket, socket, admitted, line)),
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
        self,
        websocket: WebSocket,
        socket: WireSocket | AsgiSocket,
        admitted: Admitted,
        line: ConnectionLine,
    ) -> None:
        cursor = cursor_of(websocket.scope)
        with opened_tab(self._manager, socket, admitted, cursor, line) as ending:
            try:
                ending.code = await self._receive(websocket, socket, admitted)
            except Exception:
                _log.exception("session %s: a socket ended by an error", admitted.session_id[:8])
                socket.close(INTERNAL_ERROR)

    async def _receive(
        self, websocket: WebSocket, socket: TabSocket, admitted: Admitted
    ) -> int | None:
        """Obey until the socket is closed; returns the code of its close."""
        session_id = admitted.session_id
        refused_in_a_row = 0
        is_closed = False
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                return message.get("code")
            if is_closed or admitted.has_expired(time.time()):
                continue  # what came before the close was heard: nobody obeys it any more
            text = message.get("text")
            try:
                if text is None:
                    refuse(session_id, "bad_frame", "Frames are text frames with JSON.")
                # One frame after the other: two messages of one socket keep their order.
                frame = parse_client_frame(text, session_id)
                await self._commands.obey(frame, address_of(websocket))
                refused_in_a_row = 0
            except Refused as refused:
                self._metrics.refused.labels(refused.frame.code).inc()
                refused_in_a_row += not refused.frame.retryable
                if not socket.has_room:
                    # Whoever says what is refused and takes no answers would fill our memory.
                    socket.close(TRY_AGAIN, "took nothing")
                    is_closed = True
                elif refused_in_a_row > self._settings.max_refused_frames:
                    socket.close(POLICY, "too many frames were refused")
                    is_closed = True
                else:
                    socket.write(Frames.of(refused.frame))
