"""The tables of docs/scaling.md, from docs/scaling.json alone."""

import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.audiences import MILLION
from benchmarks.capacity import Costs
from benchmarks.capacity_plan import Limits, Need, Plan, make_plan
from benchmarks.model_check import Point
from benchmarks.report import fill, table

ROOT = Path(__file__).parents[1]
PAGE, DATA = ROOT / "docs" / "scaling.md", ROOT / "docs" / "scaling.json"


@dataclass(frozen=True)
class Row:
    """One line of what adds up. CPU as a share of one core."""

    kind: str
    count: int
    share: float
    """Of a core, that each process has."""
    per_second: float
    """Deliveries of gateways, tokens of workers."""
    busy_shares: list[float]
    redis_busy_share: float
    load_busy_share: float
    """Of the load generator, or of the model."""
    limit: str


@dataclass(frozen=True)
class Measured:
    """All that the page is made of."""

    day: str
    machine: str
    costs: Costs
    rows: list[Row]
    points: list[Point]

    @classmethod
    def of_today(cls, costs: Costs, rows: list[Row], points: list[Point]) -> "Measured":
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"
        return cls(datetime.now(UTC).date().isoformat(), machine, costs, rows, points)


def read_measured(path: Path = DATA) -> Measured:
    """The inverse of `write_measured`."""
    fields: dict[str, Any] = json.loads(path.read_text())
    return Measured(
        day=fields["day"],
        machine=fields["machine"],
        costs=Costs(**fields["costs"]),
        rows=[Row(**row) for row in fields["rows"]],
        points=[Point(**point) for point in fields["points"]],
    )


def write_measured(measured: Measured, path: Path = DATA) -> None:
    """Write what was measured down, for whoever reads numbers rather than pages."""
    path.write_text(json.dumps(asdict(measured), indent=1) + "\n")


def write_page(measured: Measured, path: Path = PAGE) -> None:
    """Replace the tables of the page."""
    path.write_text(fill(path.read_text(), write_tables(measured)))


def write_tables(measured: Measured) -> dict[str, str]:
    """The page's tables, by the names of their places."""
    plans = [make_plan(measured.costs, audience, Limits()) for audience in MILLION]
    return {
        "origin": f"Measured on {measured.day}: {measured.machine}.\n",
        "costs": write_costs(measured.costs),
        "rows": write_rows(measured.rows),
        "points": write_points(measured.points),
        "audiences": write_audiences(plans),
        "plans": write_plans(plans),
        "needs": write_needs(plans),
    }


def write_costs(costs: Costs) -> str:
    """Every cost, by its name in `benchmarks/capacity.py`."""
    rows = [["cost", "measured"]]
    for name, value in asdict(costs).items():
        text = f"{value / 1000:,.1f} kB" if name.endswith("_bytes") and value >= 1000 else ""
        unit = "bytes" if name.endswith("_bytes") else "µs"
        rows.append([f"`{name}`", text or f"{value:,.1f} {unit}"])
    return table(rows)


def write_rows(rows: Sequence[Row]) -> str:
    """What adds up: throughput beside that of the first row of its kind with the same share."""
    head = ["what", "processes", "of a core", "a second", "times one", "CPU of each", "Redis"]
    lines = [[*head, "load", "limit"]]
    for row in rows:
        first = next(one for one in rows if (one.kind, one.share) == (row.kind, row.share))
        lines.append(
            [
                row.kind,
                f"{row.count}",
                f"{row.share:g}",
                f"{row.per_second:,.0f}",
                f"{row.per_second / first.per_second:.2f}",
                " + ".join(f"{busy:.0%}" for busy in row.busy_shares),
                f"{row.redis_busy_share:.0%}",
                f"{row.load_busy_share:.0%}",
                row.limit,
            ]
        )
    return table(lines)


def write_points(points: Sequence[Point]) -> str:
    """Simulated and measured, side by side."""
    head = ["events/s", "gateway", "measured", "Redis", "measured"]
    lines = [[*head, "p50 ms", "measured", "p99 ms", "measured"]]
    for point in points:
        lines.append(
            [
                f"{point.events_per_second:,.0f}",
                f"{point.expected_gateway_busy_share:.0%}",
                f"{point.gateway_busy_share:.0%}",
                f"{point.expected_redis_busy_share:.0%}",
                f"{point.redis_busy_share:.0%}",
                f"{point.expected_p50_ms:.2f}",
                f"{point.p50_ms:.2f}",
                f"{point.expected_p99_ms:.2f}",
                f"{point.p99_ms:.2f}",
            ]
        )
    return table(lines)


def write_audiences(plans: Sequence[Plan]) -> str:
    """Who is planned for."""
    lines = [["audience", "tabs", "sessions", "active", "events/s", "deliveries/s"]]
    for audience in (plan.audience for plan in plans):
        counts = (audience.tabs, audience.sessions, audience.active_sessions)
        rates = (audience.events, audience.deliveries)
        lines.append([audience.name, *(f"{number:,.0f}" for number in (*counts, *rates))])
    return table(lines)


def write_plans(plans: Sequence[Plan]) -> str:
    """What they need."""
    head = ["audience", "gateways", "workers", "shards", "busy", "Gbit/s"]
    lines = [[*head, "last tab, ms", "storm, s"]]
    for plan in plans:
        lines.append(
            [
                plan.audience.name,
                f"{plan.gateways:,}",
                f"{plan.workers:,}",
                f"{plan.shards:,}",
                f"{plan.gateway_busy_share:.0%}",
                f"{plan.out_bytes_per_second * 8 / 1e9:,.2f}",
                f"{plan.last_tab_seconds * 1000:,.2f}",
                f"{plan.storm_seconds:,.2f}",
            ]
        )
    return table(lines)


def write_needs(plans: Sequence[Plan]) -> str:
    """Every bound of every audience, in units. In bold: the one of which the most are needed, and
    what cannot be done because it is not divided."""
    lines = [["units by", *(plan.audience.name for plan in plans)]]
    greatest = [plan.needs[0] for plan in plans]
    for bound in sorted((need.unit, need.bound) for need in plans[0].needs):
        lines.append(_line(bound, [plan.needs for plan in plans], lambda need: need in greatest))
    for need in plans[0].undivided:
        bound = need.unit, need.bound
        lines.append(_line(bound, [plan.undivided for plan in plans], lambda need: need.units > 1))
    return table(lines)


def _line(
    bound: tuple[str, str], needs: Sequence[list[Need]], is_bold: Callable[[Need], bool]
) -> list[str]:
    cells = [f"{bound[0]}: {bound[1]}"]
    for of_one in needs:
        (need,) = [need for need in of_one if (need.unit, need.bound) == bound]
        text = f"{need.units:,.2f}"
        cells.append(f"**{text}**" if is_bold(need) else text)
    return cells
