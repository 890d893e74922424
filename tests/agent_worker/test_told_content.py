"""What of a call may be told: by mode, and by the function that `TELEMETRY_REDACT` names."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from agent_worker.metrics import Metrics
from agent_worker.settings import WorkerSettings
from agent_worker.structure import declare
from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.told_content import (
    UNKNOWN_TOOL,
    ToldContent,
    content_of_frames,
    content_of_spans,
)
from shared.ids import SessionId, TurnId
from shared.lease import Lease
from shared.protocol import AgentCustomEvent
from tests.support.emitter_scene import a_scene

SCHEMA = declare(["name"])
MOST_BYTES = 100
FULL = ToldContent("full", MOST_BYTES)
STRUCTURE = ToldContent("structure", MOST_BYTES)


def event(**data: Any) -> AgentCustomEvent:
    return AgentCustomEvent(
        session_id=SessionId("s"), timestamp="2026-01-01T00:00:00Z", turn_id=TurnId("t"),
        attempt=1, name="seen", data=data,
    )  # fmt: skip


def test_full_is_what_was_said() -> None:
    assert FULL.arguments("tool", '{"name": "Ada", "x": 1}', SCHEMA) == {"name": "Ada", "x": 1}
    assert FULL.result("tool", "Ada") == ("Ada", None)
    assert FULL.custom(event(name={"Ada": 1})).data == {"name": {"Ada": 1}}
    assert FULL.tool_name("Ada", None) == "Ada"


def test_structure_is_keys_types_and_sizes() -> None:
    told = STRUCTURE.arguments("tool", '{"name": "Ada", "x": 1}', SCHEMA)
    assert told == {"name": "string", "key1": "integer"}
    assert STRUCTURE.result("tool", "Zoë") == ("", 4)
    assert STRUCTURE.result("tool", "") == ("", None)
    assert STRUCTURE.custom(event(name={"Ada": 1})).data == {"name": {"key1": "integer"}}


def test_the_name_of_a_tool_that_does_not_exist_is_the_model_s_and_so_are_its_keys() -> None:
    assert STRUCTURE.tool_name("Ada", None) == UNKNOWN_TOOL
    assert STRUCTURE.tool_name("tool", {}) == "tool"
    assert STRUCTURE.arguments("Ada", {"name": 1}, None) == {"key1": "integer"}


def test_what_is_bigger_than_its_bound_is_left_out_in_each_mode() -> None:
    big = {"name": ["x"] * 40}
    for content in (FULL, STRUCTURE):
        assert content.arguments("tool", big, SCHEMA) == {"truncated": True}
    assert FULL.result("tool", "x" * 150) == ("x" * MOST_BYTES, 50)


def test_a_hook_is_given_names_with_objects_and_texts_and_its_word_is_told() -> None:
    seen: list[tuple[str, Any]] = []

    def redact(name: str, value: Any) -> Any:
        seen.append((name, value))
        return {"kept": 1} if isinstance(value, dict) else "kept"

    content = ToldContent("full", MOST_BYTES, redact)
    assert content.arguments("tool", '{"name": "Ada"}', SCHEMA) == {"kept": 1}
    assert content.result("tool", "Ada") == ("kept", None)
    assert content.custom(event(name="Ada")).data == {"kept": 1}
    assert seen == [("tool", {"name": "Ada"}), ("tool", "Ada"), ("seen", {"name": "Ada"})]


def raise_error(name: str, value: Any) -> Any:
    raise ValueError(value)


BAD_HOOKS: list[Callable[[str, Any], Any]] = [
    raise_error, lambda name, value: None, lambda name, value: 1, lambda name, value: [value],
]  # fmt: skip


@pytest.mark.parametrize("redact", BAD_HOOKS)
def test_a_hook_that_fails_is_loud_and_the_structure_is_told(
    redact: Callable[[str, Any], Any], caplog: pytest.LogCaptureFixture
) -> None:
    content = ToldContent("full", MOST_BYTES, redact)
    assert content.arguments("tool", {"name": "Ada"}, SCHEMA) == {"name": "string"}
    assert content.result("tool", "Ada") == ("", 3)
    assert content.custom(event(name="Ada")).data == {"name": "string"}
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3
    assert "Ada" not in "".join(record.getMessage() for record in caplog.records)


def test_in_structure_no_hook_is_asked() -> None:
    content = ToldContent("structure", MOST_BYTES, lambda name, value: value)
    assert content.result("tool", "Ada") == ("", 3)


def hook_file(folder: Path) -> str:
    """A setting that names a function, in a file that no other test has loaded."""
    file = folder / f"hook_{uuid4().hex}.py"
    file.write_text("def redact(name, value):\n    return value\nNUMBER = 1\n")
    return str(file)


def test_the_settings_name_the_mode_and_the_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a hook, calls are told apart in spans too, for all else that a span holds stays here."""
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    settings = WorkerSettings(telemetry_content="full", telemetry_redact="")
    assert content_of_frames(settings).result("tool", "Ada") == ("Ada", None)
    assert content_of_spans(settings) is None
    hooked = settings.model_copy(update={"telemetry_redact": f"{hook_file(tmp_path)}:redact"})
    spans = content_of_spans(hooked)
    assert spans is not None
    assert spans.result("tool", "Ada") == ("Ada", None)
    structure = settings.model_copy(update={"telemetry_content": "structure"})
    spans = content_of_spans(structure)
    assert spans is not None
    assert spans.result("tool", "Ada") == ("", 3)


@pytest.mark.parametrize(
    "name", ["nothing", "no_such_module:redact", "FILE:missing", "FILE:NUMBER"]
)
def test_a_hook_that_is_not_there_stops_the_start(name: str, tmp_path: Path) -> None:
    name = name.replace("FILE", hook_file(tmp_path))
    with pytest.raises(ValueError, match="TELEMETRY_REDACT"):
        content_of_frames(WorkerSettings(telemetry_redact=name))


async def test_the_rule_holds_where_frames_go_out_whoever_emits_them() -> None:
    async with a_scene() as scene:
        scene.emitter.content = STRUCTURE
        scene.emitter.emit_tool_call("c", "tool", {"name": "Ada"}, SCHEMA)
        scene.emitter.emit_tool_result("c", "Ada", 1)
        scene.emitter.emit(event(name="Ada"))
        call, result, custom = await scene.written()
    assert (call["tool_name"], call["arguments"]) == ("tool", {"name": "string"})
    assert (result["result"], result["truncated_bytes"]) == ("", 3)
    assert custom["data"] == {"name": "string"}


async def test_an_emitter_that_nobody_has_told_what_may_leave_tells_the_structure() -> None:
    async with a_scene() as scene:
        lease, story = cast(Lease, scene.lease), scene.story
        emitter = TelemetryEmitter(lease, story, Metrics(), max_bytes=100, max_result_bytes=100)
    assert emitter.content.result("tool", "Ada") == ("", 3)
