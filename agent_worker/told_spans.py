"""How a run's spans are made: by Pydantic AI, with its content or without.

Without it, what may be told of each tool call is put on the call's span under names of our own; all
else that a span holds is sorted out when it leaves (`shared/span_content.py`).
"""

from collections.abc import Awaitable, Callable
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from pydantic_ai import RunContext
from pydantic_ai.capabilities import AgentCapability, Hooks, Instrumentation
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_ai.tools import ToolDefinition

from agent_worker.told_content import ToldContent
from agent_worker.translate import json_text, result_text
from shared.span_content import TOLD_ARGUMENTS, TOLD_RESULT, TRUNCATED_BYTES


def make_spans(provider: TracerProvider, content: ToldContent | None) -> list[AgentCapability[Any]]:
    """What to give a run. `content` is `None` where spans leave as they are."""
    settings = InstrumentationSettings(tracer_provider=provider, include_content=content is None)
    spans: list[AgentCapability[Any]] = [Instrumentation(settings=settings)]
    return spans if content is None else [_tell_calls(content), *spans]


def _tell_calls(content: ToldContent) -> Hooks[Any]:
    async def tool_execute(
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Awaitable[Any]],
    ) -> Any:
        name, span = call.tool_name, trace.get_current_span()
        told = content.arguments(name, call.args, tool_def.parameters_json_schema)
        span.set_attribute(TOLD_ARGUMENTS, json_text(told))
        result = await handler(args)
        text, cut = content.result(name, result_text(result))
        if text:
            span.set_attribute(TOLD_RESULT, text)
        if cut is not None:
            span.set_attribute(TRUNCATED_BYTES, cut)
        return result

    hooks: Hooks[Any] = Hooks()
    hooks.on.tool_execute(tool_execute)
    return hooks
