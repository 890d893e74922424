"""What an open socket is told: counted by error code, close code, and what else comes."""

import asyncio
import json
import struct
from collections import Counter
from collections.abc import Callable, Collection

from tests.abuse.peer import CLOSE, PONG, TEXT, Cut, Peer
from tests.abuse.target import Tally


async def hear(
    peer: Peer,
    enough: Callable[[Tally], bool] = lambda tally: False,
    *,
    mine: Collection[str] | None = (),
    ending_with: str = "",
) -> Tally:
    """What comes until the socket is closed or cut, `enough` has come, or the message
    `ending_with` is shown: errors and closes by their codes, and messages, of which only those of
    `mine` count (`None`: all)."""
    tally: Tally = Counter()
    while not enough(tally):
        try:
            opcode, data = await peer.frame()
        except Cut:
            tally["cut"] += 1
            return tally
        except TimeoutError:
            tally["silence"] += 1
            return tally
        tally.update(_names(opcode, data, mine))
        is_last = ending_with and f'"message_id":"{ending_with}"'.encode() in data
        if opcode == CLOSE or is_last:
            return tally
    return tally


def _names(opcode: int, data: bytes, mine: Collection[str] | None) -> list[str]:
    """What a frame counts as; what is no answer counts as nothing."""
    if opcode == CLOSE:
        return [f"close {struct.unpack('!H', data[:2])[0]}" if data else "close"]
    if opcode == PONG:
        return ["pong"]
    if opcode != TEXT:
        return []
    fields = json.loads(data)
    if fields["type"] == "error" and "id" not in fields:
        return [f"error {fields['code']}"]
    is_message = fields["type"] == "message"
    return ["message"] if is_message and (mine is None or fields["message_id"] in mine) else []


def was_closed(tally: Tally) -> bool:
    """Whether the gateway has ended it."""
    return any(label.startswith("close") or label == "cut" for label in tally)


async def push_until_cut(peer: Peer, piece: bytes, times: int, pause: float = 0.0) -> int:
    """Push it again and again; how often it went."""
    for number in range(times):
        try:
            await peer.push(piece)
        except Cut:
            return number
        if pause:
            await asyncio.sleep(pause)
    return times
