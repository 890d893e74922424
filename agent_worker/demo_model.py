"""The demo model: answers clinical questions offline, by rules, from real tool calls.

It stands where a language model stands: it sees the messages, asks for tools, reads their results
and streams an answer made of them. It knows nothing of its own, and says what it is.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from agent_worker.demo_answers import Ask, Findings, Returned, answer
from agent_worker.demo_patient import HISTORY, NO_SUCH_PATIENT, describe_patient
from agent_worker.demo_phrases import CONFESSION, NO_TOOLS, read_question

PACE_SECONDS = 0.02
WORDS_PER_PIECE = 3
MOST_PARALLEL_CALLS = 25


def build_demo_model(pace_seconds: float = PACE_SECONDS) -> Model:
    """The model, streaming a few words every `pace_seconds`."""

    async def stream(
        messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncGenerator[str | DeltaToolCalls, None]:
        response = _respond(messages, info)
        for index, part in enumerate(response.parts):
            if isinstance(part, ToolCallPart):
                arguments = part.args_as_json_str()
                yield {
                    index: DeltaToolCall(part.tool_name, arguments, tool_call_id=part.tool_call_id)
                }
            elif isinstance(part, TextPart):
                for piece in _pieces(part.content):
                    yield piece
                    await asyncio.sleep(pace_seconds)

    async def respond(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        return _respond(messages, info)

    return FunctionModel(respond, stream_function=stream, model_name="demo")


def _respond(messages: Sequence[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The tools to call next, or the answer when nothing that it needs is missing."""
    question, now, before = _split(messages)
    findings = Findings(_read_results(now))
    if any(tool.name == HISTORY for tool in info.output_tools):
        return _summarise(question, now, findings)
    text = answer(read_question(question), findings, _read_results(before))
    missing = findings.missing[:MOST_PARALLEL_CALLS]
    if not missing:
        return ModelResponse(parts=[TextPart(f"{text}\n\n{CONFESSION}")])
    known = {tool.name for tool in info.function_tools}
    if any(ask.tool not in known for ask in missing):
        return ModelResponse(parts=[TextPart(f"{NO_TOOLS}\n\n{CONFESSION}")])
    return ModelResponse(parts=[_call(ask) for ask in missing])


def _summarise(patient_id: str, now: Sequence[ModelMessage], findings: Findings) -> ModelResponse:
    """As the patient history agent is asked to: structured, and only what the tools returned."""
    if any(_denies_patient(part) for message in now for part in message.parts):
        return ModelResponse(parts=[_call(Ask(NO_SUCH_PATIENT, {}))])
    history = describe_patient(patient_id, findings)
    missing = findings.missing[:MOST_PARALLEL_CALLS]
    return ModelResponse(parts=[_call(ask) for ask in missing or [Ask(HISTORY, history)]])


def _denies_patient(part: object) -> bool:
    if isinstance(part, ToolReturnPart) and part.outcome != "success":
        return "There is no" in str(cast(object, part.content))
    return False


def _call(ask: Ask) -> ToolCallPart:
    return ToolCallPart(ask.tool, ask.arguments, tool_call_id=f"demo_{uuid.uuid4().hex[:12]}")


def _pieces(text: str) -> list[str]:
    words = re.findall(r"\S+\s*", text)
    starts = range(0, len(words), WORDS_PER_PIECE)
    return ["".join(words[start : start + WORDS_PER_PIECE]) for start in starts]


def _split(
    messages: Sequence[ModelMessage],
) -> tuple[str, Sequence[ModelMessage], Sequence[ModelMessage]]:
    """The question that is to be answered, the messages after it, and those up to it."""
    for index in range(len(messages) - 1, -1, -1):
        prompts = [part for part in messages[index].parts if isinstance(part, UserPromptPart)]
        if prompts:
            return str(prompts[-1].content), messages[index + 1 :], messages[: index + 1]
    raise UnexpectedModelBehavior("nobody has asked anything")


def _read_results(messages: Sequence[ModelMessage]) -> list[Returned]:
    """The tools' results among `messages`. A call that failed has none: it is asked for again,
    until the framework's bound on retries ends the turn by the tool's own error."""
    asks: dict[str, Ask] = {}
    results: list[Returned] = []
    for part in (part for message in messages for part in message.parts):
        if isinstance(part, ToolCallPart):
            asks[part.tool_call_id] = Ask(part.tool_name, part.args_as_dict())
        elif isinstance(part, ToolReturnPart) and part.outcome == "success":
            results.append((asks[part.tool_call_id], _content(part)))
    return results


def _content(part: ToolReturnPart) -> dict[str, Any]:
    content: object = part.content
    if not isinstance(content, dict):
        raise UnexpectedModelBehavior(f"{part.tool_name} returned no object")
    return cast(dict[str, Any], content)
