"""What stands before the HTTP routes: the caller's rights, and how much a request may bring."""

import json
from collections.abc import Awaitable, Callable

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.access import OPERATOR, Denied
from gateway.callers import Callers
from gateway.client_frames import MAX_MESSAGE_BYTES
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from shared.ids import parse_session_id

SESSIONS = "/sessions/"
Gate = Callable[[Request], Awaitable[None]]


class Gates:
    """Dependencies of routes; each raises `Denied`, which becomes the answer."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def scope(self, scope: str) -> Gate:
        """Lets in whose token has this scope."""

        async def check(request: Request) -> None:
            (await self._callers.identify(request)).check_scope(scope)

        return check

    async def session(self, request: Request) -> None:
        """Lets in whose token names the session of the path."""
        grant = await self._callers.identify(request)
        try:
            grant.check_session(parse_session_id(request.path_params["session_id"]))
        except ValueError as error:
            raise Denied(400, "session_id", str(error)) from error

    async def counted(self, request: Request) -> None:
        """Lets in whose address has not asked too often. Stands before the others: what a token is
        worth is not found out for nothing."""
        await self._callers.count_request(request)


def tell_denied(app: FastAPI, metrics: Metrics) -> None:
    """Have every `Denied` of a route answered, and counted; and requests that are none, without
    what they held."""

    async def answer(request: Request, denied: Exception) -> Response:
        assert isinstance(denied, Denied)
        metrics.refuse(denied.reason)
        return JSONResponse({"detail": denied.sentence}, denied.status, denied.headers)

    async def answer_invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        told = [{name: one[name] for name in ("type", "loc", "msg")} for one in error.errors()]
        # FastAPI's own handler repeats what came, and fails where that was NaN or half a character.
        return Response(json.dumps({"detail": told}), 422, media_type="application/json")

    app.add_exception_handler(Denied, answer)
    app.add_exception_handler(RequestValidationError, answer_invalid)


def add_documentation(app: FastAPI, gates: Gates) -> None:
    """The API's own documentation, for operators: it says where everything is."""
    url = "/openapi.json"
    dependencies = [Depends(gates.scope(OPERATOR))]

    async def schema() -> JSONResponse:
        return JSONResponse(app.openapi())

    async def swagger() -> HTMLResponse:
        return get_swagger_ui_html(openapi_url=url, title=app.title)

    async def redoc() -> HTMLResponse:
        return get_redoc_html(openapi_url=url, title=app.title)

    for path, endpoint in ((url, schema), ("/docs", swagger), ("/redoc", redoc)):
        app.add_api_route(path, endpoint, include_in_schema=False, dependencies=dependencies)


class OwnCookie:
    """ASGI middleware: of all cookies that a request brings, the application sees `name` alone.

    FastAPI has every request's cookies read by Starlette, and that by Python's own parser, which
    takes seconds for a head full of backslashes (CVE-2024-7592). No token has any.
    """

    def __init__(self, app: ASGIApp, name: str) -> None:
        self._app = app
        self._name = name.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["headers"] = [
                (header, self._own(value) if header == b"cookie" else value)
                for header, value in scope["headers"]
            ]
        await self._app(scope, receive, send)

    def _own(self, cookies: bytes) -> bytes:
        pairs = (pair.strip() for pair in cookies.split(b";"))
        own = (pair for pair in pairs if pair.startswith(self._name + b"=") and b"\\" not in pair)
        return next(own, b"")


class BodyLimit:
    """ASGI middleware: a request that brings more than `MAX_BODY_BYTES` is refused with 413; what
    is said to a session has room for the longest message."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_said = scope["path"].startswith(SESSIONS)
        most = max(self._settings.max_body_bytes, MAX_MESSAGE_BYTES * is_said)
        received = 0

        async def receive_bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most and message["type"] == "http.request":
                self._metrics.refuse("body")
                # What still comes is read and thrown away, until `REQUEST_SECONDS` are over: a peer
                # whose connection were closed while it sends might never see the answer.
                raise HTTPException(413, f"A request may bring {most} bytes.")
            return message

        await self._app(scope, receive_bounded, send)
