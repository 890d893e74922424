"""Frames made by chance: each seed makes the same ones again."""

import json
from collections import Counter
from random import Random
from uuid import UUID

from tests.abuse.attacks.messages import a_message
from tests.abuse.peer import BINARY, CLOSE, PING, TEXT, Cut, frame
from tests.abuse.sockets import hear
from tests.abuse.target import Tally, Target, address_of, many

A_SOCKET = 50
"""Frames that one socket is sent: fewer than the refusals that close it."""
STRANGE: tuple[object, ...] = (
    None, True, False, 0, -1, 2**64, 1e308, "", " ", "\x00", "\ud800", "x" * 40_000, [0], {"": 0},
    {"type": "message"}, "message", "cancel", "assistant", "*", "../..", "😀", "null", "1-1",
)  # fmt: skip
FIELDS = ("type", "session_id", "content", "message_id", "turn_id", "id", "__proto__", "")


def mutate(session: str, random: Random) -> bytes:
    """The text of a client's frame with something wrong, most often."""
    fields: dict[str, object] = {
        "type": random.choice(("message", "cancel")),
        "session_id": session,
        "content": "fuzz",
        "message_id": str(UUID(int=random.getrandbits(128))),
        "turn_id": str(UUID(int=random.getrandbits(128))),
    }
    for _ in range(random.randrange(3)):
        fields[random.choice(FIELDS)] = random.choice(STRANGE)
    if random.random() < 0.3:
        fields.pop(random.choice(list(fields)))
    data = bytearray(json.dumps(fields).encode())
    for _ in range(random.choice((0, 0, 0, 1, 1, 2, 8))):
        place = random.randrange(len(data) + 1)
        kind = random.randrange(4)
        if kind == 0:
            data[place:place] = bytes([random.randrange(128)])
        elif kind == 1:
            del data[place : place + random.randrange(1, 20)]
        elif kind == 2:
            data[place : place + 1] = random.choice((b'"', b"{", b"}", b"\\", b"\\u", b"1e999"))
        else:
            data[place:place] = data[: random.randrange(30)]
    return bytes(data)


async def mutate_texts(target: Target, times: int) -> Tally:
    """Texts that were a message or a stop, with fields and characters changed. Each is refused or
    accepted, and the socket stays."""

    async def one(number: int) -> Tally:
        random = target.random(f"texts {number}")
        session = f"fuzz-{number}"
        peer, answer = await target.open(session, address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        frames = bytearray()
        for _ in range(A_SOCKET):
            data = mutate(session, random)
            frames += frame(BINARY if random.random() < 0.05 else TEXT, data)
        # Frames are worked off in order: when the last one is shown, all before it have been.
        end = str(UUID(int=number))
        await peer.push(bytes(frames) + a_message(session, end))
        tally = await hear(peer, ending_with=end, mine=None)
        peer.drop()
        return tally

    return await many(times // A_SOCKET, 10, one)


async def mutate_bytes(target: Target, times: int) -> Tally:
    """Sound frames of every kind with bytes and bits changed where they say what they are. A socket
    is closed by a code, or all that came is answered."""

    async def one(number: int) -> Tally:
        random = target.random(f"bytes {number}")
        session = f"fuzz-{number}"
        peer, answer = await target.open(session, address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        frames = bytearray()
        for _ in range(10):
            kind = random.choice((TEXT, TEXT, BINARY, PING))
            frames += frame(kind, mutate(session, random)[:100], fin=random.random() > 0.1)
        for _ in range(random.randrange(1, 6)):
            place = random.randrange(len(frames))
            frames[place] ^= 1 << random.randrange(8)
        try:
            # The end is the peer's, so that a frame which was made longer is not waited for.
            await peer.push(bytes(frames) + frame(CLOSE, b"\x03\xe8"))
            peer.writer.write_eof()
        except (Cut, OSError):
            pass
        tally = await hear(peer)
        peer.drop()
        ends = [label for label in tally if label.startswith(("close", "cut"))]
        return Counter({"accepted and answered" if not ends else ends[0]: 1})

    return await many(times, 20, one)
