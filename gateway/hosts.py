"""Which names a gateway answers to.

Anybody may point a name of their own at somebody else's gateway (DNS rebinding). By every rule of
browsers a page of that name is then the gateway's own, and could read and write what its visitor
can. But the request says the name. An address cannot be pointed anywhere, so addresses pass.
"""

import ipaddress
from collections.abc import Awaitable, Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.metrics import Metrics

OPEN_PATHS = ("/healthz", "/readyz", "/metrics")
"""What probes and scrapes ask for, by whatever name they know; there is nothing of a session."""
SENTENCE = "This gateway does not answer to this name (ALLOWED_HOSTS)."


class OwnHosts:
    """ASGI middleware: a request or handshake for a name that is none of `names` is refused with
    421; `None`: every name will do."""

    def __init__(self, app: ASGIApp, names: Collection[str] | None, metrics: Metrics) -> None:
        self._app = app
        self._names = names
        self._metrics = metrics

    # No coroutine of its own, which would stay as long as the socket.
    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if self._names is None or scope["type"] == "lifespan" or scope["path"] in OPEN_PATHS:
            return self._app(scope, receive, send)
        # None at all is no browser, and passes.
        if all(is_own(host, self._names) for host in Headers(scope=scope).getlist("host")):
            return self._app(scope, receive, send)
        self._metrics.refuse("host")
        return JSONResponse({"detail": SENTENCE}, 421)(scope, receive, send)


def is_own(host: str, names: Collection[str]) -> bool:
    """Whether a browser that sends this `Host` cannot have been led here by a name of others: it is
    an address, a name of loopback, or one of `names`, which are in small letters. Pure."""
    name = host.lower()
    if name.startswith("["):
        name = name[1:].partition("]")[0]
    else:
        name = name.partition(":")[0].removesuffix(".")
    if name in names or name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
