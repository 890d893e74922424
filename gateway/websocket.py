"""The socket's edge: one tab from its admitted handshake to its close."""

import asyncio
import logging
import time
from functools import partial
from typing import TypedDict

from starlette.datastructures import QueryParams
from starlette.websockets import WebSocket

from gateway.acceptance import Acceptance
from gateway.admission import Admitted
from gateway.asgi_socket import AsgiSocket
from gateway.client_frames import Refused, parse_client_frame, refuse
from gateway.close_codes import INTERNAL_ERROR, POLICY, TOKEN_EXPIRED, TRY_AGAIN
from gateway.connection_line import ConnectionLine
from gateway.connection_manager import ConnectionManager
from gateway.frames import Frames
from gateway.limits import Rates, address_of
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.tab import TabSocket
from gateway.wire import EXTENSION, WireProtocol, WireSocket
from shared.ids import Position, SessionId, parse_position
from shared.protocol import CancelTurn, UserMessage

LONGEST_TOKEN_SECONDS = 7 * 86_400.0
"""After so long a socket has to show a token again, whatever that says."""

_log = logging.getLogger(__name__)


class WebSocketEdge:
    """Serves tabs."""

    def __init__(
        self,
        manager: ConnectionManager,
        acceptance: Acceptance,
        rates: Rates,
        settings: GatewaySettings,
        metrics: Metrics,
    ) -> None:
        self._manager = manager
        self._acceptance = acceptance
        self._rates = rates
        self._settings = settings
        self._metrics = metrics

    async def serve(self, websocket: WebSocket, admitted: Admitted) -> None:
        """The whole life of an admitted socket. Returns when it is closed, by whomever."""
        await websocket.accept()
        line = ConnectionLine(websocket.scope)
        protocol = websocket.scope.get("extensions", {}).get(EXTENSION)
        if isinstance(protocol, WireProtocol):
            socket = WireSocket(protocol, **self._bounds())
            await self._follow(websocket, socket, admitted, line)
        else:
            asgi = AsgiSocket(websocket, **self._bounds())
            await self._serve_asgi(websocket, asgi, admitted, line)

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
        session_id = admitted.session_id
        cursor, asked = _cursor_of(websocket)
        tab = self._manager.connect(socket, session_id, cursor, asked=asked)
        socket.call_when_room(partial(self._manager.on_drained, tab))
        expiry = _close_at(admitted.expires_at, socket)
        code = None
        try:
            code = await self._receive(websocket, socket, admitted)
        except Exception:
            _log.exception("session %s: a socket ended by an error", session_id[:8])
            socket.close(INTERNAL_ERROR)
        finally:
            self._manager.disconnect(tab)
            line.tell(tab, code)
            if expiry is not None:
                expiry.cancel()

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
                await self._obey(websocket, text, session_id)
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

    async def _obey(self, websocket: WebSocket, text: str, session_id: SessionId) -> None:
        # One frame after the other: two messages of one socket keep their order.
        frame = parse_client_frame(text, session_id)
        await self._check_rate(websocket, frame)
        if isinstance(frame, UserMessage):
            await self._acceptance.accept_message(session_id, frame)
        else:
            await self._acceptance.cancel_turn(session_id, frame)

    async def _check_rate(self, websocket: WebSocket, frame: UserMessage | CancelTurn) -> None:
        session_id = SessionId(frame.session_id)
        settings = self._settings
        limits = (
            ("session", session_id, settings.max_messages_per_minute),
            ("address", address_of(websocket), settings.max_address_messages_per_minute),
        )
        # At once: each may take its time where Redis is slow, and the tab waits for an answer.
        waits = await asyncio.gather(*(self._rates.wait_for(*limit) for limit in limits))
        for (kind, _, _), wait in zip(limits, waits, strict=True):
            if wait:
                sentence = f"Too many messages from this {kind}. Wait {wait} seconds."
                message_id = frame.message_id if isinstance(frame, UserMessage) else None
                refuse(session_id, "too_many", sentence, retryable=True, message_id=message_id)

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


def _close_at(moment: float | None, socket: TabSocket) -> asyncio.TimerHandle | None:
    """Close the socket when its token ends: its tab comes back with another, and its cursor."""
    if moment is None:
        return None
    seconds = min(max(moment - time.time(), 0.0), LONGEST_TOKEN_SECONDS)
    loop = asyncio.get_running_loop()
    return loop.call_later(seconds, socket.close, TOKEN_EXPIRED, "token expired")


def _cursor_of(websocket: WebSocket) -> tuple[Position | None, bool]:
    """The cursor that the tab names, and whether it names one at all, readable or not."""
    # Not `websocket.query_params`, which would stay as long as the socket.
    values = QueryParams(websocket.scope["query_string"]).getlist("last_event_id")
    if not values:
        return None, False
    try:
        return parse_position(values[-1]), True
    except ValueError:
        return None, True
