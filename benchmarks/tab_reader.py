"""Tabs that take the time, as a process of its own: plain sockets, one a session.

`python -m benchmarks.tab_reader PORT` reads a line of JSON, the session ids, and says `{"open": N}`
when every tab has its first frame. With the next line it says what the tabs saw, and ends. The
texts are those of a paced model: a token is the moment at which it was told, so each tells how long
it was on its way.

Every event is judged: it must be at the next position, and a whole text its pieces together. Of one
that tells a call, its span's ids are kept, and the time by the machine's clock.
"""

import asyncio
import json
import os
import re
import sys
from dataclasses import dataclass, field
from time import monotonic_ns, time_ns
from typing import cast

import uvloop

UPGRADE = (
    "GET /ws?session_id={session} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HEAD_END = b"\r\n\r\n"
TWO_BYTES, EIGHT_BYTES = 126, 127
TOLD = re.compile(rb'^\{"id":"(\d+)-(\d+)","type":"assistant"')
CONTENT = re.compile(rb'"streaming":(true|false),"content":"([0-9 ]*)"\}$')
PLACE = re.compile(rb'^\{"id":"(\d+)-(\d+)"')
SPAN = b'"span_id":"'


@dataclass
class Watch:
    """What all tabs saw."""

    frames: int = 0
    lags_ns: list[int] = field(default_factory=lambda: [])
    """Of every token, in the order of arrival."""
    first_lags_ns: list[int] = field(default_factory=lambda: [])
    """Of the first token of every text."""
    out_of_place: int = 0
    wrong_texts: int = 0
    calls: list[tuple[str, str, str, int]] = field(default_factory=lambda: [])
    """Type, trace id, span id and time of arrival (Unix, in ns) of what tells a call."""


class Tab(asyncio.Protocol):
    """One tab."""

    def __init__(self, session: str, watch: Watch) -> None:
        self.has_begun = asyncio.Event()
        self._session = session
        self._watch = watch
        self._unread = bytearray()
        self._is_open = False
        self._place: tuple[int, int] | None = None
        self._pieces: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        request = UPGRADE.format(session=self._session).encode()
        cast(asyncio.Transport, transport).write(request)

    def data_received(self, data: bytes) -> None:
        now = monotonic_ns()
        self._unread += data
        if not self._is_open:
            head, end, rest = self._unread.partition(HEAD_END)
            if not end:
                return
            if not head.startswith(b"HTTP/1.1 101"):
                raise ConnectionError(head.decode())
            self._is_open, self._unread = True, rest
        while (text := self._take_frame()) is not None:
            self._judge(text, now)

    def _take_frame(self) -> bytes | None:
        unread = self._unread
        if len(unread) < 2:
            return None
        size, begin = unread[1], 2
        if size == TWO_BYTES:
            size, begin = int.from_bytes(unread[2:4], "big"), 4
        elif size == EIGHT_BYTES:
            size, begin = int.from_bytes(unread[2:10], "big"), 10
        if len(unread) < begin + size:
            return None
        text = bytes(unread[begin : begin + size])
        del unread[: begin + size]
        return text

    def _judge(self, text: bytes, now: int) -> None:
        self.has_begun.set()
        place = PLACE.match(text)
        if place is None:
            return  # no event
        self._watch.frames += 1
        said = CONTENT.search(text) if TOLD.match(text) else None
        tokens: list[bytes] = said[2].split() if said and said[1] == b"true" else []
        self._judge_place(int(place[1]), int(place[2]), max(len(tokens), 1))
        if SPAN in text:
            told = json.loads(text)
            call = (told["type"], told["trace_id"], told["span_id"], time_ns())
            self._watch.calls.append(call)
        if said is None:
            return
        if said[1] == b"true":
            lags = [now - int(moment) for moment in tokens]
            if not self._pieces:
                self._watch.first_lags_ns.append(lags[0])
            self._watch.lags_ns += lags
            self._pieces.append(said[2])
        else:
            self._watch.wrong_texts += said[2] != b"".join(self._pieces)
            self._pieces.clear()

    def _judge_place(self, epoch: int, seq: int, most: int) -> None:
        """Pieces that a page of the log has merged are `most` places at most: a token each."""
        last, self._place = self._place, (epoch, seq)
        if last is not None and not (epoch == last[0] and 1 <= seq - last[1] <= most):
            self._watch.out_of_place += 1


async def watch(port: int) -> None:
    """Open the tabs, and say what they saw when that is asked for."""
    loop = asyncio.get_running_loop()
    seen = Watch()
    tabs = [Tab(session, seen) for session in json.loads(sys.stdin.readline())]
    for tab in tabs:
        await loop.create_connection(lambda tab=tab: tab, "127.0.0.1", port)
        await tab.has_begun.wait()
    print(json.dumps({"open": len(tabs)}), flush=True)
    asked = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), asked.set)
    await asked.wait()
    print(json.dumps(vars(seen)), flush=True)
    os._exit(0)  # a thousand sockets need not be closed one by one


if __name__ == "__main__":
    uvloop.run(watch(int(sys.argv[1])))
