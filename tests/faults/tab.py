"""One tab of the fault scenarios: a socket that is opened again and again, on one gateway or
another, and says again what has not been shown."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from socket import socket as Socket
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from tests.faults.row import Row
from tests.faults.view import View
from tests.support.front_proxy import SERVED_BY

DRAINING = 1012
OPEN_SECONDS = 5.0
SAY_AGAIN_SECONDS = 0.3
SILENT_HEARTBEATS = 2.0
FIRST_SILENCE_SECONDS = 10.0

PickUrl = Callable[[int], str]
"""Where the socket of this number (0, 1, 2 ...) of a tab is opened."""


@dataclass(frozen=True)
class Close:
    """A close frame that came from a gateway."""

    url: str
    code: int
    reason: str
    at: float
    after_status: str
    """What the last `connection` frame before it said."""


class Tab:
    """A tab of `session_id`; `run` keeps it open until it is cancelled.

    With `way_in`, a proxy's URL, all its sockets are opened there; the first one again until it is
    at the gateway that is picked, for scenarios go by that. The others are left to chance.
    """

    def __init__(
        self, session_id: str, pick_url: PickUrl, row: Row, random: Random, way_in: str = ""
    ) -> None:
        self.session_id = session_id
        self.view = View(session_id)
        self.errors: list[dict[str, Any]] = []
        """`error` frames about what this tab sent."""
        self.said: set[str] = set()
        """Ids of the messages that it has said."""
        self.sockets = 0
        self.url = ""
        """The gateway that its present or last socket is on."""
        self.open_seconds = OPEN_SECONDS
        """How long it waits for a socket."""
        self.closes: list[Close] = []
        self.on_frame: Callable[[dict[str, Any]], None] | None = None
        """Called with every frame as it comes."""
        self.is_away = False
        """While set, no socket is opened: the tab sleeps."""
        self._pick_url = pick_url
        self._way_in = way_in
        self._row = row
        self._random = random
        self._socket: ClientConnection | None = None
        self._disturbed_at: float | None = None
        self._unanswered: dict[str, str] = {}
        self._silence_seconds = FIRST_SILENCE_SECONDS
        self._resume_from: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it has a socket that was answered."""
        return self._socket is not None

    @property
    def is_up_to_date(self) -> bool:
        """Whether it has a socket and reached the head that it was told on it."""
        return self._socket is not None and self.view.is_caught_up

    def say(self, message_id: str, content: str) -> None:
        """Send a message, and again until its turn is over: on every new socket, and when a reset
        has shown that Redis has forgotten it."""
        fields = {"type": "message", "session_id": self.session_id, "message_id": message_id}
        self.said.add(message_id)
        self._unanswered[message_id] = json.dumps(fields | {"content": content})
        self._say_unshown()

    def take_back(self, message_id: str) -> None:
        """Do not say this again."""
        self._unanswered.pop(message_id, None)

    def waits_for(self, message_id: str) -> bool:
        """Whether it has said this and the end of its turn has not come here."""
        return message_id in self._unanswered

    def send(self, frame: dict[str, Any]) -> bool:
        """Send a frame once, if there is a socket; returns whether there was."""
        if self._socket is None:
            return False
        self._write(json.dumps({"session_id": self.session_id} | frame))
        return True

    def cut(self) -> bool:
        """Break the connection, as a network does; returns whether there was one."""
        if self._socket is None:
            return False
        self._socket.transport.abort()
        return True

    def abandon(self) -> Socket | None:
        """Leave the connection without a word: this tab opens another, and the gateway sees nothing
        of it until the returned end of the old one is closed. `None` if there was none."""
        if self._socket is None:
            return None
        end: Socket = self._socket.transport.get_extra_info("socket").dup()
        self.cut()  # closes one of two descriptors: on the wire nothing happens
        return end

    def come_back(self) -> None:
        """Open a socket again after having been away: what it takes is counted from here on."""
        self.is_away = False
        self._disturbed_at = asyncio.get_running_loop().time()

    def resume_from(self, last_event_id: str) -> None:
        """Name this cursor, whatever it is, when the next socket is opened."""
        self._resume_from = last_event_id

    async def run(self) -> None:
        """Be open until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            if self.is_away:
                await asyncio.sleep(0.02)
                continue
            again = self._disturbed_at is not None
            self._row.reconnects_tried += again
            wait = self._random.uniform(0.02, 0.15)
            cursor = self.view.last_event_id if self._resume_from is None else self._resume_from
            self._resume_from = None
            query = {"session_id": self.session_id}
            if cursor is not None:
                query["last_event_id"] = cursor
            self.url = picked = self._pick_url(self.sockets)
            url = f"{self._way_in or picked}?{urlencode(query)}"
            self.sockets += 1
            try:
                async with connect(
                    url,
                    compression=None,
                    max_size=None,
                    max_queue=1024,
                    open_timeout=self.open_seconds,
                    ping_interval=None,
                    close_timeout=1,
                    proxy=None,
                ) as socket:
                    self.url = _gateway_of(socket) or picked
                    if self.sockets == 1 and self.url != picked:
                        self.sockets = 0
                        continue
                    self.view.opened(cursor)
                    await self._read(socket, again)
            except ConnectionClosed as closed:
                if closed.rcvd is not None:
                    wait = self._take_close(closed.rcvd.code, closed.rcvd.reason) or wait
            except (OSError, TimeoutError, WebSocketException):
                pass  # nobody is there, or not for us: the next try may be elsewhere
            finally:
                self._socket = None
                self.view.is_caught_up = False
            if self._disturbed_at is None:
                self._disturbed_at = loop.time()
            await asyncio.sleep(wait)

    async def _read(self, socket: ClientConnection, again: bool) -> None:
        counted = not again
        while True:
            async with asyncio.timeout(self._silence_seconds):
                text = await socket.recv()
            frame = json.loads(text)
            self._row.events += "id" in frame
            if frame["type"] == "connection":
                self._socket = socket
                if not counted:
                    self._row.reconnects += 1
                    counted = True
                if frame.get("heartbeat_seconds"):
                    self._silence_seconds = SILENT_HEARTBEATS * frame["heartbeat_seconds"] + 1
            elif frame["type"] == "error" and "id" not in frame:
                self._take_error(frame)
            if self.on_frame is not None:
                self.on_frame(frame)
            was_caught_up = self.view.is_caught_up
            self.view.take(frame)
            if self.view.is_caught_up and not was_caught_up:
                self._is_up_to_date_again()
            elif was_caught_up and not self.view.is_caught_up and self._disturbed_at is None:
                self._disturbed_at = asyncio.get_running_loop().time()
            if frame["type"] == "turn_finished":
                self._unanswered.pop(frame["turn_id"], None)

    def _take_close(self, code: int, reason: str) -> float | None:
        """Remember it; returns the seconds that the gateway asks to wait."""
        now = asyncio.get_running_loop().time()
        self.closes.append(Close(self.url, code, reason, now, self.view.last_status))
        return int(reason) / 1000 if code == DRAINING and reason.isdecimal() else None

    def _is_up_to_date_again(self) -> None:
        if self._disturbed_at is not None:
            now = asyncio.get_running_loop().time()
            self._row.recoveries.append(now - self._disturbed_at)
            self._disturbed_at = None
        self._say_unshown()

    def _take_error(self, frame: dict[str, Any]) -> None:
        self.errors.append(frame)
        if frame.get("message_id") in self._unanswered and frame.get("retryable"):
            asyncio.get_running_loop().call_later(SAY_AGAIN_SECONDS, self._say_unshown)

    def _say_unshown(self) -> None:
        if self._socket is None or not self.view.is_caught_up:
            return  # said when it is up to date
        for message_id, text in self._unanswered.items():
            if not self.view.has("message", message_id):
                self._write(text)

    def _write(self, text: str) -> None:
        assert self._socket is not None
        writing = asyncio.ensure_future(self._socket.send(text))
        writing.add_done_callback(_forget)


def _gateway_of(socket: ClientConnection) -> str | None:
    """The gateway to which a proxy has given this socket."""
    return socket.response.headers.get(SERVED_BY) if socket.response else None


def _forget(writing: "asyncio.Future[None]") -> None:
    """A socket that has gone is found by its reader."""
    with suppress(ConnectionClosed, asyncio.CancelledError):
        writing.result()
