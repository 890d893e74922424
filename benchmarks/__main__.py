"""`make bench`: measures our gateway beside the limit and the others, and writes
docs/benchmarks.md and docs/benchmarks.json. Exits with 1 when the run calls itself invalid or a bar
is not kept."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.audience import Idle
from benchmarks.bars import LIMIT, OURS, Bar, find_invalid, judge_audience, judge_deliveries
from benchmarks.fan_out import LOADS
from benchmarks.report import table, write_bars, write_catching_up, write_deliveries, write_idle
from benchmarks.run import SYSTEMS, Run, run_all
from benchmarks.stage import workshop

ROOT = Path(__file__).parents[1]
PAGE, DATA = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.json"
TEMPLATE = Path(__file__).parent / "benchmarks.md.in"


def main() -> int:
    """Run, write and print; returns the exit status."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    rounds = options.parse_args().rounds
    with workshop() as folder:
        run = run_all(rounds, folder, lambda line: print(line, flush=True))
    faults = find_invalid(run.deliveries)
    bars = judge(run)
    page = fill(run, bars, faults, rounds)
    PAGE.write_text(page)
    DATA.write_text(json.dumps(_as_data(run), indent=1) + "\n")
    print(page)
    return int(bool(faults) or not all(bar.is_kept for bar in bars))


def judge(run: Run) -> list[Bar]:
    idle = run.idle[OURS]
    assert isinstance(idle, Idle)
    return [*judge_deliveries(run.deliveries), *judge_audience(idle, run.storm, run.answer)]


def fill(run: Run, bars: list[Bar], faults: list[str], rounds: int) -> str:
    """The page: the template with its `@NAME@` replaced."""
    values = {
        "DAY": datetime.now(UTC).date().isoformat(),
        "ROUNDS": str(rounds),
        "MACHINE": _describe_machine(),
        "VALID": "The run is valid."
        if not faults
        else f"**The run is invalid:** {' '.join(faults)}",
        "BARS": write_bars(bars),
        "SYSTEMS": _describe_systems(run),
        "IDLE": write_idle(run.idle),
        "OURS": write_catching_up(
            {"2,000 tabs of 500 sessions come back": run.storm, "2,000 pieces": run.answer}
        ),
    }
    for load in LOADS:
        values[load.upper()] = write_deliveries(load, run.deliveries[load], LIMIT)
    page = TEMPLATE.read_text()
    for name, value in values.items():
        page = page.replace(f"@{name}@", value.rstrip())
    return page


def _describe_systems(run: Run) -> str:
    rows = [["system", "versions", "started by"]]
    for system in SYSTEMS:
        why = run.idle[system.name]
        if isinstance(why, str):
            rows.append([system.name, why, ""])
            continue
        command = " ".join(system.launch(0, 0).command).replace(sys.executable, "python")
        rows.append([system.name, system.versions(), f"`{command.replace(f'{ROOT}/', '')}`"])
    return table(rows)


def _describe_machine() -> str:
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(": ")[2]
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


def _as_data(run: Run) -> dict[str, object]:
    return {
        "deliveries": {
            load: {name: own if isinstance(own, str) else asdict(own) for name, own in all_.items()}
            for load, all_ in run.deliveries.items()
        },
        "idle": {
            name: own if isinstance(own, str) else asdict(own) for name, own in run.idle.items()
        },
        "storm": asdict(run.storm),
        "answer": asdict(run.answer),
    }


if __name__ == "__main__":
    sys.exit(main())
