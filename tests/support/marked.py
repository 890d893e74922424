"""A conversation with a mark in every place where content can be, and where the marks came out.

The marks are words that stand nowhere else. Whoever searches for them learns which kinds of content
left by which door: telemetry frames, spans, logs, metrics.
"""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2 as httpx

from dev.embedded_redis import EmbeddedRedis, free_port
from tests.support.chat import Chat
from tests.support.deployment import Process, deploy
from tests.support.eventually import eventually
from tests.support.fhir_server import fhir_server
from tests.support.otlp_receiver import Receiver
from tests.support.stub_model import Call, Reply, StubModel

PATIENT_ID = "6d61726b-6564-4a0b-8c0d-656c73657768"
SESSION_MARK = "marked-session-id-tail"
MARKS = {
    "prompt": "MARKED-PROMPT",
    "system prompt": "MARKED-INSTRUCTIONS",
    "answer": "MARKED-ANSWER",
    "argument value": "MARKED-VALUE",
    "argument key": "MARKED-KEY",
    "name of a tool that is not there": "MARKED-TOOL-NAME",
    "result": "MARKED-RESULT",
    "retry": "MARKED-RETRY",
    "tool exception": "MARKED-TOOL-EXCEPTION",
    "provider error body": "STUB-ERROR-BODY",
    "custom event value": "MARKED-CUSTOM-VALUE",
    "custom event key": "MARKED-CUSTOM-KEY",
    "attribute of an agent's span": "MARKED-ATTRIBUTE",
    "FHIR id in a URL": PATIENT_ID,
    "patient's name": "Markedname",
    "patient's summary": "MARKED-SUMMARY",
    "session id": SESSION_MARK,
}
FHIR = {"entry": [{"resource": {
    "resourceType": "Patient", "id": PATIENT_ID, "gender": "female", "birthDate": "1970-01-01",
    "name": [{"family": MARKS["patient's name"], "given": ["Ada"]}], "identifier": [],
}}]}  # fmt: skip
AGENT = '''
"""An agent that says its marks in every way in which an agent can. They are read, so that no line
of this file, which may be in a traceback, has one."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic_ai import Agent, CustomEvent, ModelRetry, RunContext

marks = json.loads((Path(__file__).parent / "marks.json").read_text())
agent = Agent("openai-chat:m-x", name="marked", instructions=marks["system prompt"])


@dataclass(kw_only=True)
class Seen(CustomEvent):
    kind: str
    details: dict[str, str]


@agent.tool
async def look_up(ctx: RunContext[None], reference: str, filters: dict[str, str]) -> str:
    """Make a request as an instrumented HTTP client would."""
    url = f"http://127.0.0.1:1/fhir/{reference}?subject={reference}"
    with ctx.tracer.start_as_current_span(f"GET {url}", attributes={"url.full": url}) as span:
        span.set_attribute("a.b", marks["attribute of an agent's span"])
        try:
            await httpx2.AsyncClient().get(url)
        except httpx2.ConnectError:
            span.record_exception(OSError(f"cannot reach {url}"))
    details = {marks["custom event key"]: marks["custom event value"]}
    await ctx.emit(Seen(kind=marks["custom event value"], details=details))
    return marks["result"]


@agent.tool_plain(retries=3)
def refuse() -> str:
    raise ModelRetry(marks["retry"])


@agent.tool_plain
def break_down() -> str:
    try:
        raise KeyError(marks["tool exception"])
    except KeyError as error:
        raise RuntimeError(marks["tool exception"]) from error
'''
REDACT = f'''
"""Takes one mark out, and fails for one tool."""

import json


def redact(name, value):
    if name == "refuse":
        raise ValueError(value)
    return json.loads(json.dumps(value).replace("{MARKS["argument value"]}", "REMOVED"))
'''
CHAT = {"message", "assistant", "reasoning"}
"""Frames that are the conversation itself."""


@dataclass(frozen=True)
class Doors:
    """What came out, as text, by door."""

    texts: dict[str, str]

    def found(self, door: str) -> set[str]:
        """The kinds of content whose mark came out there."""
        return {kind for kind, mark in MARKS.items() if mark in self.texts[door]}


