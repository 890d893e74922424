"""Socket.IO with its Redis adapter, published to as `@socket.io/redis-emitter` does."""

import json
import struct
from collections.abc import Sequence
from typing import cast

from benchmarks.systems.installing import install_node, node_versions
from benchmarks.systems.node_ws import node
from benchmarks.systems.system import Launch, resp

EVENT = 2
"""Socket.IO's packet type."""


class SocketIO:
    """`benchmarks/peers/node/socket_io.cjs`."""

    name = "Socket.IO"
    publishes_over = "redis"
    hello = b"40"
    """Engine.IO's `message` with Socket.IO's `CONNECT` to the main namespace."""
    base = 0
    most_tabs = 10_000

    def missing(self) -> str:
        return install_node()

    def versions(self) -> str:
        return node_versions("socket.io", "@socket.io/redis-adapter", "bufferutil", "ioredis")

    def launch(self, port: int, redis_port: int) -> Launch:
        return node("socket_io.cjs", port, redis_port)

    def tab_path(self, session_id: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        pass

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        channel = f"socket.io#/#{session_id}#".encode()
        return b"".join(resp(b"PUBLISH", channel, _emitted(session_id, event)) for event in events)


def _emitted(room: str, event: bytes) -> bytes:
    """What the emitter sends for `emitter.to(room).emit("event", event)`."""
    packet: dict[str, object] = {"type": EVENT, "data": ["event", json.loads(event)], "nsp": "/"}
    options: dict[str, object] = {"rooms": [room], "flags": {}, "except": []}
    return to_msgpack(["emitter", packet, options])


def to_msgpack(value: object) -> bytes:
    """What JSON can say, as MessagePack says it (its specification, section "Formats")."""
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return bytes([value]) if 0 <= value < 128 else struct.pack(">Bq", 0xD3, value)
        case float():
            return struct.pack(">Bd", 0xCB, value)
        case str():
            text = value.encode()
            return _head(len(text), 0xA0, 32, {"B": 0xD9, "H": 0xDA, "I": 0xDB}) + text
        case list():
            items = cast(list[object], value)
            front = _head(len(items), 0x90, 16, {"H": 0xDC, "I": 0xDD})
            return front + b"".join(map(to_msgpack, items))
        case dict():
            pairs = cast(dict[str, object], value).items()
            front = _head(len(pairs), 0x80, 16, {"H": 0xDE, "I": 0xDF})
            return front + b"".join(to_msgpack(key) + to_msgpack(item) for key, item in pairs)
        case _:
            raise TypeError(f"JSON has no {type(value).__name__}")


def _head(length: int, short: int, room: int, formats: dict[str, int]) -> bytes:
    """The length in the first byte, where there is room for it; else in the first of `formats`
    (width to first byte) that holds it."""
    if length < room:
        return bytes([short | length])
    fits = (width for width in formats if length < 1 << 8 * struct.calcsize(width))
    width = next(fits)
    return struct.pack(f">B{width}", formats[width], length)
