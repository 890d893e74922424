"""Floods of connections, and connections that take their time."""

import asyncio
from collections import Counter
from collections.abc import Callable

from tests.abuse.peer import CLOSE, Cut, Headers, Peer, frame, request, upgrade
from tests.abuse.sockets import push_until_cut
from tests.abuse.target import Tally, Target, Who, address_of, came_from, judged, many

AT_ONCE = 200
ONE_ADDRESS = "10.66.0.1"


async def say_nothing(target: Target, times: int) -> Tally:
    """From one address, all open at once, and silent."""
    return await _say_nothing(target, times, lambda number: "127.0.66.1")


async def say_nothing_everywhere(target: Target, times: int) -> Tally:
    """The same from a thousand addresses."""
    return await _say_nothing(
        target, times, lambda number: f"127.0.{100 + number % 4}.{1 + number % 250}"
    )


async def _say_nothing(target: Target, times: int, source_of: Callable[[int], str]) -> Tally:
    async def one(number: int) -> str:
        peer = await target.connect(source=source_of(number))
        await peer.until_cut()
        return "cut"

    return await many(times, times, one)


async def say_it_slowly(target: Target, times: int) -> Tally:
    """A handshake, a byte at a time, all at once."""
    pause = target.request_seconds / 10
    words = upgrade(f"session_id={target.victim}".encode())

    async def one(number: int) -> str:
        peer = await target.connect()
        cut = asyncio.create_task(peer.until_cut())
        for place in range(len(words)):
            if cut.done():
                break
            peer.say(words[place : place + 1])
            await asyncio.wait({cut}, timeout=pause)
        await cut
        return "cut"

    return await many(times, times, one)


async def say_half(target: Target, times: int) -> Tally:
    """Heads without their end, and bodies of which a piece never comes; chunked and not."""
    halves = (
        upgrade(b"session_id=a")[:-2],
        b"POST /tickets HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{",
        b"POST /tickets HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        b"POST /patient HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n",
    )

    async def one(number: int) -> str:
        peer = await target.connect()
        peer.say(halves[number % len(halves)])
        await peer.until_cut()
        return "cut"

    return await many(times, times, one)


async def come_and_go(target: Target, times: int) -> Tally:
    """Tabs that are opened and dropped at once, some before their answer."""

    async def one(number: int) -> str:
        session = f"churn-{number % 500}"
        if number % 3 == 0:
            peer = await target.connect()
            headers = (target.bearer(sessions=session), came_from(address_of(number)))
            peer.say(upgrade(f"session_id={session}".encode(), headers))
            await asyncio.sleep(0)
            peer.drop()
            return "dropped before its answer"
        peer, answer = await target.open(session, address_of(number))
        if number % 3 == 1:
            peer.say(frame(CLOSE, b"\x03\xe8"))
            await asyncio.sleep(0)
        peer.drop()
        return f"{answer.status}"

    return await many(times, AT_ONCE, one)


async def crowd_an_address(target: Target, times: int) -> Tally:
    """Tabs of many sessions from one address."""
    return await _crowd(target, times, lambda number: (f"crowd-{number}", ONE_ADDRESS))


async def crowd_a_session(target: Target, times: int) -> Tally:
    """Tabs of one session from many addresses."""
    return await _crowd(target, times, lambda number: ("crowded", address_of(number)))


async def crowd_the_gateway(target: Target, times: int) -> Tally:
    """Tabs of many sessions from many addresses."""
    return await _crowd(target, times, lambda number: (f"crowd-{number}", address_of(number)))


async def _crowd(target: Target, times: int, who: Who) -> Tally:
    """Open them, and keep all that were let in open until the last has been answered."""
    inside: list[Peer] = []

    async def one(number: int) -> str:
        session, address = who(number)
        peer, answer = await target.open(session, address)
        if answer.status == 101:
            inside.append(peer)
        else:
            peer.drop()
        return f"{answer.status}"

    tally = await many(times, 50, one)
    for peer in inside:
        peer.drop()
    return tally


HANDSHAKE_TOO_MUCH: tuple[Headers, ...] = (
    [(f"X-{number}".encode(), b"y") for number in range(200)],
    [(b"X-Long", b"y" * 9000)],
    [(b"X-High", b"\xff\xfe")],
    [(b"Sec-WebSocket-Version", b"12")],
    [(b"Sec-WebSocket-Key", b"again")],
    [(b"Content-Length", b"5")],
)


async def shake_hands_strangely(target: Target, times: int) -> Tally:
    """Handshakes that are whole, and that a WebSocket server does not take: too many headers, long
    lines, other versions, other methods. Each is answered, and none stays."""
    cases = [
        *(upgrade(b"session_id=strange", headers) for headers in HANDSHAKE_TOO_MUCH),
        upgrade(b"session_id=strange&x=" + b"y" * 9000),
        upgrade(b"session_id=strange").replace(b"GET", b"POST", 1),
        upgrade(b"session_id=strange").replace(b"GET", b"DELETE", 1),
        upgrade(b"session_id=strange").replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        upgrade(b"session_id=strange").replace(b"Sec-WebSocket-Key", b"Sec-WebSocket-Lock", 1),
        upgrade(b"session_id=strange").replace(b"/ws", b"/elsewhere", 1),
        upgrade(b"session_id=strange").replace(b"websocket", b"h2c", 1),
        upgrade(b"session_id=strange", host=b""),
    ]

    async def one(number: int) -> str:
        peer = await target.connect()
        peer.say(cases[number % len(cases)])
        answer = await peer.answer()
        peer.drop()
        return f"{answer.status}"

    return await many(times, AT_ONCE, one)


async def pipeline(target: Target, times: int) -> Tally:
    """Connections with five hundred requests in one breath."""
    breath = request(b"GET", b"/healthz") * 500

    async def one(number: int) -> Tally:
        peer = await target.connect()
        tally: Tally = Counter()
        peer.say(breath)
        try:
            for _ in range(500):
                tally[f"{(await peer.answer()).status}"] += 1
        except Cut:
            tally["cut"] += 1
        peer.drop()
        return tally

    return await many(times, 20, one)


async def bring_too_much(target: Target, times: int) -> Tally:
    """Heads and bodies that are too large, some without an end: told, untold, in one piece and in
    many."""
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(50_000))
    cookies = b"Cookie: " + b"; ".join(b"c%d=x" % n for n in range(20_000)) + b"\r\n\r\n"
    start = b"GET / HTTP/1.1\r\nHost: a\r\n"
    post = b"POST /tickets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    chunk = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    cases = (
        (start + lines + b"\r\n", b"", "431"),
        (start + lines[:60_000] + b": y\r\n\r\n", b"", "431"),
        (start + b"X: ", b"y" * 65536, "431"),
        (b"GET /", b"y" * 65536, "431"),
        (start + cookies, b"", "431"),
        (post + b"Content-Length: 104857600\r\n\r\n", b"x" * 65536, "413"),
        (post + b"Transfer-Encoding: chunked\r\n\r\n", chunk, "413"),
    )

    async def one(number: int) -> str:
        head, piece, due = cases[number % len(cases)]
        peer = await target.connect()
        told = asyncio.create_task(peer.until_cut())
        await push_until_cut(peer, head, 1)
        if piece:
            await push_until_cut(peer, piece, 1600)
        # Who is still talking when the connection is closed may not get the answer (TCP reset).
        heard = (await told)[9:12].decode("latin-1") or "cut"
        peer.drop()
        return judged(f"{head[:40]!r}", heard, {due, "cut"})

    return await many(times, 20, one)
