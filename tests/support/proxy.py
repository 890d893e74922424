"""A TCP proxy before Redis that can lose, on command, what Redis sends.

A connection through it that has gone deaf stays open, and what the client sends still arrives:
exactly the failure that every other sign of health survives.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

PIECE = 65536


@dataclass(eq=False)
class Link:
    """One connection through the proxy."""

    writer: asyncio.StreamWriter
    subscribes: bool = False
    deaf: bool = False


class Proxy:
    """Passes bytes on, both ways, until told otherwise."""

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._links: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._swallow_all = False
        self._is_shut = False
        self.port = 0
        self.swallowed_bytes = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def deafen_subscribers(self) -> None:
        """From here on, connections that have subscribed to something hear nothing more. Later ones
        are well."""
        for link in self._links:
            link.deaf = link.deaf or link.subscribes

    def swallow(self, on: bool) -> None:
        """Whether nothing at all comes from Redis, on any connection, open or to come."""
        self._swallow_all = on

    def shut(self, on: bool) -> None:
        """Whether nobody gets through: open connections break, and there are no new ones."""
        self._is_shut = on
        if on:
            for link in self._links:
                link.writer.transport.abort()

    async def serve(self, client: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reader, server = await self._connect()
        link = Link(writer)
        self._links.add(link)
        try:
            async with asyncio.TaskGroup() as pair:
                pair.create_task(self._pass_questions(link, client, server))
                pair.create_task(self._pass_answers(link, reader))
        finally:
            self._links.discard(link)
            server.transport.abort()
            writer.transport.abort()

    def accept(self, client: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._serve_quietly(client, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._target_port)

    async def _serve_quietly(
        self, client: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            with suppress(OSError):
                await self.serve(client, writer)
        finally:
            writer.transport.abort()

    async def _pass_questions(
        self, link: Link, client: asyncio.StreamReader, server: asyncio.StreamWriter
    ) -> None:
        with suppress(ConnectionError):
            while piece := await client.read(PIECE):
                link.subscribes = link.subscribes or b"SUBSCRIBE\r\n" in piece
                server.write(piece)
                await server.drain()
        link.writer.transport.abort()
        server.transport.abort()

    async def _pass_answers(self, link: Link, server: asyncio.StreamReader) -> None:
        with suppress(ConnectionError):
            while piece := await server.read(PIECE):
                if self._swallow_all or link.deaf:
                    self.swallowed_bytes += len(piece)
                    continue
                link.writer.write(piece)
                await link.writer.drain()
        link.writer.transport.abort()


@asynccontextmanager
async def proxy_before(port: int) -> AsyncGenerator[Proxy, None]:
    """A proxy before the Redis at `port`, for the block."""
    proxy = Proxy(port)
    async with serving(proxy):
        yield proxy


@asynccontextmanager
async def serving(proxy: Proxy) -> AsyncGenerator[None, None]:
    """The proxy takes connections, at a port of its own, for the block."""
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = int(server.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
