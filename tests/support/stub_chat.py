"""Chat completions as the stub streams them."""

import json
from collections.abc import AsyncIterator
from typing import Any

from tests.support.stub_reply import Call, Reply


async def stream_chat(body: dict[str, Any], step: int, reply: Reply) -> AsyncIterator[str]:
    """The answer to the request `body`, which is its turn's model call number `step`."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _data(body, {"choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    if reply.early_usage:
        yield _usage(body, reply)
    async for text in reply.texts():
        if reply.odd_chunks:
            yield _data(body, {"choices": [], "prompt_filter_results": []})
            yield chunk({})
            without_delta: dict[str, Any] = {
                "index": 0,
                "finish_reason": None,
                "content_filter_results": {},
            }
            yield _data(body, {"choices": [without_delta]})
        yield chunk({"content": text})
    for index, call in enumerate(reply.calls):
        for piece in _call_pieces(index, call, step):
            yield chunk({"tool_calls": [piece]})
    yield chunk({}, reply.finish_reason or ("tool_calls" if reply.calls else "stop"))
    if not reply.early_usage:
        yield _usage(body, reply)
    yield "data: [DONE]\n\n"


def step_of(messages: list[dict[str, Any]]) -> int:
    """How many model calls the last user message has had."""
    step = 0
    for message in messages:
        if message["role"] == "user":
            step = 0
        elif message["role"] == "assistant":
            step += 1
    return step


def last_user(messages: list[dict[str, Any]]) -> str:
    said = [message["content"] for message in messages if message["role"] == "user"]
    return str(said[-1]) if said else ""


def _usage(body: dict[str, Any], reply: Reply) -> str:
    if reply.usage is None:
        return ""
    prompt, completion = reply.usage
    usage = {"prompt_tokens": prompt, "completion_tokens": completion}
    return _data(body, {"choices": [], "usage": usage | {"total_tokens": prompt + completion}})


def _data(body: dict[str, Any], fields: dict[str, Any]) -> str:
    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    return f"data: {json.dumps(common | fields)}\n\n"


def _call_pieces(index: int, call: Call, step: int) -> list[dict[str, Any]]:
    begin, end = call.halves()
    call_id = call.call_id or f"call_{step}_{index}"
    function = {"name": call.name, "arguments": begin}
    return [
        {"index": index, "id": call_id, "type": "function", "function": function},
        {"index": index, "function": {"arguments": end}},
    ]
