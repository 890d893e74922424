"""A log in a list, for the follower's tests."""

from dataclasses import dataclass, field

from shared.ids import Position
from shared.session_log import LogEntry, LogPage


@dataclass
class FakeLog:
    """It appends, begins new epochs, forgets, trims and gives pages."""

    epoch: int = 0
    entries: list[LogEntry] = field(default_factory=lambda: [])
    head: Position | None = None
    trimmed: Position | None = None
    removed: set[Position] = field(default_factory=lambda: set())

    def append(self) -> Position:
        seq = 1 if self.head is None or self.head.epoch != self.epoch else self.head.seq + 1
        self.head = Position(self.epoch, seq)
        self.entries.append(LogEntry(self.head, f'{{"n":"{self.head}"}}'))
        return self.head

    def compact(self, position: Position) -> None:
        """A delta whose whole text has come leaves the log; nothing is missing."""
        self.entries = [entry for entry in self.entries if entry.position != position]
        self.removed.add(position)

    def trim(self, keep: int) -> None:
        gone = self.entries[: max(len(self.entries) - keep, 0)]
        if gone:
            self.trimmed = gone[-1].position
            self.entries = self.entries[len(gone) :]

    def restart_forgetting(self, count: int) -> None:
        """Another life of the server, from a snapshot that lacks the last `count` entries."""
        if count:
            self.entries = self.entries[:-count]
        self.head = self.entries[-1].position if self.entries else None
        self.epoch += 1

    def page(self, after: Position | None, count: int) -> LogPage:
        rest = [entry for entry in self.entries if after is None or entry.position > after]
        return LogPage(rest[:count], self.head, self.trimmed, is_last=len(rest) < count)