async def say_everything(
    redis_server: EmbeddedRedis,
    stub: StubModel,
    receiver: Receiver,
    folder: Path,
    settings: dict[str, str],
) -> Doors:
    """Run a deployment with these settings, in which everything is said and goes wrong."""
    (folder / "marks.json").write_text(json.dumps(MARKS))
    (folder / "marked_agent.py").write_text(AGENT)
    (folder / "redact.py").write_text(REDACT)
    async with fhir_server(FHIR) as fhir:
        environment = stub.environment() | receiver.environment("http/protobuf")
        environment |= {
            "AGENT": f"{folder}/marked_agent.py:agent",
            "FHIR_BASE_URL": fhir.base_url,
            "LINGER_SECONDS": "0.1",
            "MODEL_RETRIES": "0",
            "OTEL_SERVICE_NAME": folder.name,
            **{name: value.replace("FOLDER", str(folder)) for name, value in settings.items()},
        }
        async with deploy(redis_server, folder, **environment) as own:
            port = free_port()
            gateway, worker = await asyncio.gather(
                own.start_gateway(), own.start_worker(metrics_port=port)
            )
            worker.expected_errors.append("TELEMETRY_REDACT failed")
            chat = Chat(own, stub, f"{uuid4().hex[:8]}-{SESSION_MARK}")
            frames, traces = await _run_turns(chat)
            traces.append(await _ask_for_patient(gateway, stub))
            for trace_id in traces:
                await _wait_for_spans(receiver, trace_id)
            doors = Doors(
                {
                    "frames": json.dumps(frames),
                    "spans": await receiver.everything(folder.name),
                    "metrics": await _metrics(gateway.http)
                    + await _metrics(f"http://127.0.0.1:{port}"),
                    "logs": gateway.log() + worker.log(),
                }
            )
            await own.check_nothing_is_left()
    return doors


async def _wait_for_spans(receiver: Receiver, trace_id: str) -> None:
    """Returns when both processes have sent their spans of this trace."""

    async def have_come() -> bool:
        names = {span.name for span in await receiver.spans(trace_id)}
        received = {"receive message", "receive patient request"} & names
        return bool(received and {"turn", "patient request"} & names)

    await eventually(have_come, "the trace's spans have come")


async def _metrics(url: str) -> str:
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{url}/metrics")
    assert answer.status_code == 200
    return answer.text


async def _run_turns(chat: Chat) -> tuple[list[dict[str, object]], list[str]]:
    """Turns of one session; their telemetry frames, without the id of the session, and traces."""
    filters = {MARKS["argument key"]: MARKS["argument value"]}
    known = Call("look_up", {"reference": f"Patient/{PATIENT_ID}", "filters": filters})
    refused = Call("look_up", filters)
    unknown = Call(MARKS["name of a tool that is not there"], filters)
    unparsable = Call("look_up", f"{{{MARKS['argument value']}")
    calls = [known, refused, unknown, unparsable, Call("refuse", {})]
    prompt = f"{MARKS['prompt']} {uuid4()}"
    failures = {f"{prompt} tool": Reply(calls=[Call("break_down", {})]),
                f"{prompt} model": Reply(status=400)}  # fmt: skip
    chat.stub.script(f"{prompt} all", Reply(calls=calls), Reply([MARKS["answer"]]))
    for message, reply in failures.items():
        chat.stub.script(message, reply)
    async with chat.tab() as tab:
        assert (await tab.ask(f"{prompt} all")).status == "completed"
        for message in failures:
            assert (await tab.ask(message)).status == "failed"
        told = [event for event in tab.events if event.type not in CHAT]
        fields = [{k: v for k, v in e.fields.items() if k != "session_id"} for e in told]
        return fields, [event["trace_id"] for event in told if event.type == "turn_finished"]


async def _ask_for_patient(gateway: Process, stub: StubModel) -> str:
    """A request for a patient's history; its trace."""
    summary = {"patient_name": "Ada", "clinical_summary": MARKS["patient's summary"]}
    read = Call("read_resource", {"reference": f"Patient/{PATIENT_ID}"})
    stub.script(PATIENT_ID, Reply(calls=[read]), Reply(calls=[Call("patient_history", summary)]))
    trace_id = uuid4().hex
    headers = {"traceparent": f"00-{trace_id}-{uuid4().hex[:16]}-01"}
    async with httpx.AsyncClient(timeout=60) as http:
        body = {"patient_id": PATIENT_ID}
        answer = await http.post(f"{gateway.http}/patient", json=body, headers=headers)
    assert answer.status_code == 200
    return trace_id
