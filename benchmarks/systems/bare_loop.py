"""The limit that the ratios are of."""

import platform
import sys
from importlib.metadata import version

from benchmarks.systems.system import Launch, OnSessionChannels

READ_BYTES = 262_144
"""What uvloop itself reads at once, with which others have measured such loops."""


class BareLoop(OnSessionChannels):
    """`benchmarks/bare_loop.py`, which takes so much from Redis at once."""

    name = "bare loop"
    most_tabs = 10_000

    def __init__(self, read_bytes: int = READ_BYTES) -> None:
        self._read_bytes = read_bytes
        if read_bytes != READ_BYTES:
            self.name += f", {read_bytes // 1024:,} KiB at once"

    def missing(self) -> str:
        return ""

    def versions(self) -> str:
        packages = [f"{name} {version(name)}" for name in ("uvloop", "hiredis")]
        return ", ".join([f"Python {platform.python_version()}", *packages])

    def launch(self, port: int, redis_port: int) -> Launch:
        words = (str(port), str(redis_port), str(self._read_bytes))
        return Launch([sys.executable, "-m", "benchmarks.bare_loop", *words])
