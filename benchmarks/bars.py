"""The bars: what is asked of our gateway beside the others, in the same run."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.audience import CatchingUp, Idle
from benchmarks.fan_out import Delivery
from benchmarks.write_path import EMITTED, Emission

Deliveries = Mapping[str, Mapping[str, Delivery | str]]
"""By load and system; a sentence for one that did not run."""

OURS, LIMIT = "Fanline", "bare loop"
NODE, NCHAN, TUTORIAL, PYTHON_SOCKETIO = (
    "Node ws",
    "nginx with nchan",
    "tutorial FastAPI",
    "python-socketio",
)
COSTS = (
    ("saturated", LIMIT, 1.5),
    ("saturated", NODE, 0.5),
    ("saturated", NCHAN, 0.5),
    ("saturated", TUTORIAL, 0.1),
    ("saturated", PYTHON_SOCKETIO, 1 / 30),
    ("paced", LIMIT, 1.3),
    ("paced", NODE, 1.0),
    ("tens", LIMIT, 1.5),
    ("tens", NODE, 0.5),
    ("tens", NCHAN, 0.5),
)
"""CPU of a delivery under a load, as a multiple of another system's."""
VALID = ((NODE, 3.5, 6.0), (TUTORIAL, 12.0, 20.0))
"""Cost at saturation as a multiple of the bare loop's: else the loop or the peer is slower than it
has to be, and the run says nothing."""


@dataclass(frozen=True)
class Bar:
    """One thing that is asked for; not kept when it was not measured."""

    name: str
    at_most: float
    measured: float | None

    @property
    def is_kept(self) -> bool:
        return self.measured is not None and self.measured <= self.at_most


def judge_deliveries(figures: Deliveries) -> list[Bar]:
    bars = [
        Bar(f"{load}: CPU of a delivery, times that of {other}", most, _ratio(figures, load, other))
        for load, other, most in COSTS
    ]
    return [
        *bars,
        Bar("paced: published to tab, p50 ms", 1.0, _of_ours(figures, "paced", lambda d: d.p50_ms)),
        Bar("paced: published to tab, p99 ms", 5.0, _of_ours(figures, "paced", lambda d: d.p99_ms)),
        *(
            Bar(f"{load}: lost, out of order, of another session, refused", 0, wrong)
            for load in figures
            for wrong in [
                _of_ours(figures, load, lambda d: d.lost + d.reordered + d.foreign + d.refused)
            ]
        ),
    ]


def judge_audience(idle: Idle, storm: CatchingUp, answer: CatchingUp) -> list[Bar]:
    return [
        Bar("10,000 idle tabs: kB a tab", 25, idle.bytes_each / 1000),
        Bar("10,000 idle tabs: not there, or not reached", 0, 10_000 - idle.reached),
        Bar("storm of 2,000: seconds until all have caught up", 2, storm.all_seconds),
        Bar("storm of 2,000: not caught up", 0, storm.tabs - storm.caught_up),
        Bar("answer of 2,000 tokens, CPU of the gateway, ms", 10, answer.gateway_ms_each),
    ]


def judge_emission(emission: Mapping[str, Emission | str]) -> list[Bar]:
    emitted = emission[EMITTED]
    assert isinstance(emitted, Emission)
    return [
        Bar(f"{EMITTED}, p50 ms", 2, emitted.p50_ms),
        Bar(f"{EMITTED}, p99 ms", 10, emitted.p99_ms),
        *(
            Bar(
                f"{name}: lost, out of place, wrong",
                0,
                own.lost + own.out_of_place + own.wrong_texts,
            )
            for name, own in emission.items()
            if isinstance(own, Emission)
        ),
    ]


def find_invalid(figures: Deliveries) -> list[str]:
    """Why the run says nothing, in a sentence each."""
    faults: list[str] = []
    saturated = figures["saturated"]
    for name, least, most in VALID:
        peer, bare = saturated[name], saturated[LIMIT]
        if isinstance(peer, str) or isinstance(bare, str):
            faults.append(f"{name} was not run.")
        elif not least <= peer.cpu_us / bare.cpu_us <= most:
            times = peer.cpu_us / bare.cpu_us
            faults.append(f"{name} costs {times:.1f} times the bare loop, not {least} to {most}.")
    return faults


def _ratio(figures: Deliveries, load: str, other: str) -> float | None:
    ours, theirs = figures[load][OURS], figures[load][other]
    if isinstance(ours, str) or isinstance(theirs, str):
        return None
    return ours.cpu_us / theirs.cpu_us


def _of_ours(figures: Deliveries, load: str, figure: Callable[[Delivery], float]) -> float | None:
    ours = figures[load][OURS]
    return None if isinstance(ours, str) else figure(ours)
