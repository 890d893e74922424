"""The one line that is logged about each connection, when it has ended."""

import logging
import time

from opentelemetry import trace
from starlette.datastructures import Headers
from starlette.types import Scope

from gateway.tab import Tab
from shared.logs import tell
from shared.tracing import context_of, trace_id_of_span

_log = logging.getLogger(__name__)


class ConnectionLine:
    """What is known of a connection from its beginning."""

    __slots__ = ("_begun", "_trace_id")

    def __init__(self, scope: Scope) -> None:
        """To be made while the handshake's headers are there: a script may send a `traceparent`
        with them. A turn's trace is another one."""
        self._begun = time.monotonic()
        caller = context_of(Headers(scope=scope).get("traceparent", ""))
        self._trace_id = trace_id_of_span(trace.get_current_span(caller))

    def tell(self, tab: Tab, code: int | None) -> None:
        """Log that the tab's connection has ended. `code`: how it was closed, where that is
        known."""
        tell(
            _log,
            "connection",
            session=tab.session_id[:8],
            seconds=round(time.monotonic() - self._begun, 3),
            frames=tab.frames_given,
            code=code,
            resumed=tab.resumed,
            trace_id=self._trace_id,
        )
