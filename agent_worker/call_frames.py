"""Model calls and tool calls, told live by hooks inside the spans that go to Jaeger.

A call's first frame is emitted inside its span and carries the span's ids. Its last frame is
emitted when that span ends, with the span's own duration: what is seen live is what Jaeger has.
Spans are made by Pydantic AI's instrumentation; this module only looks at them.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from pydantic_ai import RunContext
from pydantic_ai.capabilities import AgentCapability, Hooks, Instrumentation
from pydantic_ai.messages import (
    AgentStreamEvent,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelResponse,
    ToolCallPart,
)
from pydantic_ai.models.instrumented import InstrumentationSettings
from pydantic_core import to_json

from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.translate import parse_arguments
from shared.protocol import Usage
from shared.tracing import hex_ids

TOOL_FAILED = "The tool failed."
BAD_CALL = "The call was not valid: unknown tool or wrong arguments."
CANCELLED_CALL = "The call was cancelled."

EndOfSpan = Callable[[int, dict[str, Any]], None]
"""Called with the span's duration in ms and its attributes."""


class SpanEnds(SpanProcessor):
    """Calls back, once, when a span that somebody waits for has ended. One per process."""

    def __init__(self) -> None:
        self._waiting: dict[int, EndOfSpan] = {}

    def call_at_end_of(self, span: trace.Span, callback: EndOfSpan) -> Callable[[], None]:
        """Arrange for `callback`. Returns what to call when the work is done, which matters only
        for a span that is not recorded and so never ends: then the time is taken here."""
        if span.is_recording():
            self._waiting[span.get_span_context().span_id] = callback
            return lambda: None
        begun = perf_counter_ns()
        return lambda: callback(_ms(perf_counter_ns() - begun), {})

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        # One name to search a session by, on every span.
        session_id = (span.attributes or {}).get("gen_ai.conversation.id")
        if session_id is not None:
            span.set_attribute("session_id", session_id)

    def on_end(self, span: ReadableSpan) -> None:
        context = span.context
        callback = self._waiting.pop(context.span_id, None) if context is not None else None
        if callback is not None:
            duration = (span.end_time or 0) - (span.start_time or 0)
            callback(_ms(duration), dict(span.attributes or {}))

    def shutdown(self) -> None:
        self._waiting.clear()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


@dataclass
class _Outcome:
    """What became of a call, filled in by its hook and read when its span ends."""

    result: Any = None
    error: BaseException | None = None


