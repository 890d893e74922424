"""`npm run dev`: the page from its sources, with a gateway behind Vite's proxy."""

import asyncio
import os
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import expect

from dev.embedded_redis import free_port
from dev.node import find_node
from tests.browser.browsing import Browsing
from tests.support.deployment import ROOT, Deployment
from tests.support.eventually import eventually
from tests.support.listening import is_listening

FRONTEND = ROOT / "frontend"
FIRST_FRAME = """
() => new Promise((resolve, reject) => {
  const socket = new WebSocket('/ws?session_id=dev-server')
  socket.onerror = () => reject(new Error('the socket has failed'))
  socket.onmessage = (message) => { socket.close(); resolve(JSON.parse(message.data)) }
})
"""


@pytest.fixture
async def dev_server(system: Deployment) -> AsyncGenerator[str, None]:
    """Its address."""
    node, port = find_node(), free_port()
    process = await asyncio.create_subprocess_exec(
        node.node,
        "node_modules/vite/bin/vite.js",
        f"--port={port}",
        cwd=FRONTEND,
        env=node.environment(os.environ) | {"GATEWAY_URL": system.processes[0].http},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def listens() -> bool:
        assert process.returncode is None, "the development server has ended"
        return await is_listening(port, "localhost")

    try:
        await eventually(listens, "the development server listens")
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        await process.wait()


async def test_the_page_its_socket_and_the_gateways_routes_are_at_one_address(
    dev_server: str, browsing: Browsing
) -> None:
    # In this order: the window, which may still be loading, closes before the server ends.
    browsing.allow(r"^console (debug|log): \[vite\] ")
    browsing.allow(r"^console info: .*React DevTools")
    # In development React's strict mode starts everything twice.
    browsing.allow("WebSocket is closed before the connection is established")
    page = await browsing.open(f"{dev_server}/s/dev-server")
    await expect(page.locator("h1")).to_have_count(1)
    for path in ("/healthz", "/readyz"):
        assert await page.evaluate("async path => (await fetch(path)).status", path) == 200
    frame = await page.evaluate(FIRST_FRAME)
    assert (frame["type"], frame["session_id"]) == ("connection", "dev-server")
