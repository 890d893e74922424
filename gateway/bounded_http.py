"""uvicorn's HTTP protocol, with bounds that it has not got: how much of a request's head may come,
how long a request may take to arrive, how long an answer may be left untaken, and how many
connections there may be, of all and of one address.

Without them a peer that sends a byte a minute, or a header without an end, is served for ever.
"""

import asyncio
import socket as sockets
from collections import Counter
from typing import Any, ClassVar, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.access import Reason
from gateway.event_stream import CONNECTION
from gateway.limits import network_of
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.wire import bound_the_kernel, waiting_bytes

SPARE_CONNECTIONS = 1000
"""Beyond `MAX_TABS`: for requests, probes, and handshakes that are to be refused."""

CHUNK_BYTES = 8
"""For each byte of a body, what a peer may spend on telling that it comes."""

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class BoundedHttp(HttpToolsProtocol):
    """One connection, until it has become a WebSocket. uvicorn makes it from the class alone: see
    `bounded_http`."""

    settings: ClassVar[GatewaySettings]
    metrics: ClassVar[Metrics]
    waiting: ClassVar[Counter[str]]
    """How many connections of each address are no tabs, and nothing is being answered to them."""
    _address = ""
    """Whose it is; empty for a trusted proxy's, which are everybody's."""
    _is_waiting = False
    _unfinished: RequestResponseCycle | None = None
    """The request that is being answered while the one behind it has come already."""
    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _head_ended = False
    _is_too_large = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        self._address = "" if self.settings.trusts(host) else network_of(host)
        self._count_as_waiting()
        most = self.settings.max_address_waiting
        if len(self.connections) > self.settings.max_tabs + SPARE_CONNECTIONS:
            self._cut("connections")
        elif self._address and 0 < most < self.waiting[self._address]:
            self._cut("address_waiting")
        else:
            _cut_untaken(transport, self.settings.stall_seconds)
            self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._count_no_more()
        if self._unfinished is not None and not self._unfinished.response_complete:
            # uvicorn knows the newest alone: an event stream before it would never hear of the end.
            self._unfinished.disconnected = True
            self._unfinished.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None:
            self._await_request()
        self._head_bytes += len(data)
        super().data_received(data)
        most = self.settings.max_head_bytes
        if self._head_ended:
            most += CHUNK_BYTES * self.settings.max_body_bytes
        if self._head_bytes > most:
            self._refuse_head()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head_ended:  # a trailer, of which nobody here takes one
            raise ValueError("a trailer")
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._head_bytes -= len(body)  # `BodyLimit` counts it; what is left is what it came in
        super().on_body(body)

    def on_message_begin(self) -> None:
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is not None and not cycle.response_complete:
            if self.pipeline:
                raise ValueError("a third request before the first was answered")
            self._unfinished = cycle
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: {"connection": self}}
        self._head_ended = False
        if self._deadline is None:  # a second request, in what the first one's end came with
            self._await_request()

    def on_headers_complete(self) -> None:
        self._head_ended = True
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        self._is_too_large = size > self.settings.max_head_bytes
        if self._is_too_large:  # it came whole, in one read
            raise ValueError("a head that is too large")  # ends parsing, and then asks for a 400
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._is_too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def on_message_complete(self) -> None:
        self._stop_waiting()
        self._head_bytes = 0
        super().on_message_complete()
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is not None and cycle.response_complete:
            # It was answered before it had come: uvicorn would wait for the next one for ever.
            seconds, give_up = self.timeout_keep_alive, self.timeout_keep_alive_handler
            self.timeout_keep_alive_task = self.loop.call_later(seconds, give_up)
        else:
            self._count_no_more()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # It may be another's already, which came behind it.
        if self.cycle.response_complete or self.cycle.more_body:
            self._count_as_waiting()

    def handle_websocket_upgrade(self) -> None:
        self._stop_waiting()
        self._count_no_more()
        _cut_untaken(self.transport, 0)  # from here on `WireSocket` looks, and says why it closes
        super().handle_websocket_upgrade()

    def begin_stream(self, unsent_bytes: int) -> None:
        """From here on whoever writes looks whether it is taken, and is told soon: the kernel keeps
        no more than this for a slow peer."""
        _cut_untaken(self.transport, 0)
        bound_the_kernel(self.transport, unsent_bytes)

    def waiting_bytes(self) -> int:
        return waiting_bytes(self.transport)

    def abort(self) -> None:
        """Cut the connection."""
        self.transport.abort()

    def _await_request(self) -> None:
        self._deadline = self.loop.call_later(self.settings.request_seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _count_as_waiting(self) -> None:
        if self._address and not self._is_waiting:
            self._is_waiting = True
            self.waiting[self._address] += 1

    def _count_no_more(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self.waiting[self._address] -= 1
            if not self.waiting[self._address]:
                del self.waiting[self._address]

    def _give_up(self) -> None:
        self._deadline = None
        cycle = cast(RequestResponseCycle | None, self.cycle)
        if cycle is None or cycle.response_complete or cycle.more_body:  # else it is our turn
            self._cut("slow")

    def _refuse_head(self) -> None:
        if not self.transport.is_closing():
            self.metrics.refuse("head")
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def _cut(self, reason: Reason) -> None:
        self.metrics.refuse(reason)
        self.transport.abort()


def bounded_http(settings: GatewaySettings, metrics: Metrics) -> type[BoundedHttp]:
    """The protocol for one gateway; `metrics` counts the connections it cuts."""
    own = {"settings": settings, "metrics": metrics, "waiting": Counter[str]()}
    return type("BoundedHttp", (BoundedHttp,), own)


def _cut_untaken(transport: asyncio.Transport, seconds: float) -> None:
    """Have the kernel end the connection of a peer that takes nothing for so long (0: never)."""
    if hasattr(sockets, "TCP_USER_TIMEOUT"):
        socket = cast(sockets.socket, transport.get_extra_info("socket"))
        socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, round(seconds * 1000))
