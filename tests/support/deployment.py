"""A deployment of real processes for one test: gateways and workers against a real server.

Every test has a namespace of its own, so tests share a server and never see each other. What a test
leaves behind is looked at by `check_nothing_is_left`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast
from uuid import uuid4

import httpx2 as httpx
import redis.asyncio as redis_asyncio

from dev.embedded_redis import free_port
from shared.keys import WORK_GROUP, Keys
from tests.support.eventually import eventually
from tests.support.processes import ROOT, Process, fork_server

__all__ = ["ROOT", "START_SECONDS", "Deployment", "Process", "deploy"]

START_SECONDS = 45.0
NO_EXPIRY = -1
EXPLAINED = (" WARNING agent_worker.agent_run: turn ", "patient_history_error: request ")


def _any_port() -> tuple[str, int]:
    return "127.0.0.1", free_port()


@dataclass
class Deployment:
    """The processes of one test."""

    redis_url: str
    folder: Path
    environment: dict[str, str] = field(default_factory=lambda: {})
    namespace: str = field(default_factory=lambda: f"t{uuid4().hex[:12]}")
    processes: list[Process] = field(default_factory=lambda: [])
    tree: Path = ROOT
    """The sources that processes are started from."""
    before: str = ""
    """A function (`module:name`) that every process calls before it begins."""
    next_address: Callable[[], tuple[str, int]] = _any_port
    """Where the next gateway listens: host and port."""
    way: str = ""
    """How tests open their tabs: see `Process`."""
    _started: int = 0

    @property
    def keys(self) -> Keys:
        return Keys(self.namespace)

    async def start_gateway(self, **settings: object) -> Process:
        """A gateway that is ready."""
        host, port = self.next_address()
        gateway = await self._start("gateway", {"HOST": host, "PORT": port, **settings})
        gateway.host = host
        return await self._ready(gateway, port)

    async def start_development_gateway(self, **settings: object) -> Process:
        """A gateway as `uvicorn --factory` runs it, on the plain ASGI path, that is ready."""
        port = free_port()
        arguments = ("--factory", "gateway.app:build_app", "--port", str(port))
        arguments += ("--ws-max-size", "1048576")  # its own option: MAX_FRAME_BYTES is not asked
        return await self._ready(await self._start("uvicorn", settings, *arguments), port)

    async def _ready(self, gateway: Process, port: int) -> Process:
        gateway.port, gateway.way = port, self.way
        await self.wait_until_ready(gateway)
        return gateway

    async def wait_until_ready(self, gateway: Process) -> None:
        async def is_ready() -> bool:
            if gateway.has_ended:
                raise AssertionError(f"the gateway has ended:\n{gateway.log()}")
            try:
                async with httpx.AsyncClient() as http:
                    return (await http.get(f"{gateway.http}/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await eventually(is_ready, "the gateway is ready", timeout=START_SECONDS)

    async def start_worker(self, **settings: object) -> Process:
        """A worker that reads the work stream."""
        worker = await self._start("agent_worker", settings)

        def has_started() -> bool:
            if worker.has_ended:
                raise AssertionError(f"the worker has ended:\n{worker.log()}")
            return "worker starts" in worker.log()

        await eventually(has_started, "the worker has started", timeout=START_SECONDS)
        return worker

    def client(self) -> "redis_asyncio.Redis":
        """A client of the test's own, for looking at keys and for faults."""
        return redis_asyncio.from_url(self.redis_url, decode_responses=True)

    async def stop(self) -> None:
        """End every process; frozen ones too."""
        for process in self.processes:
            process.thaw()
        await asyncio.gather(*(process.stop() for process in self.processes))

    async def check_nothing_is_left(self, node_urls: Sequence[str] = ()) -> None:
        """No key of a session without an expiry, no entry that nobody answered, no session still
        subscribed to, no error logged. `node_urls`: where to look, if Redis is a cluster."""
        for url in node_urls or (self.redis_url,):
            async with redis_asyncio.from_url(url, decode_responses=True) as client:
                await self._check_server(client)
        for process in self.processes:
            assert not _errors_in(process), f"errors in the log:\n{process.log()}"

    async def _check_server(self, client: "redis_asyncio.Redis") -> None:
        async def all_answered() -> bool:
            pending = await client.xpending(self.keys.turns(), WORK_GROUP)
            return not pending["pending"] and not await client.xlen(self.keys.turns())

        found = cast(AsyncIterator[str], client.scan_iter(f"{self.namespace}:*", count=1000))
        async for key in found:
            if key == self.keys.turns():
                await eventually(all_answered, "every entry is claimed and acknowledged")
            else:
                assert await client.ttl(key) != NO_EXPIRY, f"{key} never expires"

        async def nobody_listens() -> bool:
            ours = f"{self.namespace}:session:*"
            sharded = cast(list[str], await client.pubsub_shardchannels(ours))
            return not sharded and not await client.pubsub_channels(ours)

        await eventually(nobody_listens, "no session is subscribed to any more")

    async def _start(self, package: str, settings: dict[str, object], *arguments: str) -> Process:
        names = {name.upper(): str(value) for name, value in settings.items()}
        environment = {
            **os.environ,
            "REDIS_URL": self.redis_url,
            "NAMESPACE": self.namespace,
            "OTEL_SDK_DISABLED": "false",
            **self.environment,
            **names,
        }
        self._started += 1  # several may be started at once
        log_file = self.folder / f"{package}-{self._started}.log"
        process = await fork_server(self.tree).start(
            package, arguments, environment, log_file, self.before
        )
        started = Process(process, log_file)
        self.processes.append(started)
        return started


def _errors_in(process: Process) -> list[str]:
    """The lines at ERROR, and tracebacks, but for those that explain why a turn or a patient's
    history failed."""
    bad: list[str] = []
    explained = False
    for line in process.log().splitlines():
        if line[:4].isdigit():
            explained = any(text in line for text in (*EXPLAINED, *process.expected_errors))
        if (" ERROR " in line or "Traceback" in line) and not explained:
            bad.append(line)
    return bad


class Server(Protocol):
    """A Redis that runs, or a cluster of it."""

    @property
    def url(self) -> str: ...


@asynccontextmanager
async def deploy(
    server: Server, folder: Path, **environment: str
) -> AsyncGenerator[Deployment, None]:
    """A deployment without processes yet; all that the block starts are ended after it."""
    deployment = Deployment(server.url, folder, dict(environment))
    try:
        yield deployment
    except BaseException:
        for process in deployment.processes:
            print(f"--- {process.log_file.name}\n{process.log()[-6000:]}")
        raise
    finally:
        await deployment.stop()
