"""The limit that the ratios are of."""

import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version

from benchmarks.systems.system import Launch, resp


class BareLoop:
    """`benchmarks/bare_loop.py`."""

    name = "bare loop"
    publishes_over = "redis"
    hello = b""
    base = 0
    most_tabs = 10_000

    def missing(self) -> str:
        return ""

    def versions(self) -> str:
        packages = [f"{name} {version(name)}" for name in ("uvloop", "hiredis")]
        return ", ".join([f"Python {platform.python_version()}", *packages])

    def launch(self, port: int, redis_port: int) -> Launch:
        return Launch([sys.executable, "-m", "benchmarks.bare_loop", str(port), str(redis_port)])

    def tab_path(self, session_id: str) -> str:
        return f"/ws?session_id={session_id}"

    async def prepare(self, redis_port: int, session_ids: Sequence[str]) -> None:
        pass

    def publish(self, session_id: str, events: Sequence[bytes]) -> bytes:
        channel = f"session:{{{session_id}}}".encode()
        return b"".join(resp(b"PUBLISH", channel, event) for event in events)
