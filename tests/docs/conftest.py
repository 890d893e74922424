"""What became of the code blocks of our pages, told at the end of a run of the tests."""

import pytest

from tests.docs.blocks import FATES, all_pages, blocks_of, describe_fates


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FATES] = {}


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """How many were run, and which were not."""
    if fates := config.stash[FATES]:
        marked = [block for page in all_pages() for block in blocks_of(page) if block.reason]
        terminalreporter.section("commands in Markdown")
        for line in describe_fates(fates, marked):
            terminalreporter.write_line(line)
