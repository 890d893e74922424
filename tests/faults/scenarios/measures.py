"""Figures of a run that are noted and never asserted: latency, pace, memory."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from statistics import median, quantiles
from time import time

from tests.faults.tab import Tab
from tests.faults.traffic import Session
from tests.faults.view import Frame
from tests.support.processes import Process

LOOK_SECONDS = 0.05


class Latencies:
    """From the time that stands in an event to its arrival at a tab, in ms."""

    def __init__(self, tabs: Sequence[Tab]) -> None:
        self._milliseconds: list[float] = []
        for tab in tabs:
            tab.on_frame = self._look

    def take(self) -> str:
        """What was measured since this was called last."""
        times, self._milliseconds = self._milliseconds, []
        if len(times) < 2:
            return "nothing measured"
        p99 = quantiles(times, n=100)[98]
        return f"{len(times)} events, p50 {median(times):.0f} ms, p99 {p99:.0f} ms"

    def _look(self, frame: Frame) -> None:
        if "id" in frame:
            made = datetime.fromisoformat(frame["timestamp"]).timestamp()
            self._milliseconds.append((time() - made) * 1000)


class PeakMemory:
    """The most memory that a process has had while it was looked at."""

    def __init__(self, process: Process) -> None:
        self.first_kb = self.peak_kb = rss_kb(process)
        self._process = process

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.peak_kb = max(self.peak_kb, rss_kb(self._process))
            await asyncio.sleep(LOOK_SECONDS)


def rss_kb(process: Process) -> int:
    """The memory that the process has now, as the kernel counts it."""
    with open(f"/proc/{process.process.pid}/status") as status:
        (line,) = [line for line in status if line.startswith("VmRSS:")]
    return int(line.split()[1])


def turn_ms(session: Session, turn_ids: Sequence[str]) -> int:
    """How long these turns took, by their own account; the median."""
    ends = {
        event["turn_id"]: event["duration_ms"]
        for event in session.tabs[0].view.events
        if event["type"] == "turn_finished"
    }
    return int(median(ends[turn_id] for turn_id in turn_ids))
