"""The table of calls refuses what does not match."""

from collections.abc import Sequence

import pytest

from benchmarks.telemetry import SPANS, compare
from tests.support.otlp_receiver import Span

START_NS = 1_000_000_000
SEEN_NS = START_NS + 4_000_000_000

Frame = tuple[str, str, str, int]


def span(span_id: str, name: str) -> Span:
    return Span("w", "http", "trace", span_id, None, name, START_NS, START_NS + 50, False, {})


def spans() -> dict[str, tuple[Span, int]]:
    names = {"tool": SPANS["tool_call"], "model": SPANS["openai_call"]}
    return {span_id: (span(span_id, name), SEEN_NS) for span_id, name in names.items()}


def frames() -> list[Frame]:
    kinds = {"tool": ("tool_call", "tool_result"), "model": ("openai_call", "openai_response")}
    return [
        (kind, "trace", span_id, START_NS + 2_000_000)
        for span_id, both in kinds.items()
        for kind in both
    ]


def test_times_are_from_the_spans_start() -> None:
    measured = compare(frames(), spans())
    assert set(measured) == {"tool_call", "tool_result", "openai_call", "openai_response"}
    call = measured["tool_call"]
    assert (call.calls, call.tab_p50_ms, call.collector_worst_ms) == (1, 2, 4000)


@pytest.mark.parametrize(
    "wrong",
    [
        [*frames(), ("tool_call", "trace", "another", START_NS)],
        [("tool_call", "another", "tool", START_NS), *frames()[1:]],
        [("openai_call", "trace", "tool", START_NS), *frames()[1:]],
        frames()[1:],
    ],
    ids=["a span that never came", "another trace", "another call's span", "a missing frame"],
)
def test_a_frame_that_does_not_match_its_span_ends_the_run(wrong: Sequence[Frame]) -> None:
    with pytest.raises(RuntimeError):
        compare(wrong, spans())


def test_a_worker_that_exports_in_another_rhythm_ends_the_run() -> None:
    soon = {span_id: (found, START_NS + 600_000_000) for span_id, (found, _) in spans().items()}
    with pytest.raises(RuntimeError, match="OTEL_BSP_SCHEDULE_DELAY"):
        compare(frames(), soon)
