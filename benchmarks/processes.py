"""Processes of a benchmark: pinned, and accounted for by the operating system."""

import json
import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CPUCLOCK_SCHED = 2
"""In the id of a process' own clock, as clock_getcpuclockid(3) makes it."""
PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")


def start_pinned(
    command: Sequence[str], core: int, log: Path, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """A process that runs on `core` alone, and its children with it."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=os.environ | (environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    os.sched_setaffinity(process.pid, {core})
    return process


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    pids = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            pids += family(int(child))
    return pids


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its descendants, all their threads: what /proc/PID/stat
    tells in ticks of ten milliseconds, from the same clock to the nanosecond."""
    return sum(time.clock_gettime(~member << 3 | CPUCLOCK_SCHED) for member in family(pid))


def resident_bytes(pid: int) -> int:
    """Memory of a process and its descendants, what they share counted once for each."""
    return sum(
        int(Path(f"/proc/{member}/statm").read_text().split()[1]) * PAGE_SIZE
        for member in family(pid)
    )


class Generator:
    """The load generator, conversed with in lines."""

    def __init__(self, program: Path, arguments: Sequence[object], core: int) -> None:
        self.process = subprocess.Popen(
            [str(program), *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self.process.pid, {core})

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the generator ended with {self.process.wait()}")
        return json.loads(line)

    def go(self) -> None:
        """Let it begin what comes next."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


def await_port(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Returns when somebody listens on `port`."""
    import socket

    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-2000:]) from None
            time.sleep(0.05)
