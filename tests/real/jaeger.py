"""What is seen live is what Jaeger has: spans go to `OTEL_EXPORTER_OTLP_ENDPOINT` and are read from
the API behind `JAEGER_UI_URL`. The model is scripted."""

import os
from pathlib import Path
from typing import Any

import httpx2 as httpx

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import deploy
from tests.support.eventually import eventually
from tests.support.failing import of_kind
from tests.support.stub_model import Call, Reply, StubModel

ENDS = ("tool_result", "openai_response")
TOLERANCE_MS = 1


async def test_every_call_of_a_turn_is_a_span_in_jaeger(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path: Path
) -> None:
    """Under the turn's trace, with the ids and durations of the frames."""
    settings = stub.environment() | {"MCP_URL": "", "AGENT": ""}
    async with deploy(redis_server, tmp_path, **settings) as own:
        await own.start_gateway()
        await own.start_worker()
        chat = Chat(own, stub)
        calls = [Call("count_patients", {})]
        stub.script(chat.session_id, Reply(calls=calls), Reply(["They are many."]))
        async with chat.tab() as tab:
            turn = await tab.ask(chat.session_id)
        assert turn.status == "completed", turn.error
        told = {event["span_id"]: event for kind in ENDS for event in of_kind(tab, kind)}
        trace_id = str(tab.events[-1]["trace_id"])

        async def spans_of_the_turn() -> dict[str, dict[str, Any]]:
            spans = await read_spans(trace_id)
            return spans if any(span["operationName"] == "turn" for span in spans.values()) else {}

        spans = await eventually(spans_of_the_turn, "the turn is in Jaeger", timeout=60)
        await own.check_nothing_is_left()
    assert len(told) == 3
    for span_id, event in told.items():
        assert abs(spans[span_id]["duration"] / 1000 - event["duration_ms"]) <= TOLERANCE_MS
        tags = {tag["key"]: tag["value"] for tag in spans[span_id]["tags"]}
        assert tags["session_id"] == chat.session_id


async def read_spans(trace_id: str) -> dict[str, dict[str, Any]]:
    """The spans of a trace by their ids; none while Jaeger does not know it."""
    async with httpx.AsyncClient(base_url=os.environ["JAEGER_UI_URL"]) as http:
        response = await http.get(f"/api/traces/{trace_id}")
    if response.status_code == 404:
        return {}
    response.raise_for_status()
    return {span["spanID"]: span for trace in response.json()["data"] for span in trace["spans"]}
