"""The limit: an asyncio program that only copies bytes from Redis to sockets.

`python -m benchmarks.bare_loop PORT REDIS_PORT READ_BYTES`. uvloop, one subscription read by
hiredis, each text framed once, what one read brought for a session joined into one write a tab. No
order, no log, no resume, no bound, no check: what a gateway costs above this is what its promises
cost.
"""

import asyncio
import base64
import hashlib
import struct
import sys
from collections import defaultdict
from functools import lru_cache
from typing import Any, cast

import hiredis
import uvloop

from benchmarks.systems.system import resp

HANDSHAKE_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FEED_BYTES = 16_384
"""Given to hiredis at once: it moves all that it has left for every kilobyte that it has parsed."""

tabs: dict[bytes, list[asyncio.Transport]] = defaultdict(list)


class Subscription(asyncio.BufferedProtocol):
    """The one connection to Redis."""

    def __init__(self, read_bytes: int) -> None:
        self.read_into = bytearray(read_bytes)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.reader: Any = hiredis.Reader()

    def subscribe(self, channel: bytes) -> None:
        self.transport.write(resp(b"SUBSCRIBE", channel))

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.read_into

    def buffer_updated(self, nbytes: int) -> None:
        frames: dict[bytes, list[bytes]] = defaultdict(list)
        gets = self.reader.gets
        for start in range(0, nbytes, FEED_BYTES):
            self.reader.feed(self.read_into, start, min(FEED_BYTES, nbytes - start))
            while (reply := gets()) is not False:
                kind, channel, text = reply
                if kind == b"message":
                    parts = frames[channel]
                    parts.append(header(len(text)))
                    parts.append(text)
        for channel, parts in frames.items():
            joined = b"".join(parts)
            for tab in tabs[channel]:
                tab.write(joined)


@lru_cache(4096)
def header(size: int) -> bytes:
    """What comes before a text of this size."""
    if size < 126:
        return struct.pack("!BB", 0x81, size)
    if size < 65_536:
        return struct.pack("!BBH", 0x81, 126, size)
    return struct.pack("!BBQ", 0x81, 127, size)


class Tab(asyncio.Protocol):
    """A socket: upgraded, then only written to."""

    def __init__(self, subscription: Subscription) -> None:
        self.subscription = subscription
        self.channel = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.channel:
            return
        lines = data.split(b"\r\n")
        key = next(line for line in lines if line.lower().startswith(b"sec-websocket-key:"))
        digest = hashlib.sha1(key.split(b":")[1].strip() + HANDSHAKE_GUID).digest()
        self.transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        session = lines[0].split(b" ")[1].partition(b"session_id=")[2]
        self.channel = b"session:{%s}" % session
        if self.channel not in tabs:
            self.subscription.subscribe(self.channel)
        tabs[self.channel].append(self.transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.transport in tabs[self.channel]:
            tabs[self.channel].remove(self.transport)


async def main(port: int, redis_port: int, read_bytes: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    _, subscription = await loop.create_connection(
        lambda: Subscription(read_bytes), "127.0.0.1", redis_port
    )
    server = await loop.create_server(lambda: Tab(subscription), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(*map(int, sys.argv[1:])))
