"""The way of a tab's WebSocket past the framework.

A route of FastAPI's stays on the stack for as long as its socket is open: three middlewares, two
routers, an exit stack and the handling of exceptions, 8 kB a tab. A tab needs none of them.
"""

from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

PATH = "/ws"


class TabRoute:
    """Middleware: gives the WebSockets that come to `/ws` to `open_tab` (docs/protocol.md), and
    everything else to the application."""

    def __init__(self, app: ASGIApp, open_tab: Callable[[WebSocket], Awaitable[None]]) -> None:
        self._app = app
        self._open_tab = open_tab

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "websocket" and scope["path"] == PATH:
            return self._open_tab(WebSocket(scope, receive, send))
        return self._app(scope, receive, send)
