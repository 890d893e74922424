"""One trial of our gateways under a load, with the CPU of each process."""

import struct
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import Generator as LoadGenerator
from benchmarks.processes import cpu_seconds, family
from benchmarks.simulate import Arrival
from benchmarks.stage import OTHER_CORE, Stage
from benchmarks.systems.fanline import Fanline
from benchmarks.systems.system import Launch
from benchmarks.workload import PIECE, Workload, make_event, session_names, write_tabs

START_SECONDS = 30.0


class Gateways(Fanline):
    """So many gateway processes at one port."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def launch(self, port: int, redis_port: int) -> Launch:
        launch = super().launch(port, redis_port)
        return Launch([*launch.command, "--workers", str(self.count)], launch.environment)


@dataclass(frozen=True)
class Trial:
    """What a load did. CPU in seconds, of each gateway process and of the others."""

    deliveries: int
    seconds: float
    gateways: list[float]
    redis: float
    generator: float
    p50_ms: float
    p99_ms: float
    lost: int

    @property
    def gateway_us_each(self) -> float:
        """Of all gateways together, for each delivery."""
        return sum(self.gateways) / self.deliveries * 1e6


def gateway_pids(stage: Stage, count: int) -> list[int]:
    """The processes that serve; returns when all of `Gateways(count)` are there."""
    if count == 1:
        return [stage.gateway_pid]
    deadline = time.monotonic() + START_SECONDS
    while len(serving := family(stage.gateway_pid)[1:]) < count:
        if time.monotonic() > deadline:
            raise RuntimeError(f"{len(serving)} of {count} gateways have started")
        time.sleep(0.05)
    return serving


def run_trial(stage: Stage, generator: LoadGenerator, gateways: Sequence[int], tabs: int) -> Trial:
    """Let the generator open its tabs and do what its plan says. Raises `RuntimeError` when not all
    tabs open."""
    opened = generator.hear()
    if opened["open"] != tabs:
        raise RuntimeError(f"{opened['open']} of {tabs} tabs opened")
    pids = [*gateways, stage.redis_pid, generator.process.pid]
    before = [cpu_seconds(pid) for pid in pids]
    generator.go()
    said = generator.hear()
    spent = [cpu_seconds(pid) - begun for pid, begun in zip(pids, before, strict=True)]
    return Trial(
        deliveries=said["covered"],
        seconds=said["seconds"],
        gateways=spent[: len(gateways)],
        redis=spent[-2],
        generator=spent[-1],
        p50_ms=said["p50_us"] / 1000,
        p99_ms=said["p99_us"] / 1000,
        lost=said["lost"],
    )


def in_turn(sessions: int, rounds: int, *, per_second: float = 0, events: int = 1) -> list[Arrival]:
    """Appends of so many events, to one session after the other; so many appends a second, evenly
    spread, or all at once."""
    gap = 1 / per_second if per_second else 0.0
    return [Arrival(number * gap, number % sessions, events) for number in range(sessions * rounds)]


@contextmanager
def load_of(
    stage: Stage, arrivals: Sequence[Arrival], audience: Workload, pace: str = "paced"
) -> Generator[LoadGenerator, None, None]:
    """The load generator for these very arrivals, whose tabs are opening. `audience`: only who is
    there is taken from it. `pace`: the generator's PACE."""
    tabs, plan = stage.folder / "tabs", stage.folder / "plan"
    write_tabs(tabs, stage.system, audience, ())
    _write_plan(plan, stage, arrivals, session_names(audience.sessions))
    words = (stage.port, stage.redis_port, tabs, plan, pace, stage.system.base, len(PIECE))
    generator = LoadGenerator(stage.folder.parent / "generator", [*words, "reached"], OTHER_CORE)
    try:
        yield generator
    finally:
        generator.end()


def _write_plan(
    path: Path, stage: Stage, arrivals: Sequence[Arrival], names: Sequence[str]
) -> None:
    """The generator's PLAN (benchmarks/load/generator.c)."""
    heads: Counter[str] = Counter()
    with path.open("wb") as file:
        for arrival in arrivals:
            name = names[arrival.session]
            first = stage.system.base + heads[name] + 1
            heads[name] += arrival.events
            events = [make_event(name, first + number) for number in range(arrival.events)]
            data = stage.system.publish(name, events)
            at_ns = int(arrival.at * 1e9)
            file.write(struct.pack("<QIIII", at_ns, arrival.session, len(events), len(data), 0))
            file.write(data)
