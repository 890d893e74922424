"""A model server that keeps a pace, as a process of its own: chat completions, a token a chunk.

`python -m benchmarks.paced_model PORT` serves until it is ended. The last user message says what is
answered (`Answer`), so nothing has to be scripted beforehand. A token's text is the moment at which
it was due to be written, in ns of the machine's monotonic clock: whoever gets it knows how long it
took, and a model server that lags behind its own schedule does not flatter what comes after it.

It parses no more of HTTP than its one client needs, and writes prepared bytes: it has to serve
thousands of tokens a second beside the system that is measured.
"""

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from random import random
from time import monotonic_ns
from typing import Any, cast

import uvloop

HEAD_END = b"\r\n\r\n"
RESPONSE_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
)
LAST_CHUNK = b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """What a benchmark's user message asks for: so many tokens, so many a second."""

    tokens: int
    per_second: float

    def question(self) -> str:
        """The user message that asks for this."""
        return json.dumps(asdict(self))


def parse_answer(question: str) -> Answer:
    """The inverse of `Answer.question`."""
    return Answer(**json.loads(question))


def token_at(moment_ns: int) -> str:
    """The text of a token that is told at this moment."""
    return f"{moment_ns} "


class PacedModel(asyncio.Protocol):
    """One connection of the client's pool: one answer at a time."""

    def __init__(self) -> None:
        self._unread = b""
        self._transport: asyncio.Transport | None = None
        self._next: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._next is not None:
            self._next.cancel()

    def data_received(self, data: bytes) -> None:
        self._unread += data
        head, end, rest = self._unread.partition(HEAD_END)
        if end and len(rest) >= (length := _content_length(head)):
            self._unread = rest[length:]
            self._begin(json.loads(rest[:length]))

    def _begin(self, body: dict[str, Any]) -> None:
        answer = parse_answer(_last_user_message(body["messages"]))
        self._write(RESPONSE_HEAD + _chunk({"role": "assistant", "content": ""}))
        self._pace_ns = round(1e9 / answer.per_second)
        self._left = answer.tokens
        # Questions may be put in step with the pace; their answers are not to come all at once.
        self._due_ns = monotonic_ns() + round(self._pace_ns * (1 + random()))
        self._wait()

    def _wait(self) -> None:
        seconds = max(self._due_ns - monotonic_ns(), 0) / 1e9
        self._next = asyncio.get_running_loop().call_later(seconds, self._tell)

    def _tell(self) -> None:
        if self._left == 0:
            self._write(_chunk({}, "stop") + _USAGE + _framed(b"data: [DONE]\n\n") + LAST_CHUNK)
            return
        self._write(_token_chunk(self._due_ns))
        self._left -= 1
        self._due_ns += self._pace_ns
        self._wait()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _last_user_message(messages: list[dict[str, Any]]) -> str:
    return [str(message["content"]) for message in messages if message["role"] == "user"][-1]


def _framed(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def _data(fields: dict[str, Any]) -> bytes:
    """One chunk with the fields that OpenAI's have."""
    common = {
        "id": "chatcmpl-CfTW8bVQaG7dE1pQ0mXhYk2sRn4uL",
        "object": "chat.completion.chunk",
        "created": 1_764_115_200,
        "model": "paced",
        "service_tier": "default",
        "system_fingerprint": "fp_7f8eb7d1f9",
    }
    return b"data: %s\n\n" % json.dumps(common | fields, separators=(",", ":")).encode()


def _chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _framed(_data({"choices": [choice], "usage": None}))


_USAGE = _framed(
    _data(
        {
            "choices": [],
            "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
        }
    )
)
_NO_MOMENT = "MOMENT"
_TOKEN = _chunk({"content": _NO_MOMENT}).partition(b"\r\n")[2].partition(_NO_MOMENT.encode())


def _token_chunk(moment_ns: int) -> bytes:
    data = _TOKEN[0] + token_at(moment_ns).encode() + _TOKEN[2]
    return b"%x\r\n%s" % (len(data) - 2, data)


async def serve(port: int) -> None:
    """Serve on `port` of loopback, until cancelled."""
    server = await asyncio.get_running_loop().create_server(PacedModel, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve until ended."""
    uvloop.run(serve(int(sys.argv[1])))


if __name__ == "__main__":
    main()
