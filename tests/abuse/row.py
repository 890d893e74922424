"""One row of the abuse table: what was tried, how it was answered, and what it cost others."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.abuse.scenarios import Scenario
from tests.abuse.target import SENT, UNEXPECTED

MOST_TOLD = 12
TIMES_REST = 20
LEAST_MS = {"p50": 50.0, "p99": 500.0}
"""During an attack half of the events, and ninety-nine of a hundred, may take so many times what
they took just before it, or so long where that is more: what the attacker, the worker and the
tabs, which share a core, take from each other. An attack that stops the event loop is beyond it."""
MOST_FILES = 256
"""By so many open files a gateway may have grown: connections to Redis, which it keeps."""


@dataclass(frozen=True)
class Lag:
    """How long events took to other people's tabs, in ms."""

    p50: float
    p99: float
    worst: float
    count: int

    @classmethod
    def of(cls, lags_us: Sequence[int]) -> "Lag":
        """Nothing was seen: all are 0."""
        ranked = sorted(lags_us) or [0]
        p50, p99 = (ranked[int(share * (len(ranked) - 1))] / 1000 for share in (0.5, 0.99))
        return cls(p50, p99, ranked[-1] / 1000, len(lags_us))


@dataclass
class Row:
    """What was seen of one scenario. Memory is the attacked gateway's, in bytes."""

    name: str
    seconds: float = 0.0
    answers: Counter[str] = field(default_factory=lambda: Counter())
    newcomers: Counter[str] = field(default_factory=lambda: Counter())
    counted: dict[str, float] = field(default_factory=lambda: {})
    """By how much the gateway's own counters have grown."""
    before: Lag = Lag(0, 0, 0, 0)
    during: Lag = Lag(0, 0, 0, 0)
    after: Lag = Lag(0, 0, 0, 0)
    lost: int = 0
    out_of_order: int = 0
    memory: tuple[int, int, int] = (0, 0, 0)
    """Before, at most, and after."""
    files: tuple[int, int] = (0, 0)
    """Open before and after."""
    log_bytes: int = 0
    """That the gateway has logged meanwhile."""
    expiring_keys: int = 0
    """Keys that were not there before, and will go by themselves."""
    kept_keys: int = 0
    """Keys that were not there before, and would stay for ever."""
    problems: list[str] = field(default_factory=lambda: [])
    """Whatever else went wrong: a process that ended, an error in a log."""

    @property
    def tried(self) -> int:
        return self.answers[SENT] or sum(self.answers.values())


def judge(row: Row, scenario: Scenario) -> list[str]:
    """Why the row is red; nothing when it is not."""
    strange = {label for label in row.answers if label.startswith(UNEXPECTED)}
    strange |= row.answers.keys() - scenario.answers - {SENT}
    reasons = [f"answered {row.answers[label]} times: {label}" for label in sorted(strange)]
    reasons += [f"never answered: {label}" for label in scenario.due - row.answers.keys()]
    reasons += _disagreements(row, scenario.agree)
    grown = (row.memory[1] - row.memory[0]) / 1e6
    if grown > scenario.most_megabytes:
        reasons.append(f"{grown:.0f} MB more memory, at most {scenario.most_megabytes} are good")
    if row.files[1] - row.files[0] > MOST_FILES:
        reasons.append(f"{row.files[1] - row.files[0]} more open files than before")
    for count, what in (
        (row.lost, "events were lost to bystanders"),
        (row.out_of_order, "events came out of order to bystanders"),
        (row.kept_keys, "keys would stay for ever"),
    ):
        if count:
            reasons.append(f"{count} {what}")
    if not row.during.count:
        reasons.append("no bystander was given anything")
    if scenario.lets_in and row.newcomers.keys() - {"connected"}:
        reasons.append(f"newcomers were turned away: {dict(row.newcomers)}")
    return reasons + _delays(row) + row.problems


def _delays(row: Row) -> list[str]:
    """Where events took much longer to others than just before."""
    reasons: list[str] = []
    for name, least in LEAST_MS.items():
        before, during = getattr(row.before, name), getattr(row.during, name)
        if during > max(TIMES_REST * before, least):
            reasons.append(f"{name} of bystanders: {before:.1f} ms before, {during:.1f} during")
    return reasons


def _disagreements(row: Row, agree: Mapping[tuple[str, ...], tuple[str, ...]]) -> list[str]:
    reasons: list[str] = []
    for metrics, labels in agree.items():
        counted = sum(row.counted.get(name, 0) for name in metrics)
        told = sum(row.answers[label] + row.newcomers[label] for label in labels)
        if counted != told:
            reasons.append(f"{told} answers of {labels}, and {counted:.0f} counted as {metrics}")
    return reasons


def format_row(row: Row, reasons: Sequence[str]) -> str:
    """Two lines for a terminal, and one for each reason."""
    answers = ", ".join(f"{label}: {count:,}" for label, count in row.answers.most_common())
    before, peak, after = (size / 1e6 for size in row.memory)
    lines = [
        f"{'RED' if reasons else 'ok '} {row.seconds:5.1f} s  {row.name}: {row.tried:,}"
        f" ({answers})",
        f"      p50/p99 ms: {row.before.p50:.2f}/{row.before.p99:.2f} before,"
        f" {row.during.p50:.2f}/{row.during.p99:.2f} during,"
        f" {row.after.p50:.2f}/{row.after.p99:.2f} after (worst {row.during.worst:.0f});"
        f" MB {before:.0f}, {peak:.0f}, {after:.0f}; files {row.files[0]}, {row.files[1]};"
        f" keys {row.kept_keys} + {row.expiring_keys}; newcomers {dict(row.newcomers)}",
    ]
    lines += [f"RED   {reason}" for reason in reasons[:MOST_TOLD]]
    if len(reasons) > MOST_TOLD:
        lines.append(f"RED   and {len(reasons) - MOST_TOLD} more")
    return "\n".join(lines)
