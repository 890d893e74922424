"""The limit that the ratios are of."""

import platform
import sys
from importlib.metadata import version

from benchmarks.systems.system import Launch, OnSessionChannels


class BareLoop(OnSessionChannels):
    """`benchmarks/bare_loop.py`."""

    name = "bare loop"
    most_tabs = 10_000

    def missing(self) -> str:
        return ""

    def versions(self) -> str:
        packages = [f"{name} {version(name)}" for name in ("uvloop", "hiredis")]
        return ", ".join([f"Python {platform.python_version()}", *packages])

    def launch(self, port: int, redis_port: int) -> Launch:
        return Launch([sys.executable, "-m", "benchmarks.bare_loop", str(port), str(redis_port)])
