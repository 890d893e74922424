"""OpenAI's Responses API as the stub speaks it: its requests read as chat messages, its answers
streamed as named events."""

import json
from collections.abc import AsyncIterator
from typing import Any, cast

from tests.support.stub_reply import Call, Reply

UNFINISHED = {"content_filter": "content_filter", "length": "max_output_tokens"}
"""Why a response is incomplete, by the finish reason that chat completions have for it."""

Event = dict[str, Any]
Item = dict[str, Any]


def as_messages(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The request's input as chat completions would have it, one `assistant` a model call."""
    given: str | list[Item] = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [{"role": "system", "content": body.get("instructions") or ""}]
    for message in map(_as_message, items):
        # What one model call said and the calls it asked for are items of their own here.
        if message["role"] == "assistant" and messages[-1]["role"] == "assistant":
            messages[-1]["content"] += message["content"]
        else:
            messages.append(message)
    return messages


def _as_message(item: Item) -> dict[str, Any]:
    match item.get("type"):
        case "function_call_output":
            return {"role": "tool", "content": item["output"], "tool_call_id": item["call_id"]}
        case "function_call" | "reasoning":
            return {"role": "assistant", "content": ""}
        case _:
            return {"role": item["role"], "content": _text_of(item["content"])}


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in cast(list[Item], content))


async def stream_responses(body: dict[str, Any], step: int, reply: Reply) -> AsyncIterator[str]:
    """The answer to the request `body`, which is its turn's model call number `step`."""
    number = 0
    async for event in _events(body, step, reply):
        yield f"event: {event['type']}\ndata: {json.dumps(event | {'sequence_number': number})}\n\n"
        number += 1


async def _events(body: dict[str, Any], step: int, reply: Reply) -> AsyncIterator[Event]:
    early = reply if reply.early_usage else None
    yield _of_response("created", body)
    yield _of_response("in_progress", body, usage=early)
    output: list[Item] = []
    if reply.chunks:
        async for event in _message(f"msg_{step}", reply, output):
            yield event
    for index, call in enumerate(reply.calls):
        for event in _function_call(step, index, call, output):
            yield event
    if reason := UNFINISHED.get(reply.finish_reason):
        yield _of_response("incomplete", body, output, usage=reply, reason=reason)
    else:
        yield _of_response("completed", body, output, usage=reply)


async def _message(item_id: str, reply: Reply, output: list[Item]) -> AsyncIterator[Event]:
    place = {"item_id": item_id, "output_index": len(output), "content_index": 0}
    item = {"id": item_id, "type": "message", "role": "assistant"}
    text = ""
    yield _of_item("added", output, item | {"status": "in_progress", "content": []})
    yield {"type": "response.content_part.added", **place, "part": _text_part("")}
    async for piece in reply.texts():
        text += piece
        yield {"type": "response.output_text.delta", **place, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **place, "text": text, "logprobs": []}
    yield {"type": "response.content_part.done", **place, "part": _text_part(text)}
    done = item | {"status": "completed", "content": [_text_part(text)]}
    yield _of_item("done", output, done)
    output.append(done)


def _function_call(step: int, index: int, call: Call, output: list[Item]) -> list[Event]:
    item_id = f"fc_{step}_{index}"
    place = {"item_id": item_id, "output_index": len(output)}
    call_id = call.call_id or f"call_{step}_{index}"
    item = {"id": item_id, "type": "function_call", "call_id": call_id, "name": call.name}
    whole = "".join(call.halves())
    deltas = [
        {"type": "response.function_call_arguments.delta", **place, "delta": half}
        for half in call.halves()
    ]
    arguments = {"name": call.name, "arguments": whole}
    done = item | {"status": "completed", "arguments": whole}
    events = [
        _of_item("added", output, item | {"status": "in_progress", "arguments": ""}),
        *deltas,
        {"type": "response.function_call_arguments.done", **place, **arguments},
        _of_item("done", output, done),
    ]
    output.append(done)
    return events


def _of_item(what: str, output: list[Item], item: Item) -> Event:
    return {"type": f"response.output_item.{what}", "output_index": len(output), "item": item}


def _text_part(text: str) -> Item:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _of_response(
    status: str,
    body: dict[str, Any],
    output: list[Item] | None = None,
    *,
    usage: Reply | None = None,
    reason: str | None = None,
) -> Event:
    response = {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": body["model"],
        "status": "in_progress" if status == "created" else status,
        "output": output or [],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "error": None,
        "incomplete_details": {"reason": reason} if reason else None,
        "usage": _usage(usage),
    }
    return {"type": f"response.{status}", "response": response}


def _usage(reply: Reply | None) -> dict[str, Any] | None:
    if reply is None or reply.usage is None:
        return None
    prompt, completion = reply.usage
    return {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": prompt + completion,
    }
