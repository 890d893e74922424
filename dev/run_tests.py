"""`make test`: the page's own tests, then all others with coverage over every process that they
start, then the coverage gates, then one count of them all. Fails when anything failed, was skipped,
deselected, expected to fail, or is not covered."""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from dev.run_vitest import run_vitest

ROOT = Path(__file__).parent.parent
GATES = {
    "gateway/connection_manager.py": 95,
    "gateway/follower.py": 95,
    "shared/session_log.py": 95,
}
"""Percent of lines, for files on which the promises hang; the floor for all is in
pyproject.toml."""


def main() -> int:
    """Run it all; returns the exit status."""
    status, counts = run_vitest()
    if not counts.get("passed"):
        status = 1
    pytest_status, pytest_counts = _run_pytest()
    return _report(status | pytest_status, Counter(counts) + Counter(pytest_counts))


def _run_pytest() -> tuple[int, dict[str, int]]:
    """The exit status, of the coverage gates too, and the counts."""
    with tempfile.TemporaryDirectory() as folder:
        counts_file = Path(folder) / "counts.json"
        environment = os.environ | {
            "TEST_COUNTS_FILE": str(counts_file),
            "COVERAGE_FILE": str(Path(folder) / ".coverage"),
        }
        pytest = ("-m", "pytest", "-p", "dev.count_tests", *sys.argv[1:])
        status = _run(environment, "coverage", "run", *pytest)
        status |= _run(environment, "coverage", "combine", "--quiet")
        status |= _run(environment, "coverage", "report", "--skip-covered")
        report = Path(folder) / "coverage.json"
        # The floor was judged by the report; here the numbers are only read.
        options = ["--quiet", "--fail-under=0", "-o", str(report)]
        status |= _run(environment, "coverage", "json", *options)
        status |= _judge_gates(json.loads(report.read_text()))
        counts: dict[str, int] = {}
        if counts_file.exists():
            counts = json.loads(counts_file.read_text())
    if not counts.get("passed"):
        status = 1
    return status, counts


def _report(status: int, counts: Counter[str]) -> int:
    """The one count; returns the exit status."""
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return int(bool(status or counts["failed"] or counts["skipped"]))


def _run(environment: dict[str, str], module: str, *arguments: str) -> int:
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def _judge_gates(report: dict[str, dict[str, dict[str, dict[str, float]]]]) -> int:
    status = 0
    for name, least in GATES.items():
        percent = report["files"].get(name, {"summary": {"percent_covered": 0.0}})["summary"]
        if percent["percent_covered"] < least:
            print(f"coverage of {name}: {percent['percent_covered']:.1f} %, {least} % are required")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
