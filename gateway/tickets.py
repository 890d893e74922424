"""Tickets: each opens one socket of one session, once, soon, on any gateway.

A browser cannot send a token with a WebSocket's handshake, and a URL is no place for one: URLs are
logged. What a URL can hold is what nobody can use again.
"""

import re
import secrets
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, cast

from pydantic import BaseModel

from gateway.access import Denied, Grant
from shared.ids import SessionId
from shared.keys import Keys
from shared.redis_client import Redis, ask

_TICKET = re.compile(r"[A-Za-z0-9_-]{43}")
USED_UP = "This ticket is not valid, or not any more. Ask for a new one."


class _About(BaseModel):
    """What a ticket is for, as Redis has it."""

    session_id: str
    expires_at: float | None


class Tickets:
    """The tickets of one deployment. Redis has their hashes: who watches it cannot use them."""

    def __init__(self, client: Redis, keys: Keys, *, seconds: int) -> None:
        self._client = client
        self._keys = keys
        self.seconds = seconds
        """How long a ticket is good for."""

    async def issue(self, session_id: SessionId, grant: Grant) -> str:
        """A ticket for this session; its socket ends when the grant does. Raises
        `Unavailable`."""
        ticket = secrets.token_urlsafe(32)
        about = _About(session_id=session_id, expires_at=grant.expires_at).model_dump_json()
        put = cast(Callable[..., Awaitable[Any]], self._client.set)
        await ask(self._client, lambda: put(self._key(ticket), about, ex=self.seconds))
        return ticket

    async def redeem(self, ticket: str, session_id: SessionId) -> Grant:
        """Use the ticket up. Raises `Denied` where it is none, or one for another session, and
        `Unavailable`; then it may be used up."""
        if _TICKET.fullmatch(ticket) is None:
            raise Denied(401, "ticket", USED_UP)
        take = cast(Callable[[str], Awaitable[bytes | None]], self._client.getdel)
        about = await ask(self._client, lambda: take(self._key(ticket)))
        if about is None:
            raise Denied(401, "ticket", USED_UP)
        try:
            fields = _About.model_validate_json(about)
        except ValueError as error:  # somebody else has written it
            raise Denied(401, "ticket", USED_UP) from error
        grant = Grant((fields.session_id,), frozenset(), fields.expires_at)
        grant.check_session(session_id)
        return grant

    def _key(self, ticket: str) -> str:
        return self._keys.ticket(sha256(ticket.encode()).hexdigest())
