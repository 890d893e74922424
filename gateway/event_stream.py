"""A tab without a WebSocket: the same frames as Server-Sent Events, the same follower, one way.

Each frame is one event: `data` is the frame as a socket would get it, `id` its position, which a
browser sends back as `Last-Event-ID` when it has lost the stream. How the stream ends, where the
gateway ends it, is said by an event of the type `close`, with what a socket would be closed with.
(https://html.spec.whatwg.org/multipage/server-sent-events.html)
"""

import asyncio
import json
from typing import Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.admission import Admission, Admitted
from gateway.close_codes import DRAINING
from gateway.connection_line import ConnectionLine
from gateway.connection_manager import ConnectionManager
from gateway.opened_tab import Ending, cursor_of, opened_tab
from gateway.queued_socket import QueuedSocket
from gateway.socket_bounds import SocketBounds

CONNECTION = "fanline.connection"
"""The ASGI extension by which the server hands out a request's `Connection`."""

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # for nginx, which would wait until it has a few kilobytes
}
_FRONT = b'{"id":"'


class Connection(Protocol):
    """What a stream needs of its server, and plain ASGI has not got."""

    def begin_stream(self, unsent_bytes: int) -> None:
        """Leave it to the stream what becomes of a peer that takes nothing, and keep no more than
        this for it in the kernel."""
        ...

    def waiting_bytes(self) -> int:
        """What was written and the peer has not taken."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...


class EventSocket(QueuedSocket):
    """The `TabSocket` over the body of an answer."""

    def __init__(self, send: Send, connection: Connection | None, bounds: SocketBounds) -> None:
        super().__init__(bounds)
        self._send_part = send
        self._connection = connection
        if connection is not None:
            connection.begin_stream(bounds.max_buffer_bytes)

    def bytes_on_the_way(self) -> int:
        return 0 if self._connection is None else self._connection.waiting_bytes()

    async def send_text(self, text: bytes) -> None:
        await self._send_body(encode_text(text), more=True)

    async def send_close(self, code: int, reason: str) -> None:
        await self._send_body(encode_close(code, reason), more=False)

    async def _send_body(self, body: bytes, *, more: bool) -> None:
        part = {"type": "http.response.body", "body": body, "more_body": more}
        await self._send_part(part)


class EventStream(Response):
    """The answer to whom `admission` has let in."""

    media_type = "text/event-stream"

    def __init__(
        self,
        manager: ConnectionManager,
        admission: Admission,
        admitted: Admitted,
        bounds: SocketBounds,
    ) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._manager = manager
        self._admission = admission
        self._admitted = admitted
        self._bounds = bounds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._serve(scope, receive, send)
        finally:
            self._admission.leave(self._admitted)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        line = ConnectionLine(scope)
        start = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **start})
        connection = scope.get("extensions", {}).get(CONNECTION, {}).get("connection")
        socket = EventSocket(send, connection, self._bounds)
        cursor = cursor_of(scope)
        with opened_tab(self._manager, socket, self._admitted, cursor, line) as ending:
            await _until_it_ends(connection, receive, socket, ending)


async def _until_it_ends(
    connection: Connection | None, receive: Receive, socket: EventSocket, ending: Ending
) -> None:
    sending = asyncio.create_task(socket.send_frames())
    leaving = asyncio.create_task(_until_gone(receive))
    giving_up = asyncio.create_task(socket.gone.wait())
    tasks = (sending, leaving, giving_up)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        ending.code = sending.result() if sending.done() else None
        if ending.code is None and connection is not None:
            # It takes no end, or what it says is no request, or it has gone: then this is nothing.
            connection.abort()
            await _until_gone(receive)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def encode_text(text: bytes) -> bytes:
    """The event for a frame: JSON has no raw line break, so that it is one line."""
    if not text.startswith(_FRONT):
        return b"data: %b\n\n" % text  # it concerns this tab alone, and has no place
    position = text[len(_FRONT) : text.index(b'"', len(_FRONT))]
    return b"id: %b\ndata: %b\n\n" % (position, text)


def encode_close(code: int, reason: str) -> bytes:
    """The event that ends a stream; where a gateway drains, with the wait it asks for."""
    retry = b"retry: %b\n" % reason.encode() if code == DRAINING else b""
    data = json.dumps({"code": code, "reason": reason}, separators=(",", ":"))
    return b"%bevent: close\ndata: %b\n\n" % (retry, data.encode())
