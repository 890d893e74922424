"""The tables of docs/benchmarks.md, from the figures of one run."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.audience import CatchingUp, Idle
from benchmarks.bars import Bar
from benchmarks.fan_out import Delivery
from benchmarks.telemetry import Liveness
from benchmarks.write_path import Emission, TokenCost

Cell = Callable[[Delivery, Delivery], str]
"""What to write of a system, given its figures and those of the bare loop."""


@dataclass(frozen=True)
class Column:
    """One figure of every system."""

    head: str
    write: Cell


COST = (
    Column("CPU µs", lambda own, bare: f"{own.cpu_us:.2f}"),
    Column("of bare loop", lambda own, bare: f"{own.cpu_us / bare.cpu_us:.2f}"),
)
LATENCY = (
    Column("p50", lambda own, bare: f"{own.p50_ms:.2f}"),
    Column("p99", lambda own, bare: f"{own.p99_ms:.2f}"),
    Column("p99.9", lambda own, bare: f"{own.p999_ms:.2f}"),
)
REDIS = (Column("Redis CPU µs", lambda own, bare: f"{own.redis_cpu_us:.2f}"),)
RATE = (Column("deliveries/s", lambda own, bare: f"{own.per_second:,.0f}"),)
TRUTH = (
    Column("lost", lambda own, bare: f"{own.lost:,.0f}"),
    Column("out of order", lambda own, bare: f"{own.reordered:,.0f}"),
    Column("merged", lambda own, bare: f"{own.merged:,.0f}"),
)
COLUMNS: Mapping[str, Sequence[Column]] = {
    "saturated": (*RATE, *COST, *REDIS, *TRUTH[:2]),
    "paced": (*COST, *LATENCY, *REDIS, *TRUTH[:2]),
    "wide": (*COST, *LATENCY, *REDIS, *TRUTH[:2]),
    "tens": (*COST, *LATENCY, *REDIS, *TRUTH[:2]),
    "burst": (*RATE, *COST, *REDIS, *TRUTH),
}
NOT_RUN = "not run"
TOKENS_A_SECOND = 5000
WIDTH = 116


@dataclass(frozen=True)
class About:
    """A system that ran, or why it did not in place of its versions."""

    name: str
    versions: str
    command: str


def write_deliveries(load: str, figures: Mapping[str, Delivery | str], limit: str) -> str:
    """One load's table. `figures`: of each system, or why it did not run. `limit` names the bare
    loop's."""
    columns = COLUMNS[load]
    bare = figures[limit]
    rows = [["system", *(column.head for column in columns)]]
    for name, own in figures.items():
        if isinstance(own, str) or isinstance(bare, str):
            rows.append([name, NOT_RUN, *([""] * (len(columns) - 1))])
        else:
            rows.append([name, *(column.write(own, bare) for column in columns)])
    return table(rows)


def write_idle(figures: Mapping[str, Idle | str]) -> str:
    rows = [["system", "tabs", "kB a tab", "connects/s", "reached by one message"]]
    for name, own in figures.items():
        if isinstance(own, str):
            rows.append([name, NOT_RUN, "", "", ""])
            continue
        memory, rate = own.bytes_each / 1000, own.connects_per_second
        cells = [f"{own.tabs:,.0f}", f"{memory:.1f}", f"{rate:,.0f}", f"{own.reached:,.0f}"]
        rows.append([name, *cells])
    return table(rows)


def write_catching_up(figures: Mapping[str, CatchingUp]) -> str:
    rows = [
        ["", "tabs", "caught up", "all of them, s", "p50 ms", "p99 ms", "gateway CPU, ms a tab"]
    ]
    for name, own in figures.items():
        times = [f"{own.all_seconds:.2f}", f"{own.p50_ms:.1f}", f"{own.p99_ms:.1f}"]
        cells = [f"{own.tabs:,.0f}", f"{own.caught_up:,.0f}", *times, f"{own.gateway_ms_each:.2f}"]
        rows.append([name, *cells])
    return table(rows)


