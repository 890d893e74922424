"""A proxy before Redis that loses what a network loses: the reply to a script call, with or without
the connection, or the call itself, which then arrives late."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal

Fault = Literal["the reply is lost", "the call comes late", "the connection breaks"]


class LossyProxy:
    """Passes everything on, but for the connection that carries the next script call after
    `fault` was set."""

    def __init__(self, port: int) -> None:
        self.fault: Fault | None = None
        self.faults_done = 0
        self.url = ""
        self._port = port
        self._late = bytearray()

    async def deliver_what_is_late(self) -> bytes:
        """Hand Redis the call that was held back; returns its reply, which nobody waits for."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(bytes(self._late))
        self._late.clear()
        reply = await reader.read(65536)
        writer.close()
        await writer.wait_closed()
        return reply

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_redis, to_redis = await asyncio.open_connection("127.0.0.1", self._port)
        answering = asyncio.create_task(_copy(from_redis, writer))
        fault: Fault | None = None
        try:
            while call := await reader.read(65536):
                if self.fault is not None and b"EVAL" in call:
                    fault, self.fault = self.fault, None
                    self.faults_done += 1
                    answering.cancel()
                if fault == "the call comes late":
                    self._late += call
                else:
                    to_redis.write(call)
                if fault == "the connection breaks":
                    await from_redis.read(65536)
                    return
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            for end in (to_redis, writer):
                end.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)


@asynccontextmanager
async def lossy_proxy(port: int) -> AsyncGenerator[LossyProxy, None]:
    """A proxy before the server on `port`, for the block."""
    proxy = LossyProxy(port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    async with server:
        yield proxy
