"""Calls, seen live and seen in a collector: the time from a call's start to the frame at the tab,
beside the time until its span is at an OTLP receiver, in the same run.

The receiver gets the spans in batches of the SDK's default schedule, every five seconds. It is
asked again and again for what it has, so a span may have been there for `LOOK_SECONDS` and a little
more when it is seen. Fails when a frame has no span under the same ids, or a call's span no frame.

`python -m benchmarks.telemetry` prints the table of one round.
"""

import statistics
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx

from benchmarks.paced_model import Answer
from benchmarks.processes import Generator as Talker
from benchmarks.stage import OTHER_CORE
from benchmarks.worker_load import Load, WorkerBench, worker_bench
from tests.support.otlp_receiver import Receiver, Span

AGENT = "benchmarks.paced_agent:calling"
LOAD = Load(40, Answer(1, 1), 10.0)
"""Turns of one tool call and two model calls each, over two periods of the schedule."""
SPANS = {"tool_call": "execute_tool look_up", "openai_call": "chat calling"}
ENDS = {"tool_call": "tool_result", "openai_call": "openai_response"}
SPANS_OF_A_TURN = 3
SCHEDULE_MS = 5000
SPAN_SECONDS = 30.0
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Liveness:
    """What one type of frame took, from its call's start, and its span, from the same moment."""

    calls: float
    tab_p50_ms: float
    tab_worst_ms: float
    collector_p50_ms: float
    collector_worst_ms: float


def measure_telemetry(workshop: Path) -> Mapping[str, Liveness]:
    """One round, by type of frame. Raises `RuntimeError` where frames and spans do not match."""
    traces = [uuid4().hex for _ in range(LOAD.turns)]
    with worker_bench(workshop) as bench:
        receiver = _start_receiver(bench)
        settings = receiver.environment("http/protobuf")
        bench.start_worker(agent=AGENT, OTEL_BSP_SCHEDULE_DELAY=str(SCHEDULE_MS), **settings)
        bench.start_gateway()
        sessions = LOAD.sessions()
        with bench.tabs(sessions) as reader:
            looking = _Look(receiver, traces)
            parents = [f"00-{trace}-{trace[:16]}-01" for trace in traces]
            bench.ask(LOAD, sessions, parents)
            reader.go()
            frames = reader.hear()["calls"]
            return compare(frames, looking.result())


def _start_receiver(bench: WorkerBench) -> Receiver:
    process = Talker(Path(sys.executable), ["-m", "tests.support.otlp_receiver"], OTHER_CORE)
    bench.stack.callback(process.end)
    return Receiver(**process.hear())


class _Look(threading.Thread):
    """Asks the receiver for the spans of calls until it has those of every trace."""

    def __init__(self, receiver: Receiver, traces: Sequence[str]) -> None:
        super().__init__(daemon=True)
        self._url = f"http://127.0.0.1:{receiver.http_port}/spans"
        self._traces = traces
        self._found: dict[str, tuple[Span, int]] = {}
        self._ended = False
        self.start()

    def result(self) -> dict[str, tuple[Span, int]]:
        """The spans of calls by their ids, and when each was seen (Unix, in ns). Raises
        `RuntimeError` when some have not come."""
        self.join(SPAN_SECONDS)
        self._ended = True
        if self.is_alive():
            raise RuntimeError(f"only {len(self._found)} spans have come")
        return self._found

    def run(self) -> None:
        missing = list(self._traces)
        with httpx.Client() as http:
            while missing and not self._ended:
                time.sleep(LOOK_SECONDS)
                for trace in list(missing):
                    rows = http.get(self._url, params={"trace_id": trace}).json()
                    spans = [Span(**row) for row in rows if row["name"] in SPANS.values()]
                    now = time.time_ns()
                    for span in spans:
                        self._found.setdefault(span.span_id, (span, now))
                    if len(spans) == SPANS_OF_A_TURN:
                        missing.remove(trace)


def compare(
    frames: Sequence[tuple[str, str, str, int]], spans: Mapping[str, tuple[Span, int]]
) -> Mapping[str, Liveness]:
    """Frames beside their spans, by type."""
    told: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    for kind, trace_id, span_id, at_ns in frames:
        if span_id not in spans:
            raise RuntimeError(f"a {kind} has no span {span_id}")
        span, seen_ns = spans[span_id]
        begin = kind if kind in SPANS else next(k for k, end in ENDS.items() if end == kind)
        if (span.trace_id, span.name) != (trace_id, SPANS[begin]):
            raise RuntimeError(f"a {kind} of trace {trace_id} has the span {span}")
        told[kind].append(((at_ns - span.start_ns) / 1e6, (seen_ns - span.start_ns) / 1e6))
    for begin, end in ENDS.items():
        calls = sum(span.name == SPANS[begin] for span, _ in spans.values())
        if not len(told[begin]) == len(told[end]) == calls:
            raise RuntimeError(f"{calls} spans of a {begin}, {len(told[begin])} frames")
    return {kind: _liveness(times) for kind, times in told.items()}


def _liveness(times: Sequence[tuple[float, float]]) -> Liveness:
    tab, collector = zip(*times, strict=True)
    if max(collector) < SCHEDULE_MS / 2:
        raise RuntimeError("the worker does not keep to OTEL_BSP_SCHEDULE_DELAY")
    return Liveness(
        calls=len(times),
        tab_p50_ms=statistics.median(tab),
        tab_worst_ms=max(tab),
        collector_p50_ms=statistics.median(collector),
        collector_worst_ms=max(collector),
    )


def main() -> None:
    """Print the table of one round."""
    with tempfile.TemporaryDirectory(prefix="fanline-bench-") as folder:
        measured = measure_telemetry(Path(folder))
    print("from the call's start, ms: median and worst")
    for kind, live in measured.items():
        print(
            f"{kind:<16} {live.calls:4.0f} calls   at the tab {live.tab_p50_ms:7.1f} "
            f"{live.tab_worst_ms:7.1f}   its span at the collector "
            f"{live.collector_p50_ms:7.0f} {live.collector_worst_ms:7.0f}"
        )


if __name__ == "__main__":
    main()
