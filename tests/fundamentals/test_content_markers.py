"""What leaves the system: a mark in every place where content can be, searched for at every door.

`structure` lets no mark out. `full` must let out each of them, or the search itself is broken.
"""

import asyncio

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.marked import MARKS, Doors, say_everything
from tests.support.otlp_receiver import receive_spans
from tests.support.stub_model import StubModel

ALL = set(MARKS)
MODES = {
    "full": {"TELEMETRY_CONTENT": "full"},
    # With what every library writes at DEBUG.
    "structure": {"TELEMETRY_CONTENT": "structure", "LOG_LEVEL": "DEBUG"},
    "spans": {"TELEMETRY_CONTENT_SPANS": "structure"},
    "redacted": {"TELEMETRY_REDACT": "FOLDER/redact.py:redact"},
    "debugging": {"TELEMETRY_CONTENT": "full", "LOG_LEVEL": "DEBUG"},
}
"""The settings of each deployment."""
NOT_IN_FRAMES = {
    "system prompt", "tool exception", "retry", "provider error body", "patient's name",
    "patient's summary", "session id", "attribute of an agent's span", "prompt", "answer",
}  # fmt: skip
"""Of no telemetry frame in any mode. `prompt` and `answer` are the conversation, which is no
telemetry."""

LEFT_BY_HOOK = {
    "argument key", "FHIR id in a URL", "result", "name of a tool that is not there",
    "patient's name",
}  # fmt: skip
"""What the hook of these tests lets into spans: arguments, their keys among them, and results."""

IN_LOGS_THAT_DEBUG = {"tool exception", "provider error body"}
"""What libraries write at DEBUG, where nothing is kept back."""


@pytest.fixture(scope="module")
async def doors(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Doors]:
    """What came out of each deployment."""
    async with receive_spans() as receiver:
        saying = [
            say_everything(redis_server, stub, receiver, tmp_path_factory.mktemp(mode), settings)
            for mode, settings in MODES.items()
        ]
        return dict(zip(MODES, await asyncio.gather(*saying), strict=True))


def test_full_shows_every_kind_of_content_where_it_is_said_to(doors: dict[str, Doors]) -> None:
    """In spans all but what only frames have; in frames what tools and events are about."""
    full = doors["full"]
    assert full.found("frames") == ALL - NOT_IN_FRAMES
    assert full.found("spans") == ALL - {"custom event value", "custom event key"}


def test_structure_lets_no_content_out(doors: dict[str, Doors]) -> None:
    """Not by frames, spans, logs or metrics."""
    structure = doors["structure"]
    for door in structure.texts:
        assert structure.found(door) == set(), door


def test_structure_still_tells_the_story(doors: dict[str, Doors]) -> None:
    """Names of tools, keys that they declare, types, sizes and codes are there."""
    frames, spans = doors["structure"].texts["frames"], doors["structure"].texts["spans"]
    declared = '"arguments": {"reference": "string", "filters": {"key1": "string"}}'
    assert declared in frames
    assert '"arguments": {"raw": "string"}' in frames
    assert '"tool_name": "unknown_tool"' in frames
    assert '"data": {"kind": "string", "details": {"key1": "string"}}' in frames
    assert f'"truncated_bytes": {len(MARKS["result"])}, "result": ""' in frames
    for told in ("look_up", "RuntimeError", "model_error", "m-x", "invoke_agent marked"):
        assert told in spans
    assert declared.removeprefix('"arguments": ').replace(" ", "") in spans.replace("\\", "")


def test_no_log_and_no_metric_has_content_in_any_mode(doors: dict[str, Doors]) -> None:
    """But the log says where each exception came from, and of which type it was. Metrics have no
    such door to open: that the search finds what a log holds is shown below."""
    for mode, own in doors.items():
        assert own.found("metrics") == set(), mode
        if mode == "debugging":
            continue
        assert own.found("logs") == set(), mode
        assert "marked_agent.py" in own.texts["logs"]
        assert "RuntimeError" in own.texts["logs"]


def test_who_debugs_where_all_content_may_be_told_finds_it_in_the_log(
    doors: dict[str, Doors],
) -> None:
    """Without this the search of logs could be broken."""
    assert doors["debugging"].found("logs") >= IN_LOGS_THAT_DEBUG


def test_spans_can_be_without_content_where_frames_have_it(doors: dict[str, Doors]) -> None:
    assert doors["spans"].found("spans") == set()
    assert doors["spans"].found("frames") == ALL - NOT_IN_FRAMES


def test_a_hook_says_what_of_the_full_content_may_leave(doors: dict[str, Doors]) -> None:
    """What it takes out is in no frame and no span, messages included. Where it fails, for the
    tool `refuse`, the structure is told, and the log says so."""
    redacted = doors["redacted"]
    assert "REMOVED" in redacted.texts["frames"]
    assert "REMOVED" in redacted.texts["spans"]
    taken_out = {"argument value"}
    assert redacted.found("frames") == ALL - NOT_IN_FRAMES - taken_out
    assert redacted.found("spans") == LEFT_BY_HOOK
    assert "TELEMETRY_REDACT failed" in redacted.texts["logs"]
