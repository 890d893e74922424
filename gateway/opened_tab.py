"""What every tab has in common, whichever way it came: where it begins, and how it ends."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from starlette.datastructures import Headers, QueryParams
from starlette.types import Scope

from gateway.admission import Admitted
from gateway.close_codes import TOKEN_EXPIRED
from gateway.connection_line import ConnectionLine
from gateway.connection_manager import ConnectionManager
from gateway.tab import RoomySocket, TabSocket
from shared.ids import Position, parse_position

LONGEST_TOKEN_SECONDS = 7 * 86_400.0
"""After so long a tab has to show a token again, whatever that says."""


@dataclass
class Ending:
    """How a tab ended, for its line in the log."""

    code: int | None = None


@contextmanager
def opened_tab(
    manager: ConnectionManager,
    socket: RoomySocket,
    admitted: Admitted,
    cursor: tuple[Position | None, bool],
    line: ConnectionLine,
) -> Generator[Ending, None, None]:
    """Follow the session for the block, at most for as long as the token is good."""
    tab = manager.connect(socket, admitted.session_id, cursor[0], asked=cursor[1])
    socket.call_when_room(partial(manager.on_drained, tab))
    expiry = _close_at(admitted.expires_at, socket)
    ending = Ending()
    try:
        yield ending
    finally:
        manager.disconnect(tab)
        line.tell(tab, ending.code)
        if expiry is not None:
            expiry.cancel()


def cursor_of(scope: Scope) -> tuple[Position | None, bool]:
    """The cursor that a tab names, and whether it names one at all, readable or not. Browsers put
    that of an event stream into a header when they come back, to the URL that they began with."""
    # Not `websocket.query_params`, which would stay as long as the socket.
    values = QueryParams(scope["query_string"]).getlist("last_event_id")
    if scope["type"] == "http":
        values += Headers(scope=scope).getlist("last-event-id")
    if not values:
        return None, False
    try:
        return parse_position(values[-1]), True
    except ValueError:
        return None, True


def _close_at(moment: float | None, socket: TabSocket) -> asyncio.TimerHandle | None:
    """Close the socket when its token ends: its tab comes back with another, and its cursor."""
    if moment is None:
        return None
    seconds = min(max(moment - time.time(), 0.0), LONGEST_TOKEN_SECONDS)
    loop = asyncio.get_running_loop()
    return loop.call_later(seconds, socket.close, TOKEN_EXPIRED, "token expired")
