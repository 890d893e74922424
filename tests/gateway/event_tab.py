"""A tab without a WebSocket, for the tests that are for both: what a `RawTab` reads comes as
Server-Sent Events, and what it says goes as requests.

It is read from a plain connection, so that what is not asked for is not read.
"""

import asyncio
import json
import socket as sockets
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlencode

import httpx2 as httpx
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.frames import Close
from websockets.http11 import Response

from tests.support.deployment import Process

CLOSE = "close"


class EventTab:
    """As much of a WebSocket's client as a `RawTab` needs."""

    def __init__(
        self,
        gateway: Process,
        session_id: str,
        headers: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self.transport = writer.transport
        self._place = f"{gateway.http}/sessions/{session_id}"
        self._session_id = session_id
        self._headers = headers
        self._reader = reader
        self._refusals: list[str] = []
        self._left = b""

    async def recv(self) -> str:
        """The next frame. Raises `ConnectionClosed`."""
        if self._refusals:
            return self._refusals.pop(0)
        fields = await self._next_event()
        if fields.get("event") == CLOSE:
            end = json.loads(fields["data"])
            raise ConnectionClosedError(Close(end["code"], end["reason"]), None)
        assert json.loads(fields["data"]).get("id") == fields.get("id")
        return fields["data"]

    async def send(self, text: str | bytes) -> None:
        """Say something; what it is refused with is a frame that comes, as on a socket."""
        said = json.loads(text)
        name = {"message": "messages", "cancel": "cancel"}[said["type"]]
        async with httpx.AsyncClient(headers=self._headers) as http:
            answer = await http.post(f"{self._place}/{name}", content=text)
        if answer.status_code != HTTPStatus.ACCEPTED:
            body = answer.json()
            refusal = {"type": "error", "session_id": self._session_id, "error": body["detail"]}
            retryable = "Retry-After" in answer.headers
            more = {"code": body["code"], "retryable": retryable}
            named = {name: said[name] for name in ("message_id", "turn_id") if name in said}
            self._refusals.append(json.dumps(refusal | more | named))

    async def _next_event(self) -> dict[str, str]:
        while b"\n\n" not in self._left:
            self._left += await self._next_chunk()
        event, _, self._left = self._left.partition(b"\n\n")
        return dict(line.split(": ", 1) for line in event.decode().split("\n"))

    async def _next_chunk(self) -> bytes:
        try:
            size = int(await self._reader.readuntil(b"\r\n"), 16)
            chunk = await self._reader.readexactly(size + 2)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise ConnectionClosedError(None, None) from error
        if size == 0:
            raise ConnectionClosedError(None, None)
        return chunk[:-2]


@asynccontextmanager
async def open_events(
    gateway: Process,
    session_id: str,
    last_event_id: str | None,
    headers: Mapping[str, str],
    sock: sockets.socket,
    limit: int,
) -> AsyncGenerator[EventTab, None]:
    """A stream whose head has been read. Raises `InvalidStatus` for one that is refused."""
    reader, writer = await asyncio.open_connection(sock=sock, limit=limit)
    try:
        path = f"/sessions/{session_id}/events"
        asked: dict[str, str] = {}
        if last_event_id is not None and last_event_id.isprintable():
            asked["Last-Event-ID"] = last_event_id
        elif last_event_id is not None:
            path += f"?{urlencode({'last_event_id': last_event_id})}"
        writer.write(_request(gateway, path, {**headers, **asked}))
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        status = int(head[0].split()[1])
        got = Headers([(name, value) for name, _, value in (x.partition(": ") for x in head[1:-2])])
        if status != HTTPStatus.OK:
            body = await reader.readexactly(int(got["content-length"]))
            raise InvalidStatus(Response(status, "", got, body))
        assert got["content-type"] == "text/event-stream; charset=utf-8"
        yield EventTab(gateway, session_id, headers, reader, writer)
    finally:
        writer.transport.abort()


def _request(gateway: Process, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{gateway.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()
