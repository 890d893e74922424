"""Sessions over plain HTTP: for curl, scripts, and networks without WebSockets.

What is said here goes the way that it goes over a socket, and what is heard is heard by the same
follower; docs/protocol.md has both side by side.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from gateway.acceptance import Acceptance
from gateway.admission import Admission
from gateway.client_frames import Refused, parse_request, refuse
from gateway.commands import Commands
from gateway.connection_manager import ConnectionManager
from gateway.conversation import Conversation, read_conversation
from gateway.event_stream import EventStream
from gateway.gates import Gates
from gateway.limits import address_of
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.socket_bounds import SocketBounds
from shared.errors import NotALog, Unavailable
from shared.ids import SessionId, parse_session_id
from shared.protocol import CancelTurn, ErrorCode, UserMessage
from shared.redis_client import RefusedByRedis
from shared.session_log import SessionLog

_log = logging.getLogger(__name__)

CONVERSATIONS_AT_ONCE = 4
"""Read by one gateway. Each takes its CPU, which is the tabs', and the memory of a conversation."""

STATUSES: dict[ErrorCode, int] = {
    "bad_json": 400,
    "too_many": 429,
    "unknown_turn": 404,
    "unavailable": 503,
    "internal": 500,
}
"""The HTTP status for the code of an `error` frame; for every other code it is 422."""

EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
CURSOR = {
    "parameters": [
        {"name": name, "in": place, "required": False, "schema": {"type": "string"}}
        for name, place in (("Last-Event-ID", "header"), ("last_event_id", "query"))
    ]
}
"""What OpenAPI says of a stream, which FastAPI does not see."""


class Refusal(BaseModel):
    """Why something was not done."""

    detail: str
    """A sentence for a person."""
    code: ErrorCode | None = None
    """As an `error` frame has it, where one would be sent."""
    message_id: str | None = None
    """Of the message that was refused: to be sent again with it, in case it was accepted."""


class AcceptedMessage(BaseModel):
    """It will be answered: exactly one `turn_finished` follows."""

    session_id: str
    turn_id: str
    """The `message_id`, the one that was sent or one that was made for it."""


class Stopping(BaseModel):
    """The turn is told to stop; its `turn_finished` follows."""

    session_id: str
    turn_id: str


@dataclass(frozen=True)
class SessionEdge:
    """What the routes are made of."""

    commands: Commands
    acceptance: Acceptance
    manager: ConnectionManager
    admission: Admission
    log: SessionLog
    bounds: SocketBounds
    settings: GatewaySettings


def build_session_routes(edge: SessionEdge, gates: Gates) -> APIRouter:
    """The routes below `/sessions/{session_id}`."""
    refusals: dict[int | str, dict[str, Any]] = {
        status: {"model": Refusal} for status in (400, 401, 403, 404, 413, 422, 429, 500, 503)
    }
    router = APIRouter(prefix="/sessions/{session_id}", responses=refusals)
    reading = asyncio.Semaphore(CONVERSATIONS_AT_ONCE)
    own_session = [Depends(gates.counted), Depends(gates.session)]

    @router.post(
        "/messages", status_code=202, dependencies=own_session, openapi_extra=_body(UserMessage)
    )
    async def say(  # pyright: ignore[reportUnusedFunction]
        session_id: str, request: Request
    ) -> AcceptedMessage:
        """Ask. Sent twice with one `message_id`, it is asked once, and answered the same."""
        turn_id = await _obey(edge, request, "message", session_id)
        return AcceptedMessage(session_id=session_id, turn_id=turn_id)

    @router.post(
        "/cancel", status_code=202, dependencies=own_session, openapi_extra=_body(CancelTurn)
    )
    async def stop(  # pyright: ignore[reportUnusedFunction]
        session_id: str, request: Request
    ) -> Stopping:
        """Stop a turn, waiting or running."""
        turn_id = await _obey(edge, request, "cancel", session_id)
        return Stopping(session_id=session_id, turn_id=turn_id)

    @router.get("/events", response_class=Response, responses=EVENTS, openapi_extra=CURSOR)
    async def events(  # pyright: ignore[reportUnusedFunction]
        session_id: str, request: Request
    ) -> Response:
        """The session's events as Server-Sent Events: from the beginning, or after
        `Last-Event-ID`, and then as they happen."""
        admitted = await edge.admission.let_in(request)
        return EventStream(edge.manager, edge.admission, admitted, edge.bounds)

    @router.get("", dependencies=own_session)
    async def conversation(  # pyright: ignore[reportUnusedFunction]
        session_id: str, response: Response
    ) -> Conversation:
        """The conversation so far."""
        response.headers["Cache-Control"] = "no-store"
        async with _refusals(parse_session_id(session_id)) as name, reading:
            return await read_conversation(edge.log, name, edge.settings)

    @router.delete("", status_code=204, dependencies=own_session)
    async def delete(session_id: str) -> None:  # pyright: ignore[reportUnusedFunction]
        """Remove a conversation everywhere; 204 also when there was none."""
        async with _refusals(parse_session_id(session_id)) as name:
            await edge.acceptance.delete_session(name)

    return router


def tell_refused(app: FastAPI, metrics: Metrics) -> None:
    """Have every `Refused` of a route answered, and counted."""

    async def answer(request: Request, refused: Exception) -> Response:
        assert isinstance(refused, Refused)
        code = refused.frame.code
        metrics.refused.labels(code).inc()
        wait = refused.retry_after
        headers = None if wait is None else {"Retry-After": str(wait)}
        frame = refused.frame
        body = Refusal(detail=frame.error, code=code, message_id=frame.message_id)
        told = body.model_dump(exclude_none=True)
        return JSONResponse(told, STATUSES.get(code, 422), headers)

    app.add_exception_handler(Refused, answer)


async def _obey(
    edge: SessionEdge, request: Request, kind: Literal["message", "cancel"], session_id: str
) -> str:
    name = parse_session_id(session_id)
    try:
        body = await request.body()
    except ClientDisconnect:
        refuse(name, "bad_json", "The request ended before its end.")
    frame = parse_request(body, kind, name)
    return await edge.commands.obey(frame, address_of(request))


@asynccontextmanager
async def _refusals(session_id: SessionId) -> AsyncGenerator[SessionId, None]:
    """Refuse, as a frame would be, what cannot be done."""
    try:
        yield session_id
    except (RefusedByRedis, NotALog) as error:
        _log.error("session %s: %s", session_id[:8], error)
        refuse(session_id, "internal", "This session cannot be used.")
    except Unavailable:
        refuse(session_id, "unavailable", "Redis does not answer; try again.", retry_after=1)


def _body(frame: type[BaseModel]) -> dict[str, Any]:
    """What OpenAPI says of a body: the frame, but for what its place says. It is parsed as frames
    are, not by FastAPI: one message has one set of rules."""
    schema = frame.model_json_schema()
    for name in ("type", "session_id"):
        schema["properties"].pop(name, None)
    schema["required"] = [name for name in schema["required"] if name in schema["properties"]]
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}
