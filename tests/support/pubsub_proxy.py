"""A TCP proxy before Redis that loses single messages of pub/sub, or reads no more of them.

It reads what Redis sends on a connection that has subscribed, reply by reply. Confirmations always
pass, in their place; whether a message passes is the test's to say. It also counts what is asked:
the reads of logs, session by session.
"""

import asyncio
import re
import socket
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import sha1
from typing import Any, cast

import hiredis

from shared.redis_client import read_script
from tests.support.proxy import PIECE, Link, Proxy, serving

LITTLE_BYTES = 65_536
LONGEST_COMMAND_FRONT = 1024
"""Bytes of a command up to its first key; of a script that is sent whole, those of its end."""

Lose = Callable[[bytes, bytes], bool]
"""Told channel and text of a message: whether it is lost."""


def lose_nothing(channel: bytes, text: bytes) -> bool:
    """Every message passes."""
    return False


def _reading() -> re.Pattern[bytes]:
    """A command that reads a log: by the script's hash, or, the first time, with its text."""
    text = read_script("read").encode()
    digest = sha1(read_script("prelude").encode() + text).hexdigest().encode()
    end = text[text[:-1].rindex(b"\n") - 60 :]
    front = rb"(?:EVALSHA\r\n\$40\r\n" + digest + rb"|" + re.escape(end) + rb")"
    return re.compile(front + rb"\r\n\$\d+\r\n\d+\r\n\$\d+\r\n[^\r{]*\{([A-Za-z0-9_-]+)\}")


class PubSubProxy(Proxy):
    """Passes everything on but for the messages that `lose` says are lost."""

    def __init__(self, target_port: int) -> None:
        super().__init__(target_port)
        self.lose: Lose = lose_nothing
        self.reads: Counter[str] = Counter()
        """How often the log of a session was read, by its id."""
        self.addresses: set[str] = set()
        """What Redis calls the connections that were made through this proxy."""
        self.cut_subscriptions = 0
        """Connections that had subscribed and were closed by Redis."""
        self.overlapping_reads = 0
        """Reads that were asked for while another of the same session had no answer yet."""
        self._reading = _reading()
        self._unanswered: dict[Link, str] = {}
        """Whose log is being read, by the connection that waits for it."""
        self._ended: set[Link] = set()
        """Those that the client has closed."""
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
        host, port = end.getsockname()
        self.addresses.add(f"{host}:{port}")
        return await asyncio.open_connection(sock=end, limit=LITTLE_BYTES)

    async def _pass_questions(
        self, link: Link, client: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        tail = b""
        with suppress(ConnectionError):
            while piece := await client.read(PIECE):
                link.subscribes = link.subscribes or b"SUBSCRIBE\r\n" in piece
                tail = self._count_reads(link, tail + piece)
                server.write(piece)
                await server.drain()
        self._ended.add(link)
        link.writer.transport.abort()
        server.transport.abort()

    def _count_reads(self, link: Link, asked: bytes) -> bytes:
        """Count, and return what may be the beginning of another."""
        end = 0
        for found in self._reading.finditer(asked):
            name = found[1].decode()
            self.reads[name] += 1
            self.overlapping_reads += name in self._unanswered.values()
            self._unanswered[link] = name
            end = found.end()
        return asked[max(end, len(asked) - LONGEST_COMMAND_FRONT) :]

    async def _pass_answers(self, link: Link, server: asyncio.StreamReader) -> None:
        replies = hiredis.Reader()
        with suppress(ConnectionError):
            while piece := await server.read(PIECE):
                self._unanswered.pop(link, None)
                if link.subscribes:
                    await self._reads.wait()
                # Until it subscribes, a connection asks and is answered in turn: no reply is cut in
                # two by the change.
                link.writer.write(self._thin(replies, piece) if link.subscribes else piece)
                await link.writer.drain()
        self._unanswered.pop(link, None)
        self.cut_subscriptions += link.subscribes and link not in self._ended
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
