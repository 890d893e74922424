"""Floods of frames that are no messages: control frames, pieces, sizes; and forbidden ones."""

import asyncio
import struct
from collections import Counter
from contextlib import suppress

from tests.abuse.attacks.messages import nonsense
from tests.abuse.peer import CLOSE, CONTINUATION, PING, PONG, TEXT, Cut, Peer, frame
from tests.abuse.sockets import hear
from tests.abuse.target import SENT, Tally, Target, address_of, judged, many

BREATHS = 20
A_BREATH = 100
FRAME_BYTES = 1_048_576


async def flood_with(target: Target, times: int, breath: bytes, frames: int) -> Tally:
    """Sockets that each say a breath of so many `frames` again and again, twenty times, and then
    close; what they are told meanwhile. Who is made to wait gives up after a while."""

    async def one(number: int) -> Tally:
        peer, answer = await target.open(f"flood-{number}", address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        told = asyncio.create_task(hear(peer))
        sent = 0
        with suppress(Cut, TimeoutError):  # what it was told before says why
            async with asyncio.timeout(2 * target.request_seconds):
                for _ in range(BREATHS):
                    await peer.push(breath)
                    sent += frames
                await peer.push(frame(CLOSE, b"\x03\xe8"))
                await asyncio.wait({told})
        return await _give_up(told, peer) + Counter({SENT: sent})

    return await many(max(times // (BREATHS * frames), 1), 20, one)


async def _give_up(told: "asyncio.Task[Tally]", peer: Peer) -> Tally:
    """What was told until now; `held back` where not everything has been answered."""
    is_done = told.done()
    peer.drop()
    tally = await told
    if not is_done:
        del tally["cut"]
        tally["held back"] += 1
    return tally


async def ping(target: Target, times: int) -> Tally:
    """Ten thousand pings a socket, and as many pongs that nobody asked for."""
    breath = frame(PING, b"are you there?") * 500 + frame(PONG, b"here I am") * 500
    return await flood_with(target, times, breath, 1000)


async def send_tiny_pieces(target: Target, times: int) -> Tally:
    """Messages in pieces of a byte or of none, some without an end."""
    pieces = frame(CONTINUATION, b"x", fin=False) * 500 + frame(CONTINUATION, fin=False) * 500
    endless = await flood_with(target, times // 2, frame(TEXT, fin=False) + pieces, 1000)
    whole = frame(TEXT, b"{", fin=False) + pieces[:350] + frame(CONTINUATION, b"}")
    return endless + await flood_with(target, times // 20, whole, 52)


async def send_long_frames(target: Target, times: int) -> Tally:
    """Frames of exactly `MAX_FRAME_BYTES`, a breath of twenty each."""
    longest = frame(TEXT, b'"' + b"x" * (FRAME_BYTES - 2) + b'"')
    return await flood_with(target, times, longest, 1)


async def send_too_long_frames(target: Target, times: int) -> Tally:
    """Frames over the bound: told in their head, grown in pieces, and of 2^63 bytes."""
    heads = (
        struct.pack("!BBQ4x", 0x81, 0x80 | 127, FRAME_BYTES + 1),
        struct.pack("!BBQ4x", 0x81, 0x80 | 127, 2**62),
        frame(TEXT, b"x" * (FRAME_BYTES // 2), fin=False)
        + frame(CONTINUATION, b"x" * (FRAME_BYTES // 2 + 1)),
    )

    async def one(number: int) -> Tally:
        peer, answer = await target.open(f"long-{number}", address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        told = asyncio.create_task(hear(peer))
        with suppress(Cut):
            await peer.push(heads[number % len(heads)] + b"x" * 65536)
        tally = await told
        peer.drop()
        return tally

    return await many(times, 10, one)


BROKEN: dict[str, tuple[bytes, str]] = {
    "unmasked": (frame(TEXT, b"{}", masked=False), "close 1002"),
    "reserved bit 1 (compressed, without the extension)": (frame(TEXT, b"{}", rsv=4), "close 1002"),
    "reserved bit 2": (frame(TEXT, b"{}", rsv=2), "close 1002"),
    "reserved bit 3": (frame(TEXT, b"{}", rsv=1), "close 1002"),
    "reserved opcode 3": (frame(3, b"{}"), "close 1002"),
    "reserved opcode 11": (frame(11, b"{}"), "close 1002"),
    "reserved opcode 15": (frame(15, b"{}"), "close 1002"),
    "invalid UTF-8": (frame(TEXT, b"\xff\xfe{}"), "close 1007"),
    "half a character": (frame(TEXT, b'"\xe2\x82'), "close 1007"),
    "a surrogate in UTF-8": (frame(TEXT, b'"\xed\xa0\x80"'), "close 1007"),
    "a piece of no message": (frame(CONTINUATION, b"{}"), "close 1002"),
    "a message within a message": (
        frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), "close 1002",
    ),
    "a ping in pieces": (frame(PING, b"x", fin=False), "close 1002"),
    "a long ping": (frame(PING, b"x" * 126), "close 1002"),
    "a close of one byte": (frame(CLOSE, b"x"), "close 1002"),
    "a close with a code that is never sent": (frame(CLOSE, b"\x03\xed"), "close 1002"),
    "a close with a code below 1000": (frame(CLOSE, b"\x00\x01"), "close 1002"),
    "a close with a reason that is no text": (frame(CLOSE, b"\x03\xe8\xff\xff"), "close 1007"),
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "close 1002"),
}  # fmt: skip


async def break_the_protocol(target: Target, times: int) -> Tally:
    """Each thing that RFC 6455 forbids: closed with the code that it asks for."""
    names = list(BROKEN)

    async def one(number: int) -> str:
        name = names[number % len(names)]
        data, due = BROKEN[name]
        peer, answer = await target.open(f"broken-{number}", address_of(number))
        if answer.status != 101:
            return f"{answer.status}"
        peer.say(data)
        tally = await hear(peer)
        peer.drop()
        ends = [label for label in tally if label.startswith("close") or label == "cut"]
        return judged(name, " ".join(ends), {due})

    return await many(times, 50, one)


async def never_read(target: Target, times: int) -> Tally:
    """Peers that talk and take nothing: pings, frames that are refused, and messages. They push
    until they are cut."""
    session = "deaf"
    breaths = (
        frame(PING, b"x" * 125) * A_BREATH,
        nonsense(session)["bad_json"] * A_BREATH,
        nonsense(session)["unknown_turn"] * A_BREATH,
    )

    async def one(number: int) -> Tally:
        mine = f"{session}-{number}"
        peer, answer = await target.open(mine, address_of(number), receive_buffer=4096)
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        peer.writer.transport.pause_reading()  # pyright: ignore[reportAttributeAccessIssue]
        sent, is_cut = await _push(peer, breaths[number % 3], 4 * target.request_seconds)
        peer.drop()
        return Counter({"cut" if is_cut else "held back": 1, SENT: sent * A_BREATH})

    return await many(times, 20, one)


async def _push(peer: Peer, breath: bytes, seconds: float) -> tuple[int, bool]:
    """Push for a while; how often, and whether it was cut."""
    sent = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await peer.push(breath)
                sent += 1
    except Cut:
        return sent, True
    except TimeoutError:
        return sent, False
