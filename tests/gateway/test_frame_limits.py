"""C16: how long a frame may be, and that one beyond it is not even read."""

import json
import struct

from websockets.asyncio.client import ClientConnection

from tests.gateway.conftest import SOCKETS
from tests.gateway.raw_tab import a_message, a_session, connected
from tests.support.deployment import Deployment

MAX_FRAME_BYTES = 1_048_576


@SOCKETS
async def test_a_frame_at_the_transport_s_limit_is_read(edge: Deployment) -> None:
    """C16: it is too long a message, and no more than that."""
    session_id = a_session()
    async with connected(edge.processes[0], session_id) as tab:
        bare = json.dumps(a_message(session_id, ""))
        await tab.send(json.dumps(a_message(session_id, "x" * (MAX_FRAME_BYTES - len(bare)))))
        assert (await tab.until("error"))["code"] == "too_long"
        await tab.is_usable()


@SOCKETS
async def test_a_frame_beyond_the_transport_s_limit_is_never_read(edge: Deployment) -> None:
    """C16: its header alone is enough to be closed with 1009: it costs no memory; others stay."""
    session_id = a_session()
    gateway = edge.processes[0]
    async with connected(gateway, session_id) as other, connected(gateway, session_id) as tab:
        text_of_17_mb = struct.pack("!BBQ4x", 0x81, 0x80 | 127, 17_000_000)
        tab.socket.transport.write(text_of_17_mb)
        assert (await tab.close_frame())[0] == 1009
        await other.is_usable()


@SOCKETS
async def test_fragments_count_together(edge: Deployment) -> None:
    """C16: a message in two fragments is as long as both."""
    session_id = a_session()
    gateway = edge.processes[0]
    async with connected(gateway, session_id) as other, connected(gateway, session_id) as tab:
        assert isinstance(tab.socket, ClientConnection)
        await tab.socket.send(["x" * (MAX_FRAME_BYTES // 2)] * 2 + [""])
        assert (await tab.until("error"))["code"] == "bad_json"
        half = struct.pack("!BBQ4x", 0x01, 0x80 | 127, MAX_FRAME_BYTES // 2)
        tab.socket.transport.write(half + b"x" * (MAX_FRAME_BYTES // 2))
        rest = struct.pack("!BBQ4x", 0x80, 0x80 | 127, MAX_FRAME_BYTES // 2 + 1)
        tab.socket.transport.write(rest)
        assert (await tab.close_frame())[0] == 1009
        await other.is_usable()
