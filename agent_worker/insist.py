"""Doing a lease's work however long Redis is away."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shared.errors import Unavailable
from shared.ids import TurnId
from shared.lease import Lease

_log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 0.2
"""Below half of the shortest lease: after an outage others claim nothing for half a lease, and by
then this one has renewed its own."""
T = TypeVar("T")


async def insist(lease: Lease, turn_id: TurnId, call: Callable[[], Awaitable[T]]) -> T:
    """Make `call`, and make the same call again for as long as Redis cannot be asked.

    When Redis is back the lease is renewed first: it has run out meanwhile, and another worker
    would take a turn over that is in good hands. Raises `Fenced` or `TurnOver`.
    """
    pause = FIRST_PAUSE_SECONDS
    away = False
    while True:
        try:
            if away:
                await lease.renew(turn_id)
            return await call()
        except Unavailable as error:
            if not away:
                _log.warning("session %s: Redis is away: %s", lease.session_id[:8], error)
            away = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


async def keep_asking(call: Callable[[], Awaitable[T]]) -> T:
    """Make `call`, and the same again for as long as Redis cannot be asked. For what needs no
    lease."""
    while True:
        try:
            return await call()
        except Unavailable:
            await asyncio.sleep(LONGEST_PAUSE_SECONDS)
