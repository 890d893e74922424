"""A pytest plugin that counts for `make test`: what was not run is never taken for passed.

Skipped, deselected and expected to fail are one count. Written to the file that `TEST_COUNTS_FILE`
names.
"""

import json
import os
from pathlib import Path

import pytest

_counts = {"passed": 0, "failed": 0, "skipped": 0}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped:
        _counts["skipped"] += 1  # expected failures among them
    elif report.failed:
        _counts["failed"] += 1
    elif report.when == "call":
        _counts["passed"] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.failed:
        _counts["failed"] += 1
    elif report.skipped:
        _counts["skipped"] += 1


def pytest_deselected(items: list[pytest.Item]) -> None:
    _counts["skipped"] += len(items)


def pytest_sessionfinish() -> None:
    Path(os.environ["TEST_COUNTS_FILE"]).write_text(json.dumps(_counts))
