"""The rows that were run are printed as one table when the tests are over."""

import pytest

from tests.faults.row import Row, format_table

RowsKept = list[Row]

_rows: RowsKept = []


@pytest.fixture
def fault_rows() -> RowsKept:
    """Where a test leaves its row for the table."""
    return _rows


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _rows:
        terminalreporter.section("faults")
        terminalreporter.write_line(format_table(_rows))
