"""The handshakes that open and close one socket of a session, with a token where one is wanted.

The token travels in one header. It is in no URL, no log and no `repr`.
"""

import asyncio
import json
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import isawaitable
from typing import cast
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_socket
from websockets.exceptions import (
    ConcurrencyError,
    ConnectionClosed,
    InvalidStatus,
    WebSocketException,
)
from websockets.http11 import Response
from websockets.typing import Origin

from fanline.errors import FanlineError, Forbidden, Refused, Unauthorized
from fanline.events import Position

OPEN_SECONDS, CLOSE_SECONDS = 10.0, 2.0
UNAUTHORIZED, FORBIDDEN = 401, 403
TOO_MANY_REQUESTS = 429  # alone among the statuses below 500, it will pass

Token = str | Callable[[], str | Awaitable[str]]
"""A token, or a function that gives a fresh one: it is called once for every connection."""

_VISIBLE = re.compile(r"[!-~]+")


def _is_harmless(record: logging.LogRecord) -> bool:
    # A header is logged as its name and its value.
    match record.args:
        case (str(name), _):
            return name.lower() != "authorization"
        case _:
            return True


_log = logging.getLogger("fanline.socket")
# At DEBUG the websockets package writes every header of the handshake.
_log.addFilter(_is_harmless)


@dataclass(frozen=True)
class Handshake:
    """Everything of a socket's address that stays the same from one socket to the next."""

    url: str
    session_id: str
    origin: str | None = None
    token: Token | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.url.startswith(("ws://", "wss://")):
            raise ValueError("the gateway's address begins with ws:// or wss://")

    async def open(self, cursor: Position | None) -> ClientConnection | None:
        """A socket that begins after `cursor`; `None` when the gateway cannot be reached, or may
        say otherwise later. Raises `Refused` when it will not, and what the token's function
        raises."""
        query = {"session_id": self.session_id}
        if cursor is not None:
            query["last_event_id"] = str(cursor)
        headers = None if self.token is None else await _authorization(self.token)
        try:
            return await open_socket(
                f"{self.url}?{urlencode(query)}",
                origin=None if self.origin is None else Origin(self.origin),
                additional_headers=headers,
                compression=None,
                max_size=None,
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                logger=_log,
            )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            if status < 500 and status != TOO_MANY_REQUESTS:
                raise _refusal(refusal.response) from refusal
        except (OSError, TimeoutError, WebSocketException):
            pass  # nobody is there, or no gateway: another try may find one
        return None


async def hang_up(socket: ClientConnection) -> None:
    """Close it in good order, so that what was said arrives; cut off after `CLOSE_SECONDS`, or when
    this is cancelled."""
    closing = asyncio.create_task(socket.close())
    try:
        with suppress(ConnectionClosed, ConcurrencyError):
            while True:
                await socket.recv()  # nobody wants it, and the gateway's close lies behind it
        await closing
    finally:
        closing.cancel()
        socket.transport.abort()


async def _authorization(token: Token) -> dict[str, str]:
    given = token if isinstance(token, str) else token()
    text = await given if isawaitable(given) else given
    if _VISIBLE.fullmatch(text) is None:
        raise FanlineError("not a token: it is empty, or has spaces or control characters")
    return {"Authorization": f"Bearer {text}"}


def _refusal(response: Response) -> Refused:
    kinds = {UNAUTHORIZED: Unauthorized, FORBIDDEN: Forbidden}
    kind = kinds.get(response.status_code, Refused)
    sentence = _sentence_in(response.body)
    told = f"the gateway answered {response.status_code}"
    return kind(f"{told}: {sentence}" if sentence else told)


def _sentence_in(body: bytes | bytearray) -> str | None:
    """Why, in the gateway's words; a proxy has others."""
    try:
        answer: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    detail = cast(dict[str, object], answer).get("detail") if isinstance(answer, dict) else None
    return detail if isinstance(detail, str) else None
