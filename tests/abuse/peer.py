"""A peer that says whatever it likes: bytes, requests and frames without a client's good manners.

Nothing here is ours or a library's client: those refuse to send most of what an attacker would.
"""

import asyncio
import json
import socket as sockets
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WAIT_SECONDS = 30.0
"""After so long without an answer a try counts as `silence`."""
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
MASK = b"\x1b\x2c\x3d\x4e"
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x1, 0x2, 0x0, 0x8, 0x9, 0xA

Header = tuple[bytes, bytes]
Headers = Sequence[Header]


class Cut(Exception):
    """The gateway has ended the connection."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""

    @property
    def detail(self) -> str:
        """The sentence of a refusal; empty where there is none."""
        fields: Any = json.loads(self.body or b'{"detail":""}')
        return str(fields["detail"])


class Peer:
    """One TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def say(self, data: bytes) -> None:
        """Without waiting until it has gone."""
        self.writer.write(data)

    async def push(self, data: bytes) -> None:
        """Say it, and wait while the other side takes nothing. Raises `Cut`."""
        try:
            self.writer.write(data)
            async with asyncio.timeout(WAIT_SECONDS):
                await self.writer.drain()
        except OSError as error:
            raise Cut from error

    async def take(self, count: int) -> bytes:
        """Exactly so many bytes. Raises `Cut`, and `TimeoutError`."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await self.reader.readexactly(count)
        except (asyncio.IncompleteReadError, OSError) as error:
            raise Cut from error

    async def until_cut(self) -> bytes:
        """What comes until the gateway ends the connection. Raises `TimeoutError`."""
        heard = b""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                try:
                    piece = await self.reader.read(65536)
                except OSError:
                    return heard
                if not piece:
                    return heard
                heard = heard[-65536:] + piece

    async def answer(self) -> Answer:
        """The next HTTP answer. Raises `Cut`, and `TimeoutError`."""
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError) as error:
            raise Cut from error
        status_line, *lines = head[:-4].split(b"\r\n")
        length = 0
        for line in lines:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        status = int(status_line.split()[1])
        if status == 100:
            return await self.answer()
        return Answer(status, await self.take(length) if length and status >= 200 else b"")

    async def frame(self) -> tuple[int, bytes]:
        """The next WebSocket frame: its opcode and what it holds. Raises `Cut`, `TimeoutError`."""
        first, size = await self.take(2)
        if size == 126:
            (size,) = struct.unpack("!H", await self.take(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self.take(8))
        return first & 0x0F, await self.take(size) if size else b""

    def end(self) -> None:
        """Say nothing more, without a close frame, and go on listening."""
        self.writer.write_eof()

    def drop(self) -> None:
        """End it at once, without a word."""
        self.writer.transport.abort()


async def connect(port: int, source: str = "", receive_buffer: int = 0) -> Peer:
    """A connection from the loopback address `source`. Raises `Cut`."""
    sock = sockets.socket()
    sock.setblocking(False)
    if receive_buffer:
        sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, receive_buffer)
    try:
        if source:
            sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=receive_buffer or 2**20)
    except OSError as error:
        sock.close()
        raise Cut from error
    return Peer(reader, writer)


def request(
    method: bytes, target: bytes, headers: Headers = (), body: bytes = b"", host: bytes = b"gateway"
) -> bytes:
    """A request, with a `Content-Length` where it has a body."""
    lines = [method + b" " + target + b" HTTP/1.1"]
    lines += [b"Host: " + host] if host else []
    lines += [name + b": " + value for name, value in headers]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def upgrade(query: bytes, headers: Headers = (), host: bytes = b"gateway") -> bytes:
    """A WebSocket handshake for `/ws?query`."""
    needed = (
        (b"Upgrade", b"websocket"),
        (b"Connection", b"Upgrade"),
        (b"Sec-WebSocket-Version", b"13"),
        (b"Sec-WebSocket-Key", KEY),
    )
    return request(b"GET", b"/ws?" + query, (*needed, *headers), host=host)


def frame(
    opcode: int, data: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """A client's frame, or one that only looks like it."""
    size = len(data)
    first = (0x80 if fin else 0) | rsv << 4 | opcode
    bit = 0x80 if masked else 0
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    return head + (MASK + mask(data) if masked else data)


def mask(data: bytes) -> bytes:
    """The data as it travels."""
    key = int.from_bytes((MASK * (len(data) // 4 + 1))[: len(data)], "big")
    return (int.from_bytes(data, "big") ^ key).to_bytes(len(data), "big")


def text(fields: object) -> bytes:
    """A text frame with this JSON."""
    return frame(TEXT, json.dumps(fields).encode())
