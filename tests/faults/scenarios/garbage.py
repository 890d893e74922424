"""What a stranger who may publish on our channels could send there."""

import json
from collections.abc import Iterator
from random import Random

from tests.faults.view import Place

FORGED = "forged"
"""The type of a forged event: nobody of ours ever makes one."""
HUGE_BYTES = 300_000
FAR = 1_000_000


def forge(session_id: str, position: str, **fields: object) -> str:
    """A text as ours look, with this position."""
    front = {"id": position, "type": FORGED, "session_id": session_id}
    return json.dumps(front | fields, separators=(",", ":"))


def garbage(session_id: str, cursor: Place, random: Random) -> Iterator[bytes]:
    """Texts of every bad kind for the session's channel, `cursor` being a place in its log. None
    has a position that comes next."""
    epoch, seq = cursor
    ahead, behind = f"{epoch}-{seq + FAR}", f"{epoch}-0"
    yield b""
    yield random.randbytes(random.randint(1, 200))
    yield b"not JSON"
    yield b"{}"
    yield b"[" * 10_000
    yield b"x" * HUGE_BYTES
    yield forge("another-session", ahead).encode()
    yield forge(session_id, ahead).encode()
    yield forge(session_id, behind).encode()
    yield forge(session_id, f"{epoch + 1}-1").encode()
    yield forge(session_id, f"{epoch - 1}-{FAR}").encode()
    yield forge(session_id, "-1-1").encode()
    yield forge(session_id, "9" * 40 + "-1").encode()
    yield forge(session_id, behind, content="x" * HUGE_BYTES).encode()
    yield forge(session_id, behind, content="\udcff").encode("utf-8", "surrogatepass")
    yield forge(session_id, f"{epoch}-{seq + 1}").encode()[:-1]
    yield forge(session_id, ahead).encode()[:-1] + b',"content":[[[{"a":}'
    nested = b',"content":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}"
    yield forge(session_id, ahead).encode()[:-1] + nested
    without_id = {"type": "turn_finished", "session_id": session_id, "status": "completed"}
    yield json.dumps(without_id).encode()


FORGE_THE_NEXT = """
local place = redis.call('HMGET', KEYS[2], 'epoch', 'head')
local text = '{"id":"' .. place[1] .. '-' .. string.format('%.0f', place[2] + 1) .. ARGV[1]
return redis.call('PUBLISH', KEYS[1], text)
"""
"""Publishes on a session's channel, at the position that the next true event will have."""


def rest_of_next(session_id: str) -> str:
    """What `FORGE_THE_NEXT` takes: a text that is forged but for its position."""
    return forge(session_id, "")[len('{"id":"') :]
