"""python-socketio, published to as its write-only Redis manager does in an external process."""

from collections.abc import Sequence

from benchmarks.systems.installing import install_python, python_versions
from benchmarks.systems.system import Launch, resp
from benchmarks.systems.tutorial import uvicorn

CHANNEL = b"socketio"
"""`AsyncRedisManager`'s default: one channel for all rooms."""


class PythonSocketIO:
    """`benchmarks/peers/python/python_socketio.py`."""

    name = "python-socketio"
    publishes_over = "redis"
    hello = b"40"
    """Engine.IO's `message` with Socket.IO's `CONNECT` to the main namespace."""
    base = 0
    most_tabs = 10_000

    def missing(self) -> str:
        return install_python()

    def versions(self) -> str:
        return python_versions("python-socketio", "uvicorn", "uvloop", "redis", "hiredis")

    def launch(self, port: int, redis_port: int) -> Launch:
        return uvicorn("python_socketio:app", port, redis_port)

    def tab_path(self, session_id: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        pass

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        front = b'{"method": "emit", "event": "event", "data": ['
        back = b'], "binary": false, "namespace": "/", "room": "%s", ' % session_id.encode()
        back += b'"skip_sid": null, "callback": null, "host_id": "benchmark"}'
        return b"".join(resp(b"PUBLISH", CHANNEL, front + event + back) for event in events)