def write_tokens(figures: Mapping[str, TokenCost | str]) -> str:
    rows = [
        ["", "worker", "Redis", "gateway", "script calls", "events", "log, bytes", "log, events"]
    ]
    for name, own in figures.items():
        if isinstance(own, TokenCost):
            spent = [f"{ms:,.0f}" for ms in (own.worker_ms, own.redis_ms, own.gateway_ms)]
            counted = (own.calls, own.events, own.log_bytes, own.log_events)
            rows.append([name, *spent, *(f"{count:,.0f}" for count in counted)])
    return table(rows)


def write_need(cost: TokenCost | str) -> str:
    """What the load that is asked for takes, from what a thousand tokens cost."""
    assert isinstance(cost, TokenCost)
    names = ("of workers", "of Redis", "of gateways, with a tab on each")
    spent = (cost.worker_ms, cost.redis_ms, cost.gateway_ms)
    cores = [
        f"{ms * TOKENS_A_SECOND / 1e6:.1f} {name}" for ms, name in zip(spent, names, strict=True)
    ]
    return textwrap.fill(
        f"So a hundred turns at fifty tokens a second need, in cores: {', '.join(cores)}.", WIDTH
    )


def write_emission(figures: Mapping[str, Emission | str]) -> str:
    heads = ("p50", "p99", "worst", "first, p50", "lost")
    rows = [["", *heads, "worker", "waited", "Redis", "gateway"]]
    for name, own in figures.items():
        if isinstance(own, Emission):
            times = (own.p50_ms, own.p99_ms, own.worst_ms, own.first_p50_ms)
            shares = (own.worker_share, own.worker_waited, own.redis_share, own.gateway_share)
            cells = [f"{ms:,.2f}" for ms in times]
            rows.append([name, *cells, f"{own.lost:,.0f}", *(f"{share:.2f}" for share in shares)])
    return table(rows)


def write_telemetry(figures: Mapping[str, Liveness | str]) -> str:
    rows = [["frame", "calls", "at the tab, p50", "worst", "its span at a collector, p50", "worst"]]
    for kind, own in figures.items():
        if isinstance(own, Liveness):
            tab = [f"{own.tab_p50_ms:,.1f}", f"{own.tab_worst_ms:,.1f}"]
            collector = [f"{own.collector_p50_ms:,.0f}", f"{own.collector_worst_ms:,.0f}"]
            rows.append([f"`{kind}`", f"{own.calls:,.0f}", *tab, *collector])
    return table(rows)


def write_bars(bars: Sequence[Bar]) -> str:
    rows = [["bar", "at most", "measured", "kept"]]
    for bar in bars:
        measured = NOT_RUN if bar.measured is None else f"{bar.measured:,.2f}"
        rows.append([bar.name, f"{bar.at_most:,.2f}", measured, "yes" if bar.is_kept else "**no**"])
    return table(rows)


def write_systems(systems: Sequence[About]) -> str:
    """What ran, and how it is started."""
    parts: list[str] = []
    for system in systems:
        words = textwrap.fill(
            f"**{system.name}**: {system.versions}", WIDTH, break_on_hyphens=False
        )
        command = textwrap.wrap(system.command, WIDTH - 4, break_on_hyphens=False)
        parts.append(f"{words}\n\n```text\n" + " \\\n  ".join(command) + "\n```\n")
    return "\n".join(parts)


def fill(page: str, texts: Mapping[str, str]) -> str:
    """The page with these texts: each stands between two comments, of which the first names it.
    Raises `ValueError` where one has no place."""
    for name, text in texts.items():
        before, begin, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not (begin and end):
            raise ValueError(f"no place for {name!r}")
        page = f"{before}{begin}\n{text.strip()}\n\n{end}{after}"
    return page


def table(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; numbers stand at the right."""
    head, *body = rows
    line = ["---", *(["---:"] * (len(head) - 1))]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, line, *body)) + "\n"
