"""Real workers under a load of turns: with a paced model, Redis, and a gateway with its tabs.

What is measured has one core, everything else the other. Questions are accepted as a gateway
accepts them, and each process is accounted for by the operating system.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import redis

from agent_worker.story import now_text
from benchmarks.paced_model import Answer
from benchmarks.processes import Generator as Talker
from benchmarks.processes import await_port, cpu_seconds, start_pinned
from benchmarks.stage import GATEWAY_CORE as MEASURED_CORE
from benchmarks.stage import OTHER_CORE
from dev.embedded_redis import EmbeddedRedis, free_port
from shared.ids import SessionId, make_turn_id
from shared.inbox import Inbox, SubmittedMessage
from shared.keys import Keys
from shared.promise import Promises
from shared.redis_client import connect_redis
from shared.work_stream import WorkStream

START_SECONDS = 60.0
ANSWER_SECONDS = 240.0
LOOK_SECONDS = 0.05
BOUNDS = {"session_ttl": 3600, "log_max_events": 10_000}


@dataclass(frozen=True)
class Load:
    """So many turns, one in each session, that begin evenly spread over `begin_seconds`."""

    turns: int
    answer: Answer
    begin_seconds: float

    @property
    def tokens(self) -> int:
        return self.turns * self.answer.tokens

    def sessions(self) -> list[SessionId]:
        """New ones, one for each turn."""
        return [SessionId(f"load-{uuid4().hex}") for _ in range(self.turns)]


@dataclass(frozen=True)
class Spent:
    """What a load took, from the first question to the last answer: CPU seconds of each kind of
    process, calls of scripts, and events."""

    seconds: float
    worker: float
    worker_waited: float
    """For a core: how much others ran on the worker's."""
    redis: float
    gateway: float
    calls: int
    events: int


class WorkerBench:
    """Redis and a model, and what is started beside them."""

    def __init__(
        self, folder: Path, server: EmbeddedRedis, model_port: int, model_pid: int
    ) -> None:
        assert server.process is not None
        self.server = server
        self.ports: list[int] = []
        """The gateways', where there are some."""
        self.folder = folder
        self.stack = ExitStack()
        self.model_pid = model_pid
        self._model_port = model_port
        self.workers: list[int] = []
        """Process ids, in the order of their start."""
        self.gateways: list[int] = []

    @property
    def environment(self) -> dict[str, str]:
        """What leads to this Redis and this model."""
        return {
            "REDIS_URL": self.server.url,
            "OPENAI_BASE_URL": f"http://127.0.0.1:{self._model_port}/v1",
            "OPENAI_API_KEY": "none",
        }

    def start_worker(self, **settings: str) -> None:
        """`python -m agent_worker`, that reads the work stream."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        command = [sys.executable, "-m", "agent_worker"]
        worker = start_pinned(command, MEASURED_CORE, log, self.environment | settings)
        self.stack.callback(end, worker)
        deadline = time.monotonic() + START_SECONDS
        while "worker starts" not in log.read_text():
            if worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(LOOK_SECONDS)
        self.workers.append(worker.pid)

    def start_plain_worker(self, writes: str) -> Talker:
        """The bare program in a worker's place (`benchmarks/plain_worker.py`)."""
        module = "benchmarks.plain_worker"
        arguments = ["-m", module, self.environment["OPENAI_BASE_URL"], self.server.url, writes]
        worker = Talker(Path(sys.executable), arguments, MEASURED_CORE)
        self.stack.callback(worker.end)
        self.workers.append(worker.process.pid)
        return worker

    def start_gateway(self) -> None:
        """`python -m gateway`, that takes tabs."""
        port, log = free_port(), self.folder / f"gateway-{len(self.ports)}.log"
        environment = self.environment | {"PORT": str(port)}
        gateway = start_pinned([sys.executable, "-m", "gateway"], OTHER_CORE, log, environment)
        self.stack.callback(end, gateway)
        await_port(port, gateway, log)
        self.gateways.append(gateway.pid)
        self.ports.append(port)

    def spread_over_cores(self) -> None:
        """Let everything run where there is room: more is measured than one core can do."""
        for pid in (*self.workers, *self.gateways, self._redis_pid):
            os.sched_setaffinity(pid, range(os.cpu_count() or 1))

    @contextmanager
    def tabs(
        self, sessions: Sequence[SessionId], gateway: int = 0
    ) -> Generator[Talker, None, None]:
        """A tab on each session at one of the gateways, which all have their first frame."""
        arguments = ["-m", "benchmarks.tab_reader", self.ports[gateway]]
        reader = Talker(Path(sys.executable), arguments, OTHER_CORE)
        try:
            say(reader, list(sessions))
            reader.hear()
            yield reader
        finally:
            reader.end()

    @contextmanager
    def account(self) -> Generator[list[Spent], None, None]:
        """Puts into the list what was spent in the block."""
        spent: list[Spent] = []
        with redis.Redis(port=self.server.port) as client:
            before, began = self._look(client), time.monotonic()
            yield spent
            after = self._look(client)
            differences = [late - early for early, late in zip(before, after, strict=True)]
            spent.append(Spent(time.monotonic() - began, *cast(Any, differences)))

    def ask(
        self, load: Load, sessions: Sequence[SessionId], traceparents: Sequence[str] = ()
    ) -> Spent:
        """Put a question to each session, and wait for all answers. `traceparents`: the traces that
        they are part of, where that matters. Raises `TimeoutError`."""
        with self.account() as spent:
            asyncio.run(_ask(self.server.url, load, sessions, traceparents))
            self._await_answers()
        return spent[0]

    def _await_answers(self) -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        with redis.Redis(port=self.server.port) as client:
            while client.xlen(Keys().turns()):
                if time.monotonic() > deadline:
                    raise TimeoutError("not every question was answered")
                time.sleep(LOOK_SECONDS)

    def _look(self, client: redis.Redis) -> tuple[float, ...]:
        commands = cast(dict[str, dict[str, int]], client.info("commandstats"))
        calls = commands.get("cmdstat_evalsha", {}).get("calls", 0)
        events = commands.get("cmdstat_xadd", {}).get("calls", 0)
        return (
            sum(map(cpu_seconds, self.workers)),
            sum(map(_waited_seconds, self.workers)),
            cpu_seconds(self._redis_pid),
            sum(map(cpu_seconds, self.gateways)),
            calls,
            events,
        )

    @property
    def _redis_pid(self) -> int:
        assert self.server.process is not None
        return self.server.process.pid


