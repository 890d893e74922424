"""What the browser tests measure. It is printed when they are over; no test judges it."""

from collections.abc import Sequence
from statistics import median, quantiles

import pytest

BAR_MS = 50
"""What a person does not notice."""

_lines: list[str] = []


def record_milliseconds(what: str, samples: Sequence[float], bar: float = BAR_MS) -> None:
    """Keep the figures of these samples."""
    assert len(samples) > 1, f"{what}: nothing was measured"
    p95 = quantiles(samples, n=20, method="inclusive")[-1]
    figures = f"median {median(samples):.1f}, 95 % {p95:.1f}, most {max(samples):.1f} ms"
    _lines.append(f"{what}: {figures} ({len(samples)} samples; bar {bar:g} ms)")


def record_size(what: str, size_bytes: int, bar_bytes: int) -> None:
    """Keep a size beside the most that it may be."""
    _lines.append(f"{what}: {size_bytes / 1000:.1f} kB (at most {bar_bytes / 1000:.0f} kB)")


def write_figures(reporter: pytest.TerminalReporter) -> None:
    """Print what was kept, in the order in which it was measured."""
    if not _lines:
        return
    reporter.section("figures of the browser")
    for line in _lines:
        reporter.write_line(line)