class CallFrames:
    """Tells the calls of one run."""

    def __init__(
        self, emitter: TelemetryEmitter, span_ends: SpanEnds, provider: TracerProvider
    ) -> None:
        self._emitter = emitter
        self._span_ends = span_ends
        self._provider = provider
        self._told: set[str] = set()
        self._untold: OrderedDict[str, ToolCallPart] = OrderedDict()
        self._requests = 0
        self._tokens: tuple[int, int] | None = None
        self.tool_error: BaseException | None = None
        """The last exception that a tool raised: if the run ends by it, the tool is to blame."""

    def capabilities(self, *, include_content: bool) -> list[AgentCapability[Any]]:
        """What to give a run, whoever wrote its agent."""
        hooks: Hooks[Any] = Hooks()
        hooks.on.model_request(self._model_request)
        hooks.on.tool_execute(self._tool_execute)
        settings = InstrumentationSettings(
            tracer_provider=self._provider, include_content=include_content
        )
        return [hooks, Instrumentation(settings=settings)]

    def usage(self) -> Usage:
        """Requests of the run so far, and the tokens of those calls whose provider told them."""
        prompt, completion = self._tokens or (None, None)
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=None if self._tokens is None else sum(self._tokens),
            requests=self._requests,
        )

    def observe(self, event: AgentStreamEvent | object) -> None:
        """Tell the calls that never got as far as a hook: unknown tools and wrong arguments."""
        match event:
            case FunctionToolCallEvent(part=part):
                self._untold[part.tool_call_id] = part
            case FunctionToolResultEvent(part=part):
                call = self._untold.pop(part.tool_call_id, None)
                if call is not None and part.tool_call_id not in self._told:
                    self._tell_bad_call(call)
                self._told.discard(part.tool_call_id)
            case _:
                pass

    async def _model_request(
        self,
        ctx: RunContext[Any],
        *,
        request_context: Any,
        handler: Callable[[Any], Awaitable[ModelResponse]],
    ) -> ModelResponse:
        span = trace.get_current_span()
        ids = _ids(span)
        call_id = ids["span_id"]
        outcome = _Outcome()
        model = request_context.model
        done = self._span_ends.call_at_end_of(span, self._end_of_model_call(call_id, outcome))
        self._emitter.emit_openai_call(call_id, model.model_name, model.system, **ids)
        try:
            outcome.result = await handler(request_context)
            return outcome.result
        except BaseException as error:
            outcome.error = error
            raise
        finally:
            done()

    def _end_of_model_call(self, call_id: str, outcome: _Outcome) -> EndOfSpan:
        def end(duration_ms: int, attributes: dict[str, Any]) -> None:
            response: ModelResponse | None = outcome.result
            tokens = self._count(response)
            prompt, completion = tokens or (None, None)
            first = attributes.get("gen_ai.client.operation.time_to_first_chunk")
            self._emitter.emit_openai_response(
                call_id,
                duration_ms,
                prompt_tokens=prompt,
                completion_tokens=completion,
                total_tokens=None if tokens is None else sum(tokens),
                time_to_first_token_ms=None if first is None else round(float(first) * 1000),
                finish_reason=response.finish_reason if response is not None else None,
                is_error=outcome.error is not None,
            )

        return end

    def _count(self, response: ModelResponse | None) -> tuple[int, int] | None:
        self._requests += 1
        if response is None or not response.usage.has_values():
            return None  # absent is null, never zero
        tokens = (response.usage.input_tokens, response.usage.output_tokens)
        before = self._tokens or (0, 0)
        self._tokens = (before[0] + tokens[0], before[1] + tokens[1])
        return tokens

    async def _tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: Any,
        args: dict[str, Any],
        handler: Callable[[dict[str, Any]], Awaitable[Any]],
    ) -> Any:
        span = trace.get_current_span()
        ids = _ids(span)
        # Models repeat ids (some servers count from 0 in every answer): the span's id makes ours
        # unique in the session, and the span is given the same.
        tool_call_id = f"{call.tool_call_id}.{ids['span_id']}"
        span.set_attribute("gen_ai.tool.call.id", tool_call_id)
        outcome = _Outcome()
        done = self._span_ends.call_at_end_of(span, self._end_of_tool_call(tool_call_id, outcome))
        self._told.add(call.tool_call_id)
        self._emitter.emit_tool_call(
            tool_call_id, call.tool_name, parse_arguments(call.args), **ids
        )
        try:
            outcome.result = await handler(args)
            return outcome.result
        except BaseException as error:
            outcome.error = self.tool_error = error
            raise
        finally:
            done()

    def _end_of_tool_call(self, tool_call_id: str, outcome: _Outcome) -> EndOfSpan:
        def end(duration_ms: int, attributes: dict[str, Any]) -> None:
            if outcome.error is None:
                text = _result_text(outcome.result)
            else:
                text = TOOL_FAILED if isinstance(outcome.error, Exception) else CANCELLED_CALL
            self._emitter.emit_tool_result(
                tool_call_id, text, duration_ms, is_error=outcome.error is not None
            )

        return end

    def _tell_bad_call(self, call: ToolCallPart) -> None:
        tool_call_id = f"{call.tool_call_id}.{len(self._told)}.{perf_counter_ns():x}"
        self._emitter.emit_tool_call(tool_call_id, call.tool_name, parse_arguments(call.args))
        self._emitter.emit_tool_result(tool_call_id, BAD_CALL, 0, is_error=True)


def _ids(span: trace.Span) -> dict[str, Any]:
    _, span_id = hex_ids(span)
    parent = getattr(span, "parent", None)
    return {
        "span_id": span_id,
        "parent_span_id": trace.format_span_id(parent.span_id) if parent is not None else None,
    }


def _result_text(result: Any) -> str:
    value = getattr(result, "return_value", result)  # a ToolReturn wraps what the model gets
    return value if isinstance(value, str) else to_json(value, fallback=str).decode()


def _ms(nanoseconds: int) -> int:
    return round(nanoseconds / 1_000_000)