@contextmanager
def worker_bench(workshop: Path) -> Generator[WorkerBench, None, None]:
    """A Redis and a model, with nothing else yet; all that the block starts is ended after it."""
    folder = workshop / f"workers-{uuid4().hex[:6]}"
    server = EmbeddedRedis(folder)
    server.start()
    with ExitStack() as stack:
        stack.callback(server.stop)
        assert server.process is not None
        os.sched_setaffinity(server.process.pid, {OTHER_CORE})
        port, log = free_port(), folder / "model.log"
        command = [sys.executable, "-m", "benchmarks.paced_model", str(port)]
        model = start_pinned(command, OTHER_CORE, log)
        stack.callback(end, model)
        await_port(port, model, log)
        bench = WorkerBench(folder, server, port, model.pid)
        with bench.stack:
            yield bench


def _waited_seconds(pid: int) -> float:
    """How long the process' threads were ready to run, and did not."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[1]) for file in files) / 1e9


def say(talker: Talker, words: object) -> None:
    """Give it a line of JSON."""
    assert talker.process.stdin is not None
    talker.process.stdin.write(json.dumps(words) + "\n")
    talker.process.stdin.flush()


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


async def _ask(
    redis_url: str, load: Load, sessions: Sequence[SessionId], traceparents: Sequence[str]
) -> None:
    keys, content = Keys(), load.answer.question()
    async with connect_redis(redis_url) as client:
        promises = Promises(client, Inbox(client, keys, **BOUNDS), WorkStream(client, keys))
        began = time.monotonic()
        for number, session in enumerate(sessions):
            due = began + load.begin_seconds * number / len(sessions)
            await asyncio.sleep(max(due - time.monotonic(), 0))
            trace = traceparents[number] if traceparents else ""
            message = SubmittedMessage(session, make_turn_id(), content, now_text(), trace)
            await promises.accept(message)
