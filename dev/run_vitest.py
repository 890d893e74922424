"""The page's own tests, and what they count, for `make test`.

Vitest judges the coverage itself (`vite.config.ts`); its exit status says so.
"""

import json
import tempfile
from pathlib import Path
from typing import TypedDict

from dev.node import run_npm

FRONTEND = Path(__file__).parent.parent / "frontend"
Counts = dict[str, int]


class FileResult(TypedDict):
    """One file of vitest's report; a file that could not be loaded has no tests in it."""

    status: str
    assertionResults: list[object]


class Report(TypedDict):
    """What we read of vitest's JSON report."""

    numPassedTests: int
    numFailedTests: int
    numPendingTests: int
    numTodoTests: int
    testResults: list[FileResult]


def run_vitest() -> tuple[int, Counts]:
    """Run them with coverage; returns the exit status and the counts. Without a report, something
    has failed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.json"
        reporters = ["--reporter=default", "--reporter=json", f"--outputFile.json={file}"]
        status = run_npm("--prefix", str(FRONTEND), "run", "--silent", "coverage", "--", *reporters)
        if not file.exists():
            print("vitest has made no report.")
            return 1, {"failed": 1}
        return status, count_results(json.loads(file.read_text()))


def count_results(report: Report) -> Counts:
    """A file that could not be loaded is one failure; what is yet to be written was skipped.
    Pure."""
    unloaded = [
        file
        for file in report["testResults"]
        if file["status"] == "failed" and not file["assertionResults"]
    ]
    return {
        "passed": report["numPassedTests"],
        "failed": report["numFailedTests"] + len(unloaded),
        "skipped": report["numPendingTests"] + report["numTodoTests"],
    }
