"""One story: a trace from the gateway's receipt to whatever a tool asks, wherever that runs.

What frames say is held against their spans in `test_dual_emission.py`; here it is who is whose
parent: through Redis, over a lost worker, and into the MCP server of another process.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx
import pytest

from dev.embedded_redis import free_port
from tests.support.chat import Chat
from tests.support.deployment import START_SECONDS, Deployment
from tests.support.eventually import eventually
from tests.support.listening import is_listening
from tests.support.otlp_receiver import Receiver, Span, receive_spans
from tests.support.stub_model import Call, Reply, StubModel

MCP_SERVER = """
import sys

from fastmcp import FastMCP
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
server = FastMCP("records")


@server.tool
def count() -> int:
    with trace.get_tracer("records").start_as_current_span("look into the records"):
        return 7


server.run("http", host="127.0.0.1", port=int(sys.argv[1]), show_banner=False)
"""
"""Somebody else's server, which traces its own work."""
RECORDS = ("records", "look into the records")
SERVED = ("records", "tools/call count")
TOOL = ("fanline-worker", "execute_tool count")
AGENT = ("fanline-worker", "invoke_agent chat_agent")
COUNT = Reply(calls=[Call("count", {})])


@pytest.fixture(scope="module")
async def receiver() -> AsyncGenerator[Receiver, None]:
    async with receive_spans() as own:
        yield own


@pytest.fixture(scope="module")
async def mcp_url(
    receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[str, None]:
    async with traced_mcp(tmp_path_factory.mktemp("records"), receiver) as url:
        yield url


@asynccontextmanager
async def traced_mcp(folder: Path, receiver: Receiver) -> AsyncGenerator[str, None]:
    """That server's URL, while the block runs."""
    script, port = folder / "records_server.py", free_port()
    script.write_text(MCP_SERVER)
    environment = os.environ | receiver.environment("http/protobuf")
    environment |= {"OTEL_SERVICE_NAME": "records", "OTEL_SDK_DISABLED": "false"}
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(script), str(port), env=environment, stdout=null, stderr=null
    )

    try:
        listens = partial(is_listening, port)
        await eventually(listens, "the MCP server listens", timeout=START_SECONDS)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        await process.wait()


@pytest.fixture
def traced(deployment: Deployment, receiver: Receiver, mcp_url: str) -> Deployment:
    """A deployment whose tools are that server's, and whose spans go where its spans go."""
    deployment.environment |= receiver.environment("http/protobuf") | {"MCP_URL": mcp_url}
    return deployment


def path_of(span: Span, spans: Sequence[Span]) -> list[tuple[str, str]]:
    """The span and those above it, to the root, by service and name."""
    by_id = {one.span_id: one for one in spans}
    path: list[tuple[str, str]] = []
    above: Span | None = span
    while above is not None:
        path.append((above.service, above.name))
        above = by_id.get(above.parent_span_id or "")
    return path


async def paths_from(
    receiver: Receiver, trace_id: str, name: str, root: str
) -> list[list[tuple[str, str]]]:
    """The paths from spans of this name that lead up to one called `root`, when there is one. What
    a killed worker had not sent is missing: from its attempt no path leads so far."""

    async def arrived() -> list[list[tuple[str, str]]]:
        spans = await receiver.spans(trace_id)
        paths = [path_of(span, spans) for span in spans if span.name == name]
        return [path for path in paths if path[-1][1] == root]

    return await eventually(arrived, f"{name!r} is below {root!r}")


async def test_a_turn_is_one_trace_from_its_receipt_to_what_a_tool_s_server_does(
    traced: Deployment, stub: StubModel, receiver: Receiver
) -> None:
    """In an attempt that has taken over from a killed worker, too: it hangs under the receipt."""
    await traced.start_gateway()
    first = await traced.start_worker()
    chat = Chat(traced, stub)
    done = Reply(["It is ", "seven."], hold_after=1)
    stub.script(chat.session_id, COUNT, done)
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await tab.until("assistant", streaming=True)
        await traced.start_worker()
        await first.kill()
        await tab.until("turn_started", attempt=2)
        done.release()
        await tab.until_finished(turn_id)
    trace_id = tab.events[-1]["trace_id"]
    top = [("fanline-worker", "turn"), ("fanline-gateway", "receive message")]
    (path,) = await paths_from(receiver, trace_id, RECORDS[1], top[-1][1])
    assert path == [RECORDS, SERVED, TOOL, AGENT, *top]
    paths = await paths_from(receiver, trace_id, "chat m-x", top[-1][1])
    assert paths == [[("fanline-worker", "chat m-x"), AGENT, *top]] * 2


async def test_a_patient_request_is_one_trace_over_a_killed_worker(
    traced: Deployment, stub: StubModel, receiver: Receiver
) -> None:
    """From its caller's span to what the tool's server does, in the attempt that answered."""
    gateway = await traced.start_gateway()
    first = await traced.start_worker()
    patient_id, trace_id, caller = str(uuid4()), uuid4().hex, uuid4().hex[:16]
    known = Call("patient_history", {"patient_name": "N", "clinical_summary": "S"})
    stub.script(patient_id, held := Reply(calls=COUNT.calls, hold_after=0), Reply(calls=[known]))
    headers = {"traceparent": f"00-{trace_id}-{caller}-01"}
    async with httpx.AsyncClient(timeout=60, base_url=gateway.http, headers=headers) as http:
        asking = asyncio.create_task(http.post("/patient", json={"patient_id": patient_id}))
        await held.reached_hold.wait()
        await traced.start_worker()
        await first.kill()
        await eventually(lambda: stub.runs(patient_id) == 2, "another worker asks the model")
        held.release()
        assert (await asking).status_code == 200
    (path,) = await paths_from(receiver, trace_id, RECORDS[1], "receive patient request")
    assert path[:3] == [RECORDS, SERVED, TOOL]
    assert path[-2:] == [
        ("fanline-worker", "patient request"),
        ("fanline-gateway", "receive patient request"),
    ]
    spans = {span.name: span for span in await receiver.spans(trace_id)}
    assert spans["receive patient request"].parent_span_id == caller
    assert spans["patient request"].attributes["attempt"] == 2
