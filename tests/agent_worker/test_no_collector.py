"""No collector, a dead one, or one that never answers: a turn is told as ever."""

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.support.chat import Chat
from tests.support.deployment import deploy
from tests.support.eventually import eventually
from tests.support.otlp_receiver import otlp_settings
from tests.support.stub_model import Call, Reply, StubModel

VOLATILE = {
    "id", "timestamp", "session_id", "turn_id", "trace_id", "span_id", "parent_span_id", "worker",
    "call_id", "tool_call_id", "message_id", "duration_ms", "time_to_first_token_ms",
}  # fmt: skip
"""Fields that differ from one turn to the next."""
TOLD_ONCE = " WARNING shared.tracing: "


async def frames_of_a_turn(chat: Chat) -> list[dict[str, Any]]:
    """A turn's frames without what differs from one turn to the next."""
    calls = [Call("count_patients", {})]
    chat.stub.script(chat.session_id, Reply(calls=calls), Reply(["They are ", "many."]))
    async with chat.tab() as tab:
        await tab.ask(f"{chat.session_id}: how many?")
    whole = [event.fields for event in tab.events if not event.get("streaming")]
    assert all(fields["trace_id"] for fields in whole)
    kept = [{name: fields[name] for name in fields.keys() - VOLATILE} for fields in whole]
    return [fields for fields in kept if fields["type"] != "message"]


async def test_a_turn_without_a_collector_has_its_frames(chat: Chat) -> None:
    frames = await frames_of_a_turn(chat)
    assert [frame["type"] for frame in frames] == [
        "turn_started", "openai_call", "openai_response", "tool_call", "tool_result",
        "openai_call", "openai_response", "assistant", "turn_finished",
    ]  # fmt: skip
    assert frames[-1]["status"] == "completed"


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_a_dead_collector_changes_nothing(
    protocol: str, chat: Chat, redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """Nobody listens at the endpoint: same frames, no error in a log, one line about it in each
    however many spans are lost, and both processes end when told."""
    expected = await frames_of_a_turn(chat)
    settings = stub.environment() | otlp_settings(free_port(), protocol)
    async with deploy(redis_server, tmp_path, **settings) as own:
        await asyncio.gather(own.start_gateway(), own.start_worker())
        for _ in range(2):
            assert await frames_of_a_turn(Chat(own, stub)) == expected
            for process in own.processes:
                await eventually(
                    lambda process=process: TOLD_ONCE in process.log(),
                    "the log says that the spans are lost",
                )
        await own.stop()
        await own.check_nothing_is_left()
        for process in own.processes:
            lines = [line for line in process.log().splitlines() if "tracing" in line]
            assert len(lines) == 1, lines
            assert "opentelemetry" not in process.log()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield int(listening.getsockname()[1])


async def test_a_collector_that_never_answers_changes_nothing(
    silent_port: int, chat: Chat, redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """Connected but deaf: same frames, and both processes end when told, well before the exporter's
    own patience does."""
    expected = await frames_of_a_turn(chat)
    settings = stub.environment() | otlp_settings(silent_port, "http/protobuf")
    async with deploy(redis_server, tmp_path, **settings) as own:
        await asyncio.gather(own.start_gateway(), own.start_worker())
        assert await frames_of_a_turn(Chat(own, stub)) == expected
        await own.stop()
        await own.check_nothing_is_left()


async def test_with_tracing_switched_off_calls_still_have_ids_of_their_own(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """`OTEL_SDK_DISABLED`: no span, so no frame names one; every call still finds its end."""
    async with deploy(redis_server, tmp_path, **stub.environment()) as own:
        off = {"otel_sdk_disabled": "true"}
        await asyncio.gather(own.start_gateway(**off), own.start_worker(**off))
        chat = Chat(own, stub)
        calls = [Call("count_patients", {}), Call("count_patients", {})]
        stub.script(chat.session_id, Reply(calls=calls), Reply(["Many."]))
        async with chat.tab() as tab:
            turn = await tab.ask(chat.session_id)
        await own.check_nothing_is_left()
    assert (turn.status, turn.answer) == ("completed", "Many.")
    assert len(turn.calls) == 4
    assert all("end" in call for call in turn.calls.values())
    assert not [event for event in tab.events if event.get("trace_id") or event.get("span_id")]
