"""A TCP proxy before Redis that loses single messages of pub/sub, or reads no more of them.

It reads what Redis sends on a connection that has subscribed, reply by reply. Confirmations always
pass, in their place; whether a message passes is the test's to say.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, cast

import hiredis

from tests.support.proxy import PIECE, Link, Proxy, serving

LITTLE_BYTES = 65_536

Lose = Callable[[bytes, bytes], bool]
"""Told channel and text of a message: whether it is lost."""


def lose_nothing(channel: bytes, text: bytes) -> bool:
    """Every message passes."""
    return False


class PubSubProxy(Proxy):
    """Passes everything on but for the messages that `lose` says are lost."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.lose: Lose = lose_nothing
        self._reads = asyncio.Event()
        self._reads.set()

    def stop_reading(self) -> None:
        """Read no more of what Redis sends to subscribers: it piles up there, but for a little."""
        self._reads.clear()

    def go_on_reading(self) -> None:
        self._reads.set()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        # The kernel would hold as much as 32 MB for a reader that does not read.
        end = socket.socket()
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE_BYTES)
        end.setblocking(False)
        await asyncio.get_running_loop().sock_connect(end, ("127.0.0.1", self._target_port))
        return await asyncio.open_connection(sock=end, limit=LITTLE_BYTES)

    async def _pass_answers(self, link: Link, server: asyncio.StreamReader) -> None:
        replies = hiredis.Reader()
        with suppress(ConnectionError):
            while piece := await server.read(PIECE):
                if link.subscribes:
                    await self._reads.wait()
                # Until it subscribes, a connection asks and is answered in turn: no reply is cut in
                # two by the change.
                link.writer.write(self._thin(replies, piece) if link.subscribes else piece)
                await link.writer.drain()
        link.writer.transport.abort()

    def _thin(self, replies: hiredis.Reader, piece: bytes) -> bytes:
        replies.feed(piece)
        passed: list[bytes] = []
        while (reply := replies.gets()) is not False:
            match cast(list[Any], reply):
                case [b"message", bytes(channel), bytes(text)] if self.lose(channel, text):
                    self.swallowed_bytes += len(text)
                case _:
                    passed.append(_encode(reply))
        return b"".join(passed)


def _encode(reply: Any) -> bytes:
    """A reply as Redis sent it on a connection that has subscribed. Raises `AssertionError` for one
    that it does not send there."""
    match reply:
        case int():
            return b":%d\r\n" % reply
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(reply), reply)
        case None:
            return b"$-1\r\n"
        case list():
            parts = cast(list[Any], reply)
            return b"*%d\r\n" % len(parts) + b"".join(map(_encode, parts))
        case _:
            raise AssertionError(f"a subscription was answered {reply!r}")


@asynccontextmanager
async def pubsub_proxy_before(port: int) -> AsyncGenerator[PubSubProxy, None]:
    """A proxy before the Redis at `port`, for the block."""
    proxy = PubSubProxy(port)
    async with serving(proxy):
        yield proxy
