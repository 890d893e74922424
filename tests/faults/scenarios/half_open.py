"""A connection whose tab has gone and whose gateway has not noticed: the tab has two of them."""

import asyncio
from socket import socket as Socket

from tests.faults.row import Row
from tests.faults.tab import Tab
from tests.faults.traffic import Traffic

HALF_OPEN = "half open, resumed meanwhile"
PIECE = 65536


async def cut_half_open(row: Row, traffic: Traffic, tab: Tab) -> None:
    """The tab leaves its socket without a word and resumes. It counts when the old gateway has
    gone on writing to the old socket after the new one was answered."""
    answered, sockets = len(tab.view.answers), tab.sockets
    end = tab.abandon()
    if end is None:
        return
    with end:
        end.setblocking(False)
        await traffic.until(
            lambda: len(tab.view.answers) > answered and tab.is_up_to_date,
            "a tab that left its socket is back",
        )
        _take_all(end)
        heard = 0
        events = tab.view.events_taken
        while tab.view.events_taken < events + 3 and tab.sockets == sockets + 1:
            await asyncio.sleep(0.02)
            heard += _take_all(end)
        row.happened(HALF_OPEN, heard > 0)


def _take_all(end: Socket) -> int:
    """How many bytes had come on it. Raises `AssertionError` when the gateway has hung up."""
    count = 0
    try:
        while piece := end.recv(PIECE):
            count += len(piece)
    except BlockingIOError:
        return count
    raise AssertionError("the gateway has noticed that nobody is there")
