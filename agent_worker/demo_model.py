"""The demo model: answers clinical questions offline, by rules, from real tool calls.

It stands where a language model stands: it sees the messages, asks for tools, reads their results and
streams an answer made of them. It knows nothing of its own, and says what it is.
"""

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_ai.exceptions import UnexpectedModelBehavior
from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.models import Model
from pydantic_ai.models.function import AgentInfo, DeltaToolCall, DeltaToolCalls, FunctionModel

from agent_worker.demo_phrases import CONFESSION, HELP, NOBODY_MEANT, Question, read_question
from agent_worker.demo_phrases import describe_rows as describe

PACE_SECONDS = 0.02
WORDS_PER_PIECE = 3
MOST_PARALLEL_CALLS = 12


@dataclass(frozen=True)
class Ask:
    """A tool call that the answer needs."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Returned:
    """What a tool answered, with what it was asked."""

    ask: Ask
    content: dict[str, Any]


def build_demo_model(pace_seconds: float = PACE_SECONDS) -> Model:
    """The model, streaming a few words every `pace_seconds`."""

    async def stream(
        messages: list[ModelMessage], info: AgentInfo
    ) -> AsyncGenerator[str | DeltaToolCalls, None]:
        step = _next_step(messages)
        if isinstance(step, str):
            words = re.findall(r"\S+\s*", step)
            for start in range(0, len(words), WORDS_PER_PIECE):
                yield "".join(words[start : start + WORDS_PER_PIECE])
                await asyncio.sleep(pace_seconds)
        else:
            yield {
                index: DeltaToolCall(
                    name=ask.tool,
                    json_args=json.dumps(ask.arguments),
                    tool_call_id=f"demo_{uuid.uuid4().hex[:12]}",
                )
                for index, ask in enumerate(step)
            }

    async def answer(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        step = _next_step(messages)
        if isinstance(step, str):
            return ModelResponse(parts=[TextPart(step)])
        return ModelResponse(parts=[ToolCallPart(ask.tool, ask.arguments) for ask in step])

    return FunctionModel(answer, stream_function=stream, model_name="demo")


def _next_step(messages: Sequence[ModelMessage]) -> str | list[Ask]:
    """The tools to call next, or the answer. Raises when a tool has failed: nothing is made up."""
    asked_at = max(i for i, message in enumerate(messages) if _prompt(message) is not None)
    question = read_question(_prompt(messages[asked_at]) or "")
    returned = _returned(messages[asked_at:])
    step = _plan(question, returned, messages[:asked_at])
    return f"{step}\n\n{CONFESSION}" if isinstance(step, str) else step


def _plan(
    question: Question, returned: list[Returned], before: Sequence[ModelMessage]
) -> str | list[Ask]:
    if question.condition:
        return _plan_condition(question, returned)
    if question.count:
        if not returned:
            return [Ask("count_patients", {})]
        return f"There are {returned[0].content['patients']} patients."
    if question.name or question.pronoun:
        return _plan_patient(question, returned, before)
    return HELP


def _plan_condition(question: Question, returned: list[Returned]) -> str | list[Ask]:
    if not returned:
        return [Ask("find_patients_by_condition", {"condition": question.condition, "limit": 100})]
    found = returned[0].content
    rows: list[dict[str, Any]] = found["rows"]
    if question.count or not rows:
        return f"{_have(found['total'])} {question.condition}."
    kind = question.kinds[0] if question.kinds else None
    if kind is None or kind == "conditions":
        names = "\n".join(f"- {row['name']} ({row['condition']})" for row in rows)
        return f"{_have(found['total'])} {question.condition}:\n{names}"
    answered = {one.ask.arguments["patient_id"]: one.content for one in returned[1:]}
    missing = [row["id"] for row in rows if row["id"] not in answered]
    if missing:
        return [Ask(f"get_{kind}", {"patient_id": one}) for one in missing[:MOST_PARALLEL_CALLS]]
    lines = [f"- {row['name']}: {describe(kind, answered[row['id']]['rows'])}" for row in rows]
    return f"{_have(found['total'])} {question.condition}:\n" + "\n".join(lines)


def _plan_patient(
    question: Question, returned: list[Returned], before: Sequence[ModelMessage]
) -> str | list[Ask]:
    if question.name:
        if not returned:
            return [Ask("search_patients", {"name": question.name})]
        rows: list[dict[str, Any]] = returned[0].content["rows"]
        returned = returned[1:]
        if len(rows) != 1 or not question.kinds:
            return _found(question.name, rows)
        patient = rows[0]
    else:
        known = _last_patient(before)
        if known is None:
            return NOBODY_MEANT
        patient = known
    if not returned:
        kinds = question.kinds or ["conditions"]
        return [Ask(f"get_{kind}", {"patient_id": patient["id"]}) for kind in kinds]
    lines = [
        f"{patient['name']} - {one.ask.tool.removeprefix('get_')}: "
        f"{describe(one.ask.tool.removeprefix('get_'), one.content['rows'])}"
        for one in returned
    ]
    return "\n".join(lines)


def _found(name: str, rows: list[dict[str, Any]]) -> str:
    if not rows:
        return f"No patient is called {name}."
    lines = [f"- {row['name']}, {row['gender']}, born {row['birth_date']}" for row in rows]
    return "\n".join([f"Found under {name}:", *lines])


def _have(total: int) -> str:
    return "1 patient has" if total == 1 else f"{total} patients have"


def _last_patient(messages: Sequence[ModelMessage]) -> dict[str, Any] | None:
    """The patient whom the conversation was about last: the only one that a search has found."""
    for one in reversed(_returned(messages)):
        if one.ask.tool == "search_patients" and len(one.content["rows"]) == 1:
            return one.content["rows"][0]
    return None


def _prompt(message: ModelMessage) -> str | None:
    if isinstance(message, ModelRequest):
        for part in message.parts:
            if isinstance(part, UserPromptPart):
                return str(part.content)
    return None


def _returned(messages: Sequence[ModelMessage]) -> list[Returned]:
    asks: dict[str, Ask] = {}
    found: list[Returned] = []
    for message in messages:
        for part in message.parts:
            if isinstance(part, ToolCallPart):
                asks[part.tool_call_id] = Ask(part.tool_name, part.args_as_dict())
            elif isinstance(part, RetryPromptPart):
                raise UnexpectedModelBehavior("a tool has failed")
            elif isinstance(part, ToolReturnPart):
                found.append(Returned(asks[part.tool_call_id], _content(part)))
    return found


def _content(part: ToolReturnPart) -> dict[str, Any]:
    content: Any = part.content
    value = content if isinstance(content, dict) else None
    if value is None:
        try:
            value = json.loads(str(content))
        except ValueError:
            raise UnexpectedModelBehavior("a tool has failed") from None
    if part.outcome != "success" or not isinstance(value, dict):
        raise UnexpectedModelBehavior("a tool has failed")
    result: dict[str, Any] = value
    return result
