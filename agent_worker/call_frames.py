"""Model calls and tool calls, told live by hooks inside the spans that go to Jaeger.

A call's first frame is emitted inside its span and carries the span's ids. Its last frame is
emitted when that span ends, with the span's own duration: what is seen live is what Jaeger has.
Spans are made by Pydantic AI's instrumentation; this module only looks at them.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from pydantic_ai import RunContext
from pydantic_ai.capabilities import AgentCapability, Hooks
from pydantic_ai.messages import (
    AgentStreamEvent,
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    ModelResponse,
    ToolCallPart,
)

from agent_worker.span_ends import (
    CALL_ID,
    REFUSED,
    EndOfSpan,
    SpanEnds,
    duration_ms,
    ids_of,
    ids_of_open,
    made_up_id,
    refused_calls,
    unique_call_id,
)
from agent_worker.structure import Schema
from agent_worker.telemetry_emitter import TelemetryEmitter
from agent_worker.told_content import ToldContent
from agent_worker.told_spans import make_spans
from agent_worker.translate import clean_text, result_text
from shared.protocol import Usage

TOOL_FAILED = "The tool failed."
BAD_CALL = "The call was not valid: unknown tool or wrong arguments."
CANCELLED_CALL = "The call was cancelled."


@dataclass
class _Outcome:
    """What became of a call, filled in by its hook and read when its span ends."""

    result: Any = None
    error: BaseException | None = None


class CallFrames:
    """Tells the calls of one run."""

    def __init__(
        self,
        emitter: TelemetryEmitter,
        span_ends: SpanEnds,
        provider: TracerProvider,
        span_content: ToldContent | None,
    ) -> None:
        self._emitter = emitter
        self._span_ends = span_ends
        self._provider = provider
        self._span_content = span_content
        self._schemas: dict[str, Schema] = {}
        self._refused: dict[str, ReadableSpan] = {}
        self._told: set[str] = set()
        self._untold: OrderedDict[str, ToolCallPart] = OrderedDict()
        self._requests = 0
        self._tokens: tuple[int, int] | None = None
        self.tool_error: Exception | None = None
        """The last exception that a tool raised: if the run ends by it, the tool is to blame."""

    def capabilities(self) -> list[AgentCapability[Any]]:
        """What to give a run, whoever wrote its agent. Called inside the run's own task."""
        refused_calls.set(self._refused)
        hooks: Hooks[Any] = Hooks()
        hooks.on.model_request(self._model_request)
        hooks.on.tool_execute(self._tool_execute)
        return [hooks, *make_spans(self._provider, self._span_content)]

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
        ids = ids_of_open(span)
        call_id = ids.get("span_id") or made_up_id()
        outcome = _Outcome()
        model, offered = request_context.model, request_context.model_request_parameters
        for tool in (*offered.function_tools, *offered.output_tools):
            self._schemas[tool.name] = tool.parameters_json_schema
        done = self._span_ends.call_at_end_of(span, self._end_of_model_call(call_id, outcome))
        self._emitter.emit_openai_call(call_id, model.model_name, model.system, **ids)
        try:
            outcome.result = await handler(request_context)
            return outcome.result
        except BaseException as error:
            outcome.error = error
            # Instrumentation marks none that was cancelled, and a request whose stream can not be
            # opened ends here as cancelled.
            span.set_status(trace.StatusCode.ERROR)
            raise
        finally:
            done()

    def _end_of_model_call(self, call_id: str, outcome: _Outcome) -> EndOfSpan:
        def end(duration_ms: int, attributes: dict[str, Any]) -> None:
            response: ModelResponse | None = outcome.result
            tokens = self._count(response, attributes)
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

    def _count(
        self, response: ModelResponse | None, attributes: dict[str, Any]
    ) -> tuple[int, int] | None:
        self._requests += 1
        tokens = _tokens_of(response, attributes)
        if tokens is not None:
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
        ids = ids_of_open(span)
        if ids:
            tool_call_id = unique_call_id(call.tool_call_id, span)
            span.set_attribute(CALL_ID, tool_call_id)
        else:
            tool_call_id = f"{clean_text(call.tool_call_id)}.{made_up_id()}"
        outcome = _Outcome()
        done = self._span_ends.call_at_end_of(span, self._end_of_tool_call(tool_call_id, outcome))
        self._told.add(call.tool_call_id)
        schema = tool_def.parameters_json_schema
        self._emitter.emit_tool_call(tool_call_id, call.tool_name, call.args, schema, **ids)
        try:
            outcome.result = await handler(args)
            return outcome.result
        except BaseException as error:
            outcome.error = error
            if isinstance(error, Exception):
                self.tool_error = error  # not the end of a tool that was cut off because of it
            raise
        finally:
            done()

    def _end_of_tool_call(self, tool_call_id: str, outcome: _Outcome) -> EndOfSpan:
        def end(duration_ms: int, attributes: dict[str, Any]) -> None:
            if outcome.error is None:
                text = result_text(outcome.result)
            else:
                text = TOOL_FAILED if isinstance(outcome.error, Exception) else CANCELLED_CALL
            self._emitter.emit_tool_result(
                tool_call_id, text, duration_ms, is_error=outcome.error is not None
            )

        return end

    def _tell_bad_call(self, call: ToolCallPart) -> None:
        schema = self._schemas.get(call.tool_name)
        if call.tool_call_id not in self._refused:
            self._make_refused_span(call, schema)  # there is no such tool: nobody made one
        span = self._refused.pop(call.tool_call_id, None)
        ids: dict[str, Any] = {}
        tool_call_id, duration = f"{clean_text(call.tool_call_id)}.{made_up_id()}", 0
        if span is not None:
            ids, duration = ids_of(span), duration_ms(span)
            tool_call_id = str((span.attributes or {}).get(CALL_ID))
        self._emitter.emit_tool_call(tool_call_id, call.tool_name, call.args, schema, **ids)
        self._emitter.emit_tool_result(tool_call_id, BAD_CALL, duration, is_error=True)

    def _make_refused_span(self, call: ToolCallPart, schema: Schema | None) -> None:
        content = self._span_content
        name = call.tool_name if content is None else content.tool_name(call.tool_name, schema)
        attributes = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            CALL_ID: call.tool_call_id,
            **REFUSED,
        }
        tracer = self._provider.get_tracer("fanline.worker")
        span = tracer.start_span(f"execute_tool {name}", attributes=attributes)
        span.set_status(trace.StatusCode.ERROR)
        span.end()


def _tokens_of(
    response: ModelResponse | None, attributes: dict[str, Any]
) -> tuple[int, int] | None:
    """What the span says: it counts also what a model sent before its call failed. The response,
    where no span is recorded. Absent is `None`, never zero."""
    told = [attributes.get(f"gen_ai.usage.{which}_tokens") for which in ("input", "output")]
    if any(told):
        return told[0] or 0, told[1] or 0
    if response is None or not response.usage.has_values():
        return None
    return response.usage.input_tokens, response.usage.output_tokens
