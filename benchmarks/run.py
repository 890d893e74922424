"""One run: every system under every load, in turn, several rounds; medians of those."""

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.audience import (
    CatchingUp,
    Idle,
    measure_idle,
    measure_long_answer,
    measure_storm,
)
from benchmarks.fan_out import LOADS, TRIALS, Delivery, measure_delivery
from benchmarks.systems.bare_loop import BareLoop
from benchmarks.systems.fanline import Fanline
from benchmarks.systems.nchan import Nchan
from benchmarks.systems.node_ws import NodeWs
from benchmarks.systems.python_socketio import PythonSocketIO
from benchmarks.systems.socket_io import SocketIO
from benchmarks.systems.system import System
from benchmarks.systems.tutorial import Tutorial
from benchmarks.telemetry import Liveness, measure_telemetry
from benchmarks.write_path import TIMED, Emission, TokenCost, measure_costs

SYSTEMS: Sequence[System] = (
    BareLoop(),
    Fanline(),
    NodeWs(),
    Nchan(),
    SocketIO(),
    Tutorial(),
    PythonSocketIO(),
)
LONG_READS = BareLoop(1_048_576)
"""Under one load only: a loop that reads as much at once as ours."""
WORST = {"lost", "reordered", "foreign", "refused", "out_of_place", "wrong_texts"}
"""Figures of which the worst round is told, not the median."""
LEAST = {"reached", "caught_up"}

Figures = TypeVar("Figures", Delivery, Idle, CatchingUp, TokenCost, Emission, Liveness)


@dataclass(frozen=True)
class Run:
    """What was measured. A sentence stands for a system that did not run."""

    deliveries: Mapping[str, Mapping[str, Delivery | str]]
    long_reads: Delivery
    """Of the bare loop, saturated, when it reads as much at once as ours."""
    idle: Mapping[str, Idle | str]
    storm: CatchingUp
    answer: CatchingUp
    tokens: Mapping[str, TokenCost | str]
    emission: Mapping[str, Emission | str]
    telemetry: Mapping[str, Liveness | str]

    def as_data(self) -> dict[str, Any]:
        """For a JSON file; `read_run` reads it."""
        return {
            "deliveries": {load: _as_data(of) for load, of in self.deliveries.items()},
            "long_reads": asdict(self.long_reads),
            "idle": _as_data(self.idle),
            "storm": asdict(self.storm),
            "answer": asdict(self.answer),
            "tokens": _as_data(self.tokens),
            "emission": _as_data(self.emission),
            "telemetry": _as_data(self.telemetry),
        }


def read_run(data: Mapping[str, Any]) -> Run:
    """The run that `Run.as_data` has written."""
    return Run(
        {load: _read(Delivery, figures) for load, figures in data["deliveries"].items()},
        Delivery(**data["long_reads"]),
        _read(Idle, data["idle"]),
        CatchingUp(**data["storm"]),
        CatchingUp(**data["answer"]),
        _read(TokenCost, data["tokens"]),
        _read(Emission, data["emission"]),
        _read(Liveness, data["telemetry"]),
    )


def _as_data(figures: Mapping[str, Figures | str]) -> dict[str, Any]:
    return {name: own if isinstance(own, str) else asdict(own) for name, own in figures.items()}


def _read(kind: type[Figures], data: Mapping[str, Any]) -> dict[str, Figures | str]:
    return {name: own if isinstance(own, str) else kind(**own) for name, own in data.items()}


def run_all(rounds: int, workshop: Path, say: Callable[[str], None]) -> Run:
    """Measure everything; `say` is told how far it is."""
    missing = {system.name: system.missing() for system in SYSTEMS}
    trials: defaultdict[tuple[str, str], list[Delivery]] = defaultdict(list)
    idle: defaultdict[str, list[Idle]] = defaultdict(list)
    ours = _Ours()
    present = [system for system in SYSTEMS if not missing[system.name]]
    for number in range(1, rounds + 1):
        for load, workload in LOADS.items():
            others = (LONG_READS,) if load == "saturated" else ()
            for again in range(TRIALS.get(load, 1)):
                for system in (*others, *_in_turn(present, number + again)):
                    say(f"round {number} of {rounds}: {load}, {system.name}")
                    trial = measure_delivery(system, workload, workshop)
                    say(f"    {trial.cpu_us:.2f} µs a delivery, p99 {trial.p99_ms:.2f} ms")
                    trials[load, system.name].append(trial)
        for system in _in_turn(present, number):
            say(f"round {number} of {rounds}: idle tabs, {system.name}")
            idle[system.name].append(measure_idle(system, system.most_tabs, workshop))
        say(f"round {number} of {rounds}: ours alone")
        ours.measure(workshop)
    return Run(
        deliveries={
            load: {name: why or median_of(trials[load, name]) for name, why in missing.items()}
            for load in LOADS
        },
        long_reads=median_of(trials["saturated", LONG_READS.name]),
        idle={name: why or median_of(idle[name]) for name, why in missing.items()},
        storm=median_of(ours.storms),
        answer=median_of(ours.answers),
        tokens=_medians(ours.tokens),
        emission=_medians(ours.emission),
        telemetry=_medians(ours.telemetry),
    )


def _in_turn(systems: Sequence[System], number: int) -> Sequence[System]:
    """Another begins each time."""
    first = (number - 1) % len(systems)
    return (*systems[first:], *systems[:first])


class _Ours:
    """What is measured of our system alone, or inside a worker."""

    def __init__(self) -> None:
        self.storms: list[CatchingUp] = []
        self.answers: list[CatchingUp] = []
        self.tokens: list[Mapping[str, TokenCost]] = []
        self.emission: list[Mapping[str, Emission]] = []
        self.telemetry: list[Mapping[str, Liveness]] = []

    def measure(self, workshop: Path) -> None:
        self.storms.append(measure_storm(workshop))
        self.answers.append(measure_long_answer(workshop))
        self.tokens.append(measure_costs(workshop))
        self.emission.append({name: measure(workshop) for name, measure in TIMED.items()})
        self.telemetry.append(measure_telemetry(workshop))


def _medians(rounds: Sequence[Mapping[str, Figures]]) -> dict[str, Figures | str]:
    return {name: median_of([round_[name] for round_ in rounds]) for name in rounds[0]}


def median_of(trials: Sequence[Figures]) -> Figures:
    """Each figure's median; of what must not happen, the worst."""
    values: dict[str, float] = {}
    for field in fields(trials[0]):
        taken = [float(getattr(trial, field.name)) for trial in trials]
        choose = max if field.name in WORST else min if field.name in LEAST else statistics.median
        values[field.name] = choose(taken)
    return type(trials[0])(**values)
