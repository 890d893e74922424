"""`make bench`: measures our gateway beside the limit and the others, and writes
docs/benchmarks.json and from it docs/benchmarks.md. Exits with 1 when the run calls itself invalid
or a bar is not kept. With `--render` it writes the page anew from the last run's figures."""

import argparse
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.audience import Idle
from benchmarks.bars import (
    LIMIT,
    OURS,
    Bar,
    find_invalid,
    judge_audience,
    judge_deliveries,
    judge_emission,
)
from benchmarks.fan_out import LOADS
from benchmarks.report import (
    About,
    write_bars,
    write_catching_up,
    write_deliveries,
    write_emission,
    write_idle,
    write_need,
    write_systems,
    write_telemetry,
    write_tokens,
)
from benchmarks.run import LONG_READS, SYSTEMS, Run, read_run, run_all
from benchmarks.stage import workshop
from benchmarks.write_path import OURS_WITH_TABS

ROOT = Path(__file__).parents[1]
PAGE, DATA = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.json"
TEMPLATE = Path(__file__).parent / "benchmarks.md.in"


def main() -> int:
    """Run, write and print; returns the exit status."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--render", action="store_true")
    chosen = options.parse_args()
    if not chosen.render:
        data = measure(chosen.rounds)
        DATA.write_text(json.dumps(data, indent=1) + "\n")
    data = json.loads(DATA.read_text())
    page = render(data)
    PAGE.write_text(page)
    print(page)
    run = read_run(data)
    is_good = not find_invalid(run.deliveries) and all(bar.is_kept for bar in judge(run))
    return 0 if is_good else 1


def measure(rounds: int) -> dict[str, Any]:
    """The figures of a run, and what they were measured on."""
    with workshop() as folder:
        run = run_all(rounds, folder, lambda line: print(line, flush=True))
    return {
        "day": datetime.now(UTC).date().isoformat(),
        "rounds": rounds,
        "machine": describe_machine(),
        "systems": [asdict(about) for about in _describe_systems(run)],
        **run.as_data(),
    }


def judge(run: Run) -> list[Bar]:
    idle = run.idle[OURS]
    assert isinstance(idle, Idle)
    return [
        *judge_deliveries(run.deliveries),
        *judge_audience(idle, run.storm, run.answer),
        *judge_emission(run.emission),
    ]


def render(data: dict[str, Any]) -> str:
    """The page: the template with its `@NAME@` replaced."""
    run = read_run(data)
    faults = find_invalid(run.deliveries)
    values = {
        "DAY": data["day"],
        "ROUNDS": str(data["rounds"]),
        "MACHINE": data["machine"],
        "VALID": "The run is valid."
        if not faults
        else "\n".join(["**The run is invalid:**", "", *(f"- {fault}" for fault in faults)]),
        "BARS": write_bars(judge(run)),
        "SYSTEMS": write_systems([About(**about) for about in data["systems"]]),
        "IDLE": write_idle(run.idle),
        "TOKENS": write_tokens(run.tokens),
        "NEED": write_need(run.tokens[OURS_WITH_TABS]),
        "EMISSION": write_emission(run.emission),
        "TELEMETRY": write_telemetry(run.telemetry),
        "OURS": write_catching_up(
            {"2,000 tabs of 500 sessions come back": run.storm, "an answer of 2,000": run.answer}
        ),
    }
    usual = {name: run.deliveries["saturated"][name] for name in (LIMIT, OURS)}
    loops = {LONG_READS.name: run.long_reads, **usual}
    values["LOOPS"] = write_deliveries("saturated", loops, LONG_READS.name)
    for load in LOADS:
        values[load.upper()] = write_deliveries(load, run.deliveries[load], LIMIT)
    page = TEMPLATE.read_text()
    for name, value in values.items():
        page = page.replace(f"@{name}@", value.rstrip())
    return page


def _describe_systems(run: Run) -> list[About]:
    systems: list[About] = []
    for system in SYSTEMS:
        why = run.idle[system.name]
        if isinstance(why, str):
            systems.append(About(system.name, f"not run. {why}", ""))
            continue
        command = " ".join(system.launch(8000, 6379).command).replace(sys.executable, "python")
        about = About(system.name, system.versions(), command.replace(f"{ROOT}/", ""))
        systems.append(about)
    return systems


def describe_machine() -> str:
    """Processor, cores and kernel."""
    model = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(": ")[2]
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


if __name__ == "__main__":
    sys.exit(main())
