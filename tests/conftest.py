"""What every test gets: the count for `make test`, and nothing that was not run passes as run."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.embedded_redis import EmbeddedRedis

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


def pytest_sessionfinish(session: pytest.Session) -> None:
    counts_file = os.environ.get("TEST_COUNTS_FILE")
    if counts_file:
        Path(counts_file).write_text(json.dumps(_counts))


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedRedis]:
    """One real server for all tests that do not kill it. Each test cleans up or uses its own
    ids."""
    server = EmbeddedRedis(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()
