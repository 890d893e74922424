"""One row of the fault table: what was done, what was seen, and whether the promises were kept."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.faults.view import Breach

LEAST_SESSIONS = 20
LEAST_TABS = 60
MOST_TOLD = 12
"""Breaches that are printed of one row."""


@dataclass
class Row:
    """What is counted while a scenario runs."""

    scenario: str
    faults: Counter[str] = field(default_factory=lambda: Counter())
    """How often each fault really happened; one that is named and never did makes the row red."""
    sessions: int = 0
    tabs: int = 0
    events: int = 0
    """Given to tabs."""
    breaches: list[Breach] = field(default_factory=lambda: [])
    accepted: int = 0
    finished_once: int = 0
    told_in_pieces: int = 0
    """Turns of which some tab was given a text while it was being written."""
    holes: int = 0
    """Positions that tabs passed over: pieces that were merged, or had left the log."""
    reconnects_tried: int = 0
    reconnects: int = 0
    recoveries: list[float] = field(default_factory=lambda: [])
    """Seconds from a disturbance to a tab that is up to date again."""
    problems: list[str] = field(default_factory=lambda: [])
    """Whatever else went wrong: a promise of this scenario, an error in a log, a key left over."""
    notes: list[str] = field(default_factory=lambda: [])
    """Figures of this scenario alone, to be read beside the table."""
    seconds: float = 0.0

    def expect(self, *faults: str) -> None:
        """Name the faults that must happen."""
        for fault in faults:
            self.faults[fault] += 0

    def happened(self, fault: str, times: int = 1) -> None:
        """A fault has happened, and somebody has seen that it did."""
        self.faults[fault] += times

    def count(self, kind: str) -> int:
        return sum(1 for breach in self.breaches if breach.kind == kind)

    @property
    def broke_a_promise(self) -> bool:
        """Whether a tab was given too little, too much or in the wrong order, or a message was not
        answered once."""
        return bool(self.breaches) or self.accepted != self.finished_once

    @property
    def reasons(self) -> list[str]:
        """Why the row is red; none when it is not."""
        reasons = [f"{breach.kind}: {breach.what}" for breach in self.breaches]
        if self.accepted != self.finished_once:
            reasons.append(f"{self.accepted} accepted, {self.finished_once} finished exactly once")
        if self.accepted == 0:
            reasons.append("no message was accepted")
        if self.told_in_pieces == 0:
            reasons.append("no tab was given a text while it was written")
        if self.sessions < LEAST_SESSIONS or self.tabs < LEAST_TABS:
            reasons.append(f"only {self.sessions} sessions with {self.tabs} tabs")
        reasons += [f"never happened: {name}" for name, times in self.faults.items() if not times]
        if not self.faults:
            reasons.append("no fault was named")
        return reasons + self.problems

    @property
    def is_red(self) -> bool:
        return bool(self.reasons)


HEADINGS = (
    "scenario", "sessions", "tabs", "events", "lost", "doubled", "reordered",
    "accepted", "once", "in pieces", "holes", "reconnects", "median s", "worst s", "took s",
    "faults that happened",
)  # fmt: skip


def format_table(rows: Sequence[Row]) -> str:
    """The table, then what is to be said of single rows."""
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths))
    for row in rows:
        lines += [f"   {row.scenario}: {note}" for note in row.notes]
        lines += [f"RED {row.scenario}: {reason}" for reason in row.reasons[:MOST_TOLD]]
        if len(row.reasons) > MOST_TOLD:
            lines.append(f"RED {row.scenario}: and {len(row.reasons) - MOST_TOLD} more")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    times = sorted(row.recoveries)
    return (
        row.scenario,
        str(row.sessions),
        str(row.tabs),
        str(row.events),
        *(str(row.count(kind)) for kind in ("lost", "doubled", "reordered")),
        str(row.accepted),
        str(row.finished_once),
        str(row.told_in_pieces),
        str(row.holes),
        f"{row.reconnects_tried}/{row.reconnects}",
        f"{median(times):.2f}" if times else "-",
        f"{times[-1]:.2f}" if times else "-",
        f"{row.seconds:.0f}",
        ", ".join(f"{times} {name}" for name, times in row.faults.items()),
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *numbers, last = cells
    middle = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *middle, last])
