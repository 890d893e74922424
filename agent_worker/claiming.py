"""Taking work, while Redis may be away.

After Redis was away, nothing is claimed or acquired for half a lease. Those who hold leases renew
them first; claiming at once would take over turns that are in good hands.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from agent_worker.insist import keep_asking
from agent_worker.metrics import Metrics
from shared.errors import Unavailable
from shared.work_stream import WorkStream

_log = logging.getLogger(__name__)

T = TypeVar("T")


class Claiming:
    """Makes the calls of one process that take work."""

    def __init__(self, work_stream: WorkStream, lease_seconds: float, metrics: Metrics) -> None:
        self._work_stream = work_stream
        self._lease_seconds = lease_seconds
        self._metrics = metrics
        self._quiet_until = 0.0
        self._is_away = False

    async def __call__(self, call: Callable[[], Awaitable[T]]) -> T:
        """As `keep_asking`, with that pause. An outage is told, and counted, once: by whoever
        notices it first."""
        while True:
            await asyncio.sleep(max(self._quiet_until - _now(), 0))
            try:
                return await call()
            except Unavailable as error:
                if not self._is_away:
                    _log.warning("Redis is away: %s", error)
                    self._metrics.redis_lost.inc()
                self._is_away = True
                await keep_asking(self._work_stream.ping)
                self._is_away = False
                self._quiet_until = _now() + self._lease_seconds / 2


def _now() -> float:
    return asyncio.get_running_loop().time()
