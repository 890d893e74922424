"""The limit: an asyncio program that only copies bytes from Redis to sockets.

`python -m benchmarks.bare_loop PORT REDIS_PORT`. uvloop, one subscription read by hiredis, each
text framed once, what one read brought for a session joined into one write a tab. No order, no log,
no resume, no bound, no check: what a gateway costs above this is what its promises cost.
"""

import asyncio
import base64
import hashlib
import struct
import sys
from collections import defaultdict
from typing import cast

import hiredis
import uvloop

from benchmarks.systems.system import resp

HANDSHAKE_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

tabs: dict[bytes, list[asyncio.Transport]] = defaultdict(list)


class Subscription(asyncio.Protocol):
    """The one connection to Redis."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.reader = hiredis.Reader()

    def subscribe(self, channel: bytes) -> None:
        self.transport.write(resp(b"SUBSCRIBE", channel))

    def data_received(self, data: bytes) -> None:
        self.reader.feed(data)
        frames: dict[bytes, list[bytes]] = {}
        gets = self.reader.gets
        while (reply := gets()) is not False:
            kind, channel, text = reply
            if kind == b"message":
                size = len(text)
                header = b"\x81" + (
                    struct.pack("!B", size)
                    if size < 126
                    else struct.pack("!BH", 126, size)
                    if size < 65_536
                    else struct.pack("!BQ", 127, size)
                )
                frames.setdefault(channel, []).extend((header, text))
        for channel, parts in frames.items():
            joined = b"".join(parts)
            for tab in tabs[channel]:
                tab.write(joined)


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


async def main(port: int, redis_port: int) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    _, subscription = await loop.create_connection(Subscription, "127.0.0.1", redis_port)
    server = await loop.create_server(lambda: Tab(subscription), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
