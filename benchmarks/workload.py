"""What is published, when: the plan that the load generator follows."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.systems.system import System

TELEMETRY_BYTES = 400
DELTAS_PER_CALL = 8
PIECE = "a piece of text "
"""Makes a delta of about 150 bytes."""


@dataclass(frozen=True)
class Workload:
    """`sessions` with `tabs_each`, to each of which `events` are published."""

    sessions: int
    tabs_each: int
    events: int
    """A session."""
    pace: Literal["paced", "flood"] = "paced"
    """At `per_second`, or without a bound."""
    backlog: int = 0
    """Else: so many deliveries at a time are published while the gateway is stopped, and found by
    it when it goes on."""
    at_once: int = 1
    """Events of one session that are published together."""
    per_second: float = 0.0
    """Events a session, where it is paced."""
    only_text: bool = False
    """Else after eight pieces of text comes a call's result."""

    @property
    def tabs(self) -> int:
        return self.sessions * self.tabs_each

    @property
    def deliveries(self) -> int:
        return self.tabs * self.events


def session_names(count: int) -> list[str]:
    return [f"s{number:05d}" for number in range(count)]


def make_event(session_id: str, seq: int, *, only_text: bool = False) -> bytes:
    """The event at `seq` of a session."""
    front = f'{{"id":"1-{seq}","type":"%s","session_id":"{session_id}",'
    front += '"timestamp":"2026-11-26T12:00:00.000Z",'
    if only_text or seq % (DELTAS_PER_CALL + 1):
        text = front % "assistant"
        text += f'"message_id":"m","streaming":true,"content":"{PIECE}"}}'
        return text.encode()
    text = front % "tool_result" + '"tool_call_id":"c","tool_name":"get","result":"'
    return (text + "x" * (TELEMETRY_BYTES - len(text) - 2) + '"}').encode()


def write_tabs(path: Path, system: System, workload: Workload, query: Sequence[str]) -> None:
    """The generator's TABS. Where there is a `query` for each session, it is added to its tabs'
    request targets."""
    with path.open("w") as file:
        for _ in range(workload.tabs_each):
            for index, name in enumerate(session_names(workload.sessions)):
                more = query[index] if query else ""
                file.write(f"{index} {name} {system.tab_path(name)}{more}\n")


def write_plan(path: Path, system: System, workload: Workload) -> None:
    """The generator's PLAN. A system without a log has a text for every session before it, which
    says that its tabs are there."""
    names = session_names(workload.sessions)
    with path.open("wb") as file:
        if system.base == 0 and workload.events:
            for index, name in enumerate(names):
                file.write(_record(0, index, 0, system.publish(name, [make_event(name, 0)])))
        for at_ns, index, seqs in _schedule(workload):
            events = [
                make_event(names[index], system.base + seq, only_text=workload.only_text)
                for seq in seqs
            ]
            file.write(_record(at_ns, index, len(seqs), system.publish(names[index], events)))


def _schedule(workload: Workload) -> Iterator[tuple[int, int, Sequence[int]]]:
    """When, to which session, and which of its events, counted from 1. Sessions take turns, evenly
    spread."""
    round_ns = 1e9 * workload.at_once / workload.per_second if workload.per_second else 0
    for number in range(workload.events // workload.at_once):
        first = number * workload.at_once + 1
        for index in range(workload.sessions):
            at_ns = int((number + index / workload.sessions) * round_ns)
            yield at_ns, index, range(first, first + workload.at_once)


def _record(at_ns: int, session: int, events: int, data: bytes) -> bytes:
    return struct.pack("<QIIII", at_ns, session, events, len(data), 0) + data
