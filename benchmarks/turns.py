"""Turns through real workers, each of which is accounted for by itself. Where there are gateways, a
tab of each session looks on."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
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
    gateways: list[float]
    redis: float
    model: float


@dataclass(frozen=True)
class Crew:
    """Workers that run."""

    bench: WorkerBench

    def ask(self, load: Load) -> Answered:
        """Put the questions and wait for all answers. Raises `TimeoutError`, and `RuntimeError`
        where a tab has not seen a token."""
        bench, sessions = self.bench, load.sessions()
        pids = [*bench.workers, *bench.gateways, bench.model_pid]
        with ExitStack() as stack:
            count = len(bench.gateways)
            readers = [
                stack.enter_context(bench.tabs(sessions[number::count], number))
                for number in range(count)
            ]
            before = [cpu_seconds(pid) for pid in pids]
            spent = bench.ask(load, sessions)
            *shares, model = [
                cpu_seconds(pid) - begun for pid, begun in zip(pids, before, strict=True)
            ]
            for reader in readers:
                reader.go()
            seen = [len(reader.hear()["lags_ns"]) for reader in readers]
        if readers and sum(seen) != load.tokens:
            raise RuntimeError(f"of {load.tokens} tokens {sum(seen)} were seen")
        return Answered(
            turns=load.turns,
            tokens=load.tokens,
            events=spent.events - load.turns,  # the others are entries of the work stream
            seconds=spent.seconds,
            workers=shares[: len(bench.workers)],
            gateways=shares[len(bench.workers) :],
            redis=spent.redis,
            model=model,
        )


@contextmanager
def crew(workers: int, workshop: Path, gateways: int = 0) -> Generator[Crew, None, None]:
    """So many workers, on the core of what is measured; the rest is on the other one."""
    with worker_bench(workshop) as bench:
        for _ in range(workers):
            bench.start_worker(MODEL=MODEL)
        for _ in range(gateways):
            bench.start_gateway()
        yield Crew(bench)
