"""One system on this machine: its gateway alone on one core; Redis and the load on the other."""

import asyncio
import os
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import (
    Generator as LoadGenerator,
)
from benchmarks.processes import (
    await_port,
    cpu_seconds,
    start_pinned,
)
from benchmarks.systems.system import System
from benchmarks.workload import PIECE, Workload, session_names, write_plan, write_tabs
from dev.embedded_redis import EmbeddedRedis, free_port

GATEWAY_CORE, OTHER_CORE = 0, 1
SOURCE = Path(__file__).parent / "load" / "generator.c"
END_SECONDS = 30


@dataclass(frozen=True)
class Costs:
    """CPU seconds so far."""

    gateway: float
    redis: float
    generator: float


class Stage:
    """A system that runs, with an empty Redis."""

    def __init__(
        self,
        system: System,
        folder: Path,
        redis: EmbeddedRedis,
        gateway: subprocess.Popen[bytes],
        port: int,
    ) -> None:
        assert redis.process is not None
        self.system = system
        self.folder = folder
        self.port = port
        self.gateway_pid = gateway.pid
        self.redis_pid = redis.process.pid
        self.redis_port = redis.port

    @contextmanager
    def load(
        self,
        workload: Workload,
        *,
        until: str = "reached",
        tab_query: Sequence[str] = (),
        passed: int = 0,
    ) -> Generator[LoadGenerator, None, None]:
        """The load generator for a workload, whose tabs are opening. `tab_query`: what each
        session's tabs have at the end of their request target. `passed`: events of each session
        that were published before."""
        tabs, plan = self.folder / "tabs", self.folder / "plan"
        write_tabs(tabs, self.system, workload, tab_query)
        write_plan(plan, self.system, workload)
        publish_port = self.redis_port if self.system.publishes_over == "redis" else self.port
        pace = self._pace_of(workload)
        base = self.system.base + passed
        arguments = (self.port, publish_port, tabs, plan, pace, base, len(PIECE))
        program = self.folder.parent / "generator"
        generator = LoadGenerator(
            program, [*arguments, until, self.system.hello.decode()], OTHER_CORE
        )
        try:
            yield generator
        finally:
            generator.end()

    def _pace_of(self, workload: Workload) -> str:
        """One that takes its events on its own port cannot be stopped while they are published."""
        if workload.backlog and self.system.publishes_over == "gateway":
            return f"window:{workload.backlog}"
        if workload.backlog:
            return f"backlog:{workload.backlog}:{self.gateway_pid}"
        return workload.pace

    def gateway_cpu_seconds(self) -> float:
        return cpu_seconds(self.gateway_pid)

    def costs(self, generator: LoadGenerator) -> Costs:
        return Costs(
            cpu_seconds(self.gateway_pid),
            cpu_seconds(self.redis_pid),
            cpu_seconds(generator.process.pid),
        )


@contextmanager
def workshop() -> Generator[Path, None, None]:
    """A folder for a run, with the load generator in it."""
    # Sockets for ten thousand tabs, here and in what is started here.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit("The load generator is written in C: please install a C compiler (gcc).")
    with tempfile.TemporaryDirectory(prefix="fanline-bench-") as folder:
        program = Path(folder) / "generator"
        subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], check=True)
        yield Path(folder)


@contextmanager
def staged(system: System, sessions: int, workshop: Path) -> Generator[Stage, None, None]:
    """The system, with so many sessions that are prepared, as long as the context lasts."""
    folder = workshop / "stage"
    shutil.rmtree(folder, ignore_errors=True)
    redis = EmbeddedRedis(folder / "redis", options=["--maxclients", "20000"])
    redis.start()
    assert redis.process is not None
    os.sched_setaffinity(redis.process.pid, {OTHER_CORE})
    try:
        asyncio.run(system.prepare(redis.port, session_names(sessions)))
        port = free_port()
        launch = system.launch(port, redis.port)
        log = folder / "gateway.log"
        gateway = start_pinned(launch.command, GATEWAY_CORE, log, dict(launch.environment))
        try:
            await_port(port, gateway, log)
            yield Stage(system, folder, redis, gateway, port)
        finally:
            _end(gateway)
    finally:
        redis.stop()


def _end(gateway: subprocess.Popen[bytes]) -> None:
    os.killpg(gateway.pid, signal.SIGCONT)  # a trial may have ended while it was stopped
    os.killpg(gateway.pid, signal.SIGTERM)
    try:
        gateway.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(gateway.pid, signal.SIGKILL)
        gateway.wait()
