"""An MCP server of the tests' own, in a process of its own, that asks who is there."""

import asyncio
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.eventually import eventually

MCP_SERVER = '''
import asyncio
import sys

from fastmcp import FastMCP
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

port, transport, authorization = sys.argv[1:]
server = FastMCP("elsewhere")


@server.tool
def count() -> int:
    return 7


@server.tool
def refuse() -> int:
    raise RuntimeError("TOOL-SECRET")


@server.tool
async def wait() -> int:
    await asyncio.Event().wait()
    return 0


@server.tool
def big(size: int) -> str:
    return "é" * (size // 2)


class Door:
    """Lets nobody in without the right header."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        app = self.app
        if scope["type"] == "http":
            shown = dict(scope["headers"]).get(b"authorization", b"").decode()
            if shown != authorization:
                app = PlainTextResponse("who are you?", 401)
        await app(scope, receive, send)


options = {"host": "127.0.0.1", "port": int(port), "middleware": [Middleware(Door)]}
server.run(transport=transport, show_banner=False, **options)
'''


class McpElsewhere:
    """The server at one address, started and killed by the test."""

    def __init__(self, folder: Path, port: int, transport: str, authorization: str = "") -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/{'sse' if transport == 'sse' else 'mcp'}"
        self._script = folder / "mcp_server.py"
        self._script.write_text(MCP_SERVER)
        self._arguments = (str(port), transport, authorization)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[asyncio.subprocess.Process, None]:
        """The server, killed at the end of the block."""
        null = asyncio.subprocess.DEVNULL
        server = await asyncio.create_subprocess_exec(
            sys.executable, str(self._script), *self._arguments, stdout=null, stderr=null
        )
        try:
            await eventually(self._is_open, "the MCP server listens", timeout=45)
            yield server
        finally:
            if server.returncode is None:
                server.kill()
            await server.wait()

    def _is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
