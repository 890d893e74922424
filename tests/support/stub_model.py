"""A fake of the providers' APIs that does what the test's script says: OpenAI's chat completions
and Responses, Azure OpenAI's deployments and its v1 endpoint.

It runs in the test's own process, on a port of its own, so a test can hold an answer back, look at
the requests, and let it go on, without a sleep. A reply is chosen by the last user message and by
how many model calls its turn has made before (`step`), whichever API was used.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from dev.embedded_redis import free_port
from tests.support.eventually import eventually
from tests.support.stub_chat import last_user, step_of, stream_chat
from tests.support.stub_reply import Call, Reply
from tests.support.stub_responses import as_messages, stream_responses

__all__ = [
    "ANY", "API_VERSION", "KEY", "Api", "Call", "Received", "Reply", "StubModel", "stub_model",
]  # fmt: skip

ANY = "*"
KEY = "STUB-KEY"
API_VERSION = "2024-12-01-preview"
DEPLOYMENTS = "/openai/deployments/"
AZURE_V1 = "/openai/v1/"
SOON = {"retry-after-ms": "1"}
"""A client that repeats does so at once: the library's own back-off takes seconds."""

Api = Literal["openai-chat", "openai", "azure classic", "azure v1"]
Stream = Callable[[dict[str, Any], int, Reply], AsyncIterator[str]]


@dataclass(frozen=True)
class Received:
    """One request as it came, tries that failed included."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: dict[str, Any]


class StubModel:
    """The server and its script."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.base_url = f"{self.origin}/v1"
        self.received: list[Received] = []
        self.requests: list[dict[str, Any]] = []
        """The bodies; each has the `messages` of chat completions, whichever API was used."""
        self._replies: dict[tuple[str, int], Reply] = {}
        app = FastAPI()
        app.post("/v1/chat/completions")(self._complete)
        app.post(AZURE_V1 + "chat/completions")(self._complete)
        app.post(DEPLOYMENTS + "{deployment}/chat/completions")(self._complete)
        app.post("/v1/responses")(self._respond)
        self.server = uvicorn.Server(
            uvicorn.Config(
                app,
                host="127.0.0.1",
                port=port,
                log_level="critical",
                ws="none",
                lifespan="off",  # it has none, and a server that is told to hurry leaves its task
            )
        )

    def script(self, message: str, *replies: Reply) -> None:
        """Answer the model calls of turns whose message contains `message` with `replies`, in
        order; calls beyond them get the last."""
        for step, reply in enumerate(replies):
            self._replies[message, step] = reply

    def runs(self, message: str) -> int:
        """How many times a turn with exactly this user message was begun at the model."""
        conversations = [body["messages"] for body in self.requests]
        return sum(1 for said in conversations if last_user(said) == message and step_of(said) == 0)

    def environment(self, model: str = "m-x", api: Api = "openai-chat") -> dict[str, str]:
        """The settings that make a worker use this model by this API."""
        if api in ("openai-chat", "openai"):
            return {
                "MODEL": f"{api}:{model}",
                "OPENAI_BASE_URL": self.base_url,
                "OPENAI_API_KEY": KEY,
            }
        azure = {"MODEL": f"azure:{model}", "AZURE_OPENAI_API_KEY": KEY}
        if api == "azure v1":
            return azure | {"AZURE_OPENAI_ENDPOINT": self.origin + AZURE_V1}
        return azure | {"AZURE_OPENAI_ENDPOINT": self.origin, "OPENAI_API_VERSION": API_VERSION}

    def received_for(self, message: str) -> list[Received]:
        """The requests of the turn with exactly this user message."""
        return [
            received
            for received, body in zip(self.received, self.requests, strict=True)
            if last_user(body["messages"]) == message
        ]

    def _reply_to(self, messages: list[dict[str, Any]]) -> Reply:
        message, step = last_user(messages), step_of(messages)
        for wanted in (message, *(key for key, _ in self._replies if key in message), ANY):
            steps = [number for key, number in self._replies if key == wanted]
            if steps:
                return self._replies[wanted, min(step, max(steps))]
        return Reply(chunks=("echo: ", message))

    async def _complete(self, request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        return await self._answer(request, body, body["messages"], stream_chat)

    async def _respond(self, request: Request) -> Response:
        body: dict[str, Any] = await request.json()
        return await self._answer(request, body, as_messages(body), stream_responses)

    async def _answer(
        self,
        request: Request,
        body: dict[str, Any],
        messages: list[dict[str, Any]],
        stream: Stream,
    ) -> Response:
        received = Received(
            request.url.path, dict(request.query_params), dict(request.headers), body
        )
        self.received.append(received)
        self.requests.append(body | {"messages": messages})
        if refusal := _refusal(received):
            return refusal
        reply = self._reply_to(messages)
        reply.tries += 1
        if reply.tries <= reply.drops:
            self._drop(request)
        if reply.hang:
            await reply.released.wait()
        if reply.fails:
            return _error(reply.status, reply.error_code)
        events = stream(body, step_of(messages), reply)
        return StreamingResponse(events, media_type="text/event-stream")

    def _drop(self, request: Request) -> None:
        for connection in self.server.server_state.connections:
            peer: Any = connection
            if request.client is not None and peer.client == tuple(request.client):
                peer.transport.abort()


def _refusal(received: Received) -> Response | None:
    """What Azure answers to a request that is not made in its way; none to one that is."""
    has_version, headers = "api-version" in received.query, received.headers
    if received.path.startswith(DEPLOYMENTS):
        if headers.get("api-key") != KEY:
            return _error(401, "401")
        return None if has_version else _error(404, "404")
    if received.path.startswith(AZURE_V1):
        if headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "401")
        return _error(400, "BadRequest") if has_version else None
    return None


def _error(status: int, code: str | None) -> Response:
    error = {"message": "STUB-ERROR-BODY", "type": "stub", "code": code}
    return JSONResponse({"error": error}, status, headers=SOON)


@asynccontextmanager
async def stub_model() -> AsyncGenerator[StubModel, None]:
    """A stub that serves while the block runs."""
    stub = StubModel(free_port())
    server = stub.server
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
