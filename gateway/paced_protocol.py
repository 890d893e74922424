"""What a peer sends on a socket: taken in pieces, and no faster than it may be sent.

uvicorn parses all that one read has brought before anybody else has a turn, and reads on whenever a
message was taken. One read may be forty thousand frames.
"""

import asyncio
from typing import cast

from uvicorn._types import ASGIReceiveEvent  # what the method that is overridden returns
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

SMALL_PIECE_BYTES = 1024
LARGE_PIECE_BYTES = 16_384
"""What is taken at once of what a read has brought; large where a frame goes on."""
FRAMES_A_SECOND = 200
"""Frames of one socket that are looked at in a second, and in one go: no client of ours sends a
tenth of it. Whoever has sent more waits until they are paid for."""
BAD_HANDSHAKE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PacedProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, with bounds for what comes."""

    _unread = b""
    _resting: asyncio.TimerHandle | None = None
    """Set while what was read waits for its turn."""
    _paid_at = 0.0
    _frames_left: float = FRAMES_A_SECOND
    _piece_bytes = SMALL_PIECE_BYTES

    def data_received(self, data: bytes) -> None:
        """Take what one read has brought, in pieces, between which others have their turn: it may
        be forty thousand frames. A peer that sends more than `FRAMES_A_SECOND` waits."""
        self._unread += data
        if self._resting is None:
            self._take_piece()
        else:
            self.transport.pause_reading()

    def _take_piece(self) -> None:
        self._resting = None
        if self.transport.is_closing():
            return
        size = self._piece_bytes if self.handshake_initiated else len(self._unread)
        piece, self._unread = self._unread[:size], self._unread[size:]
        self._piece_bytes = LARGE_PIECE_BYTES  # unless a frame ends in this one
        super().data_received(piece)
        if not self.handshake_initiated:
            # Its parser is stricter than that of HTTP, and uvicorn does not hear it say no. The
            # head has come as a whole: the peer would wait for an answer, and stay, for ever.
            self.transport.write(b"".join(self.conn.data_to_send()) or BAD_HANDSHAKE)
            self.transport.close()
        elif not self.transport.is_closing():
            self._rest_or_read_on()

    async def receive(self) -> ASGIReceiveEvent:
        """As uvicorn's, but a peer that is to wait is not read from because one of its messages was
        taken: what it goes on to send stays with the kernel, and an end of the connection behind
        it."""
        message = await self.queue.get()
        if self.read_paused and self.queue.empty():
            self.read_paused = False
            self.read_on()
        return message

    def _rest_or_read_on(self) -> None:
        now = self.loop.time()
        paid = (now - self._paid_at) * FRAMES_A_SECOND
        self._paid_at, self._frames_left = now, min(self._frames_left + paid, FRAMES_A_SECOND)
        if self._unread or self._frames_left < 0:
            self.transport.pause_reading()
            pause = max(-self._frames_left / FRAMES_A_SECOND, 0)
            self._resting = self.loop.call_later(pause, self._take_piece)
        elif not self.read_paused:
            self.transport.resume_reading()

    def handle_events(self) -> None:
        if self.conn.events:
            self._frames_left -= len(self.conn.events)
            self._piece_bytes = SMALL_PIECE_BYTES
        super().handle_events()

    def read_on(self) -> None:
        """Read again, unless the peer is to wait."""
        if self._resting is None:
            self.transport.resume_reading()

    def handle_cont(self, event: Frame) -> None:
        """A message in pieces is one buffer: as a list, pieces of a byte would take forty times
        what they hold, and empty ones, which no bound of its size counts, would never end."""
        message = self.frames[0]
        if not isinstance(message, bytearray):
            message = bytearray(message)
            self.frames = [cast(bytes, message)]
        message += event.data
        if event.fin:
            self.send_receive_event_to_app()

    def send_receive_event_to_app(self) -> None:
        """Hand a message on. One that is no text is its peer's fault: uvicorn's own code closes the
        socket as well, and logs an error with a traceback."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                self.frames[0].decode()
            except UnicodeDecodeError:
                self.conn.fail(CloseCode.INVALID_DATA)
                self.handle_parser_exception()
                return
        super().send_receive_event_to_app()
