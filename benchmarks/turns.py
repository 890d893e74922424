"""Turns through real workers, each of which is accounted for by itself; nobody looks on."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import cpu_seconds
from benchmarks.worker_load import Load, WorkerBench, worker_bench

MODEL = "openai-chat:paced"
"""For the agent that ships with the product, with its tools."""


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
    """Workers that run."""

    bench: WorkerBench

    def ask(self, load: Load) -> Answered:
        """Put the questions and wait for all answers. Raises `TimeoutError`."""
        pids = [*self.bench.workers, self.bench.model_pid]
        before = [cpu_seconds(pid) for pid in pids]
        spent = self.bench.ask(load, load.sessions())
        *workers, model = [
            cpu_seconds(pid) - begun for pid, begun in zip(pids, before, strict=True)
        ]
        return Answered(
            turns=load.turns,
            tokens=load.tokens,
            events=spent.events - load.turns,  # the others are entries of the work stream
            seconds=spent.seconds,
            workers=workers,
            redis=spent.redis,
            model=model,
        )


@contextmanager
def crew(workers: int, workshop: Path) -> Generator[Crew, None, None]:
    """So many workers, on the core of what is measured; the rest is on the other one."""
    with worker_bench(workshop) as bench:
        for _ in range(workers):
            bench.start_worker(MODEL=MODEL)
        yield Crew(bench)
