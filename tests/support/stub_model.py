"""A fake of the chat-completions API that does what the test's script says.

It runs in the test's own process, on a port of its own, so a test can hold an answer back, look at
the requests, and let it go on, without a sleep. A reply is chosen by the last user message and by
how many model calls its turn has made before (`step`).
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dev.embedded_redis import free_port
from tests.support.eventually import eventually

ANY = "*"


@dataclass(frozen=True)
class Call:
    """A tool call that the model asks for."""

    name: str
    arguments: dict[str, Any] | str
    call_id: str = ""


@dataclass
class Reply:
    """What one model call answers. All fields are the test's to set."""

    chunks: Sequence[str] = ()
    calls: Sequence[Call] = ()
    usage: tuple[int, int] | None = (11, 7)
    chunk_seconds: float = 0.0
    hold_after: int | None = None
    """Send so many chunks, then wait until `release` is called."""
    status: int = 200
    """Anything else is an error answer with this HTTP status."""
    error_code: str | None = None
    """The code inside that error answer, as `content_filter`."""
    cut_after: int | None = None
    """Drop the connection after so many chunks."""
    hang: bool = False
    """Never answer."""
    odd_chunks: bool = False
    """Chunks without choices and without delta between, as Azure's content filter sends them."""
    released: asyncio.Event = field(default_factory=asyncio.Event)
    reached_hold: asyncio.Event = field(default_factory=asyncio.Event)

    def release(self) -> None:
        self.released.set()


class StubModel:
    """The server and its script."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.requests: list[dict[str, Any]] = []
        self._replies: dict[tuple[str, int], Reply] = {}
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self._complete)

    def script(self, message: str, *replies: Reply) -> None:
        """Answer the model calls of turns whose message contains `message` with `replies`, in
        order; calls beyond them get the last."""
        for step, reply in enumerate(replies):
            self._replies[message, step] = reply

    def runs(self, message: str) -> int:
        """How many times a turn with exactly this user message was begun at the model."""
        return sum(1 for body in self.requests if _last_user(body) == message and _step(body) == 0)

    def environment(self, model: str = "m-x") -> dict[str, str]:
        """The settings that make a worker use this model."""
        return {
            "MODEL": f"openai-chat:{model}",
            "OPENAI_BASE_URL": self.base_url,
            "OPENAI_API_KEY": "stub",
        }

    def _reply_to(self, body: dict[str, Any]) -> Reply:
        message, step = _last_user(body), _step(body)
        for wanted in (message, *(key for key, _ in self._replies if key in message), ANY):
            steps = [number for key, number in self._replies if key == wanted]
            if steps:
                return self._replies[wanted, min(step, max(steps))]
        return Reply(chunks=("echo: ", message))

    async def _complete(self, request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        self.requests.append(body)
        reply = self._reply_to(body)
        if reply.hang:
            await reply.released.wait()
        if reply.status != 200:
            error = {"message": "STUB-ERROR-BODY", "type": "stub", "code": reply.error_code}
            return JSONResponse({"error": error}, reply.status)
        return StreamingResponse(_stream(body, reply), media_type="text/event-stream")


async def _stream(body: dict[str, Any], reply: Reply) -> AsyncIterator[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return _data(body, {"choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for number, text in enumerate(reply.chunks):
        if reply.hold_after == number:
            reply.reached_hold.set()
            await reply.released.wait()
        if reply.cut_after == number:
            raise ConnectionAbortedError("the script says so")
        if reply.odd_chunks:
            yield _data(body, {"choices": [], "prompt_filter_results": []})
            yield _data(body, {"choices": [{"index": 0, "finish_reason": None, "delta": {}}]})
        yield chunk({"content": text})
        await asyncio.sleep(reply.chunk_seconds)
    if reply.hold_after == len(reply.chunks):
        reply.reached_hold.set()
        await reply.released.wait()
    for index, call in enumerate(reply.calls):
        for piece in _call_pieces(index, call, _step(body)):
            yield chunk({"tool_calls": [piece]})
    yield chunk({}, "tool_calls" if reply.calls else "stop")
    if reply.usage is not None:
        prompt, completion = reply.usage
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        yield _data(body, {"choices": [], "usage": usage | {"total_tokens": prompt + completion}})
    yield "data: [DONE]\n\n"


def _data(body: dict[str, Any], fields: dict[str, Any]) -> str:
    common = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    return f"data: {json.dumps(common | fields)}\n\n"


def _call_pieces(index: int, call: Call, step: int) -> list[dict[str, Any]]:
    text = call.arguments if isinstance(call.arguments, str) else json.dumps(call.arguments)
    middle = len(text) // 2
    call_id = call.call_id or f"call_{step}_{index}"
    first = {"name": call.name, "arguments": text[:middle]}
    return [
        {"index": index, "id": call_id, "type": "function", "function": first},
        {"index": index, "function": {"arguments": text[middle:]}},
    ]


def _last_user(body: dict[str, Any]) -> str:
    said = [message["content"] for message in body["messages"] if message["role"] == "user"]
    return str(said[-1]) if said else ""


def _step(body: dict[str, Any]) -> int:
    step = 0
    for message in body["messages"]:
        if message["role"] == "user":
            step = 0
        elif message["role"] == "assistant":
            step += 1
    return step


@asynccontextmanager
async def stub_model() -> AsyncGenerator[StubModel, None]:
    """A stub that serves while the block runs."""
    port = free_port()
    stub = StubModel(port)
    config = uvicorn.Config(stub.app, host="127.0.0.1", port=port, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    server.capture_signals = _no_signals  # pyright: ignore[reportAttributeAccessIssue]
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, "the stub serves")
    try:
        yield stub
    finally:
        server.should_exit = server.force_exit = True
        await serving


class _NoSignals:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...


def _no_signals() -> _NoSignals:
    """The signals of the test's process are the test runner's."""
    return _NoSignals()
