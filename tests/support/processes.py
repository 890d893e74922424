"""Processes of the system: started, killed, frozen, told to stop, with what they printed.

They are forked by one server (`tests/support/fork_server.py`) that has imported everything: a
worker is there in a tenth of a second, and the machine's two cores are left for what is tested.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol, cast

ROOT = Path(__file__).parent.parent.parent
STOP_SECONDS = 20.0


class Running(Protocol):
    """What is known of an operating system's process; asyncio's own is one."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int, /) -> None: ...

    async def wait(self) -> int: ...


@dataclass
class Process:
    """One process of the system, with what it printed."""

    process: Running
    log_file: Path
    port: int = 0
    host: str = "127.0.0.1"
    """Of a gateway: where others reach it."""
    way: str = ""
    """How tests that are for every way to a tab open theirs; `events` is without WebSockets."""
    expected_errors: list[str] = field(default_factory=lambda: [])
    """Parts of lines at ERROR that the test itself has brought about."""
    was_told_to_end: bool = False
    """Whether a signal to end was sent; one that ends without has failed."""

    @property
    def http(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"ws://{self.host}:{self.port}/ws"

    @property
    def has_ended(self) -> bool:
        return self.process.returncode is not None

    def log(self) -> str:
        return self.log_file.read_text() if self.log_file.exists() else ""

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        self.signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """Tell it to stop, and wait until it has; returns its exit status."""
        self.terminate()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                return await self.process.wait()
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"did not stop in time:\n{self.log()}") from None

    def terminate(self) -> None:
        """Tell it to stop, and do not wait."""
        self.signal(signal.SIGTERM)

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def signal(self, number: int) -> None:
        """Send it; nobody is there to take it once the process has ended."""
        if not self.has_ended:
            self.was_told_to_end |= number in (signal.SIGKILL, signal.SIGTERM)
            self.process.send_signal(number)


class ForkedProcess:
    """A child of the fork server."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    def send_signal(self, signal: int, /) -> None:
        os.kill(self.pid, signal)

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)


class ForkServer:
    """The fork server of one event loop and one source tree; it ends with this process."""

    def __init__(self, tree: Path) -> None:
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "fork_server.py")],
            cwd=tree,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._children: dict[int, ForkedProcess] = {}
        self._starting: list[asyncio.Future[ForkedProcess]] = []
        self._unread = b""
        output = cast(IO[bytes], self._server.stdout)
        asyncio.get_running_loop().add_reader(output.fileno(), self._read, output)

    async def start(
        self,
        package: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log_file: Path,
        before: str = "",
    ) -> ForkedProcess:
        """`python -m package`, which calls the function `before` (`module:name`) first of all."""
        started: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._starting.append(started)
        wanted = {
            "package": package,
            "arguments": list(arguments),
            "environment": dict(environment),
            "log": str(log_file),
            "before": before,
        }
        asks = cast(IO[bytes], self._server.stdin)
        asks.write(json.dumps(wanted).encode() + b"\n")
        asks.flush()
        return await started

    def close(self) -> None:
        """End it, and with it whatever it has started that still runs."""
        output = cast(IO[bytes], self._server.stdout)
        asyncio.get_running_loop().remove_reader(output.fileno())
        cast(IO[bytes], self._server.stdin).close()
        self._server.wait(STOP_SECONDS)
        output.close()

    def _read(self, output: IO[bytes]) -> None:
        data = os.read(output.fileno(), 65536)
        if not data:
            asyncio.get_running_loop().remove_reader(output.fileno())
            for started in self._starting:
                started.set_exception(RuntimeError("the fork server has ended"))
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._hear(json.loads(line))

    def _hear(self, told: dict[str, Any]) -> None:
        if (pid := told.get("started")) is not None:
            self._children[pid] = ForkedProcess(pid)
            self._starting.pop(0).set_result(self._children[pid])
        elif (pid := told.get("ended")) is not None:
            self._children.pop(pid).ended.set_result(told["status"])


_servers: dict[tuple[asyncio.AbstractEventLoop, Path], ForkServer] = {}


def fork_server(tree: Path = ROOT) -> ForkServer:
    """The fork server of the running event loop for the sources in `tree`, started when it is first
    wanted."""
    key = asyncio.get_running_loop(), tree
    if key not in _servers:
        _servers[key] = ForkServer(tree)
    return _servers[key]


def close_fork_server(tree: Path) -> None:
    """End the one for these sources, if there is one: what it has started should have ended."""
    server = _servers.pop((asyncio.get_running_loop(), tree), None)
    if server is not None:
        server.close()
