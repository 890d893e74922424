"""Turns through real workers: a model that keeps a pace, workers and Redis; nobody looks on."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

import redis

from agent_worker.story import now_text
from benchmarks.paced_model import Answer
from benchmarks.processes import await_port, cpu_seconds, start_pinned
from benchmarks.stage import GATEWAY_CORE, OTHER_CORE
from dev.embedded_redis import EmbeddedRedis, free_port
from shared.ids import SessionId, TurnId
from shared.inbox import Inbox, SubmittedMessage
from shared.keys import Keys
from shared.promise import Promises
from shared.redis_client import connect_redis
from shared.work_stream import WorkStream

LOOK_SECONDS = 0.02
START_SECONDS = 60.0
ANSWER_SECONDS = 120.0
BOUNDS = {"session_ttl": 3600, "log_max_events": 10_000}
TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass(frozen=True)
class Questions:
    """Each to a session of its own, all of them at once."""

    count: int
    answer: Answer


@dataclass(frozen=True)
class Answered:
    """What the answers took. CPU in seconds, of each worker and of the others."""

    turns: int
    tokens: int
    events: int
    seconds: float
    workers: list[float]
    redis: float
    model: float


@dataclass(frozen=True)
class Crew:
    """Workers that run, by their process ids, and what they work with."""

    workers: Sequence[int]
    redis: int
    model: int
    redis_url: str

    def ask(self, questions: Questions) -> Answered:
        """Put the questions and wait for all answers. Raises `TimeoutError`."""
        pids = [*self.workers, self.redis, self.model]
        before = [cpu_seconds(pid) for pid in pids]
        began = time.monotonic()
        sessions = asyncio.run(_ask(self.redis_url, questions))
        with redis.Redis.from_url(self.redis_url) as client:
            _await_answers(client)
            seconds = time.monotonic() - began
            events = _count_events(client, sessions)
        spent = [cpu_seconds(pid) - begun for pid, begun in zip(pids, before, strict=True)]
        return Answered(
            turns=questions.count,
            tokens=questions.count * questions.answer.tokens,
            events=events,
            seconds=seconds,
            workers=spent[:-2],
            redis=spent[-2],
            model=spent[-1],
        )


@contextmanager
def crew(workers: int, workshop: Path) -> Generator[Crew, None, None]:
    """So many workers, on the core of what is measured; the rest is on the other one."""
    folder = workshop / f"crew-{uuid4().hex[:6]}"
    server = EmbeddedRedis(folder)
    server.start()
    assert server.process is not None
    os.sched_setaffinity(server.process.pid, {OTHER_CORE})
    with ExitStack() as stack:
        stack.callback(server.stop)
        port = free_port()
        log = folder / "model.log"
        command = [sys.executable, "-m", "benchmarks.paced_model", str(port)]
        model = start_pinned(command, OTHER_CORE, log)
        stack.callback(_end, model)
        await_port(port, model, log)
        environment = {
            "REDIS_URL": server.url,
            "MODEL": "openai-chat:paced",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
            "OPENAI_API_KEY": "none",
        }
        pids = [
            _start_worker(folder / f"worker-{n}.log", environment, stack) for n in range(workers)
        ]
        yield Crew(pids, server.process.pid, model.pid, server.url)


def _start_worker(log: Path, environment: dict[str, str], stack: ExitStack) -> int:
    worker = start_pinned([sys.executable, "-m", "agent_worker"], GATEWAY_CORE, log, environment)
    stack.callback(_end, worker)
    deadline = time.monotonic() + START_SECONDS
    while "worker starts" not in log.read_text():
        if worker.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(log.read_text()[-2000:])
        time.sleep(LOOK_SECONDS)
    return worker.pid


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait()


async def _ask(redis_url: str, questions: Questions) -> list[SessionId]:
    """Accept every question, as a gateway does; returns their sessions."""
    keys = Keys()
    async with connect_redis(redis_url) as client:
        promises = Promises(client, Inbox(client, keys, **BOUNDS), WorkStream(client, keys))
        sessions = [SessionId(f"q-{uuid4().hex}") for _ in range(questions.count)]
        content = questions.answer.question()
        for session in sessions:
            turn = TurnId(str(uuid4()))
            await promises.accept(SubmittedMessage(session, turn, content, now_text(), TRACEPARENT))
        return sessions


def _await_answers(client: redis.Redis) -> None:
    deadline = time.monotonic() + ANSWER_SECONDS
    while client.xlen(Keys().turns()):
        if time.monotonic() > deadline:
            raise TimeoutError("not every question was answered")
        time.sleep(LOOK_SECONDS)


def _count_events(client: redis.Redis, sessions: Sequence[SessionId]) -> int:
    heads = [client.hget(Keys().session(session).meta, "head") for session in sessions]
    return sum(int(cast(bytes, head)) for head in heads)
