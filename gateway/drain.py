"""Draining: a gateway that is told to stop sends its tabs elsewhere before it goes.

Readiness goes first, so that nobody new is sent here. Then every tab is told `disconnected` and
closed with 1012 and a wait of its own, spread so that they do not all arrive at the next gateway at
once.
"""

import asyncio
import random

from gateway.close_codes import DRAINING
from gateway.connection_manager import ConnectionManager
from gateway.health import Probe
from gateway.tab import Tab

SPREAD_SHARE = 0.5
"""The part of `DRAIN_SECONDS` over which the closes are spread; the rest is for slow sockets."""


class Drain:
    """Empties one gateway."""

    def __init__(self, manager: ConnectionManager, probe: Probe, drain_seconds: float) -> None:
        self._manager = manager
        self._probe = probe
        self._drain_seconds = drain_seconds

    async def run(self) -> None:
        """Close every tab; returns when all are gone or `DRAIN_SECONDS` are over."""
        self._probe.draining = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._drain_seconds
        tabs = self._manager.all_tabs()
        random.shuffle(tabs)
        pause = self._drain_seconds * SPREAD_SHARE / max(len(tabs), 1)
        for tab in tabs:
            _send_away(tab)
            await asyncio.sleep(min(pause, 0.05))
        while self._manager.tab_count() and loop.time() < deadline:
            for tab in self._manager.all_tabs():
                if not tab.leaving:  # its handshake was under way when the drain began
                    _send_away(tab)
            await asyncio.sleep(0.05)


def _send_away(tab: Tab) -> None:
    wait_ms = random.randrange(100, 1000)
    tab.say("disconnected")
    tab.socket.close(DRAINING, str(wait_ms))
