"""What `make test` counts of vitest's report: what was not run is never taken for passed."""

import json
from pathlib import Path

import pytest

from dev.run_vitest import FileResult, Report, count_results, run_vitest


def a_report(
    *files: FileResult, passed: int = 0, failed: int = 0, pending: int = 0, todo: int = 0
) -> Report:
    return {
        "numPassedTests": passed,
        "numFailedTests": failed,
        "numPendingTests": pending,
        "numTodoTests": todo,
        "testResults": list(files),
    }


def test_passed_failed_and_skipped_are_counted() -> None:
    report = a_report(passed=7, failed=2, pending=3, todo=1)
    assert count_results(report) == {"passed": 7, "failed": 2, "skipped": 4}


def test_a_file_that_could_not_be_loaded_is_one_failure() -> None:
    unloaded: FileResult = {"status": "failed", "assertionResults": []}
    loaded: FileResult = {"status": "failed", "assertionResults": [{}]}
    counts = count_results(a_report(unloaded, loaded, passed=1, failed=1))
    assert counts == {"passed": 1, "failed": 2, "skipped": 0}


def test_a_run_without_a_report_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever npm's exit status says."""
    npm_that(tmp_path, monkeypatch, "true")
    assert run_vitest() == (1, {"failed": 1})


def test_the_exit_status_of_vitest_counts_beside_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests pass, and too little is covered."""
    report = json.dumps(a_report(passed=5))
    write = "for word; do :; done; echo '{}' > \"${{word#--outputFile.json=}}\"; exit 1"
    npm_that(tmp_path, monkeypatch, write.format(report))
    assert run_vitest() == (1, {"passed": 5, "failed": 0, "skipped": 0})


def npm_that(folder: Path, monkeypatch: pytest.MonkeyPatch, does: str) -> None:
    for name, code in {"node": "echo v24.0.0", "npm": does}.items():
        (folder / name).write_text(f"#!/bin/sh\n{code}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
