"""The scripts, called directly: past the client library, which costs more than the call itself.

A worker runs a script for nearly every token of every turn that it has. redis-py makes the
connections (address, TLS, AUTH); then their bytes are written and read here, for half the CPU. As
with redis-py, a connection carries one call at a time: one that is not answered holds up no other.

Nothing is repeated here. When a connection breaks, or a reply takes longer than a command may, the
caller is told `Unavailable` and may ask again: what the scripts write is numbered or idempotent.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, cast

import hiredis

from shared.errors import Unavailable
from shared.keys import SessionKeys
from shared.redis_client import Scripts, ask
from shared.redis_server import Redis

Argument = str | bytes | int


class DirectScripts(Scripts):
    """As `Scripts`, for whoever calls them very often."""

    def __init__(self, client: Redis) -> None:
        super().__init__(client)
        self._idle: defaultdict[Redis, list[Connection]] = defaultdict(list)

    async def run(
        self, name: str, keys: SessionKeys, *arguments: Argument, client: Redis | None = None
    ) -> Any:
        node, digest = self._client.node_of(keys.log), self._hashes.get(name)
        if client is None and node is not None and digest is not None:
            names = keys.in_script_order()
            reply = await self._ask(node, ("EVALSHA", digest, len(names), *names, *arguments))
            if not isinstance(reply, hiredis.ReplyError):
                return reply
        # The first call sends the script. And redis-py knows what to make of an error: it sends a
        # script again that a server does not have, follows a slot that has moved, and has a name
        # for everything else.
        return await super().run(name, keys, *arguments, client=client)

    def close(self) -> None:
        """End the connections, which nobody may be using any more."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()

    async def _ask(self, node: Redis, words: tuple[Argument, ...]) -> object:
        idle = self._idle[node]
        while idle and idle[-1].is_over:
            idle.pop()
        try:
            connection = idle.pop() if idle else await ask(node, lambda: _connect(node))
            reply = await connection.ask(words, node.timeout_seconds)
        except Unavailable:
            self._client.doubt()  # on a cluster, somebody else may have its slots by now
            raise
        idle.append(connection)
        return reply


class Connection(asyncio.Protocol):
    """One connection, with at most one call on its way."""

    def __init__(self, made: Any) -> None:
        """`made`: by redis-py, which would close it if it were forgotten."""
        self._made = made
        self._transport = cast(asyncio.Transport, made._writer.transport)  # the one way to it
        self._transport.set_protocol(self)
        self._reader = hiredis.Reader()
        self._reply: asyncio.Future[object] | None = None

    @property
    def is_over(self) -> bool:
        return self._transport.is_closing()

    async def ask(self, words: tuple[Argument, ...], timeout_seconds: float) -> object:
        """The reply to a command; an error is a value. Raises `Unavailable`; then it may have run.
        A connection whose reply nobody has waited for is of no more use: it is closed."""
        loop = asyncio.get_running_loop()
        self._reply = loop.create_future()
        overdue = loop.call_later(timeout_seconds, self._end, "no reply in time")
        self._transport.write(_pack(words))
        try:
            return await self._reply
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            overdue.cancel()
            self._reply = None

    def close(self) -> None:
        self._end("it was closed")

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        reply = cast(object, self._reader.gets())
        if reply is not False and self._reply is not None and not self._reply.done():
            self._reply.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(str(exc or "the connection is lost"))

    # inside

    def _end(self, reason: str) -> None:
        self._transport.abort()
        self._made._close()
        if self._reply is not None and not self._reply.done():
            self._reply.set_exception(Unavailable(reason))


async def _connect(node: Redis) -> Connection:
    pool: Any = node.connection_pool
    made = pool.make_connection()
    try:
        await made.connect()
    except BaseException:
        # Also when it is cut off in the middle: the client does not close what it has opened.
        await made.disconnect(nowait=True)
        raise
    return Connection(made)


def _pack(words: tuple[Argument, ...]) -> bytes:
    pack = cast(Callable[[tuple[Argument, ...]], bytes], hiredis.pack_command)
    return pack(words)
