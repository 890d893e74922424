"""Floods over sockets that were let in: of messages, and of frames that are refused."""

from collections import Counter
from uuid import UUID

from tests.abuse.peer import (
    BINARY,
    TEXT,
    frame,
    text,
)
from tests.abuse.sockets import hear
from tests.abuse.target import SENT, Tally, Target, Who, address_of, many

A_SOCKET = 200
"""Frames that are sent in one breath."""
WITHIN_LIMITS = 10
"""Messages of one session: fewer than it may have unanswered, and may send in a minute."""
IN_A_ROW = 50
"""Valid messages that are sent in one breath: fewer than the refusals that close a socket."""


def a_message(session: str, message_id: str) -> bytes:
    """A message as a page sends it."""
    fields = {"type": "message", "session_id": session, "content": "flood"}
    return text(fields | {"message_id": message_id})


async def flood_a_session(target: Target, times: int) -> Tally:
    """Valid messages to one session, from many addresses, as fast as they are taken."""
    return await _flood(target, times, lambda number: ("flooded", address_of(number)))


async def flood_from_an_address(target: Target, times: int) -> Tally:
    """Valid messages to many sessions, from one address."""
    return await _flood(target, times, lambda number: (f"flooded-{number}", "10.66.0.2"))


async def _flood(target: Target, times: int, who: Who) -> Tally:
    async def one(number: int) -> Tally:
        session, address = who(number)
        peer, answer = await target.open(session, address)
        if answer.status != 101:
            peer.drop()
            return Counter({f"{answer.status}": 1})
        ids = [str(UUID(int=2**64 + number * IN_A_ROW + place)) for place in range(IN_A_ROW)]
        await peer.push(b"".join(a_message(session, message_id) for message_id in ids))
        tally = await hear(
            peer, lambda told: told["error too_many"] + told["message"] >= IN_A_ROW, mine=set(ids)
        )
        peer.drop()
        return tally

    return await many(times // IN_A_ROW, 4, one)


async def be_accepted(target: Target, times: int) -> Tally:
    """Messages within every limit, to many sessions from many addresses."""
    a_session = min(WITHIN_LIMITS, times)

    async def one(number: int) -> Tally:
        session = f"accepted-{number}"
        peer, answer = await target.open(session, address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        ids = [str(UUID(int=2**67 + number * WITHIN_LIMITS + place)) for place in range(a_session)]
        await peer.push(b"".join(a_message(session, message_id) for message_id in ids))
        tally = await hear(peer, lambda told: told["message"] >= a_session, mine=set(ids))
        peer.drop()
        return tally

    return await many(times // a_session, 10, one)


async def say_it_again(target: Target, times: int) -> Tally:
    """One message again and again: each frame is good, and after the first changes nothing. The
    one behind them that is refused shows that all were heard."""

    async def one(number: int) -> Tally:
        session, message_id = f"again-{number}", str(UUID(int=2**68 + number))
        peer, answer = await target.open(session, address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        await peer.push(a_message(session, message_id) * IN_A_ROW + frame(TEXT, b"{"))
        tally = await hear(peer, lambda told: bool(told["error bad_json"]), mine={message_id})
        peer.drop()
        return tally + Counter({SENT: IN_A_ROW})

    return await many(times // IN_A_ROW, 10, one)


def nonsense(session: str) -> dict[str, bytes]:
    """Frames that are refused, by the code of the refusal."""
    cancel = {"type": "cancel", "session_id": session, "turn_id": str(UUID(int=1))}
    return {
        "bad_json": frame(TEXT, b"{" * 20),
        "bad_frame": frame(BINARY, b"\x00\xff" * 20),
        "unknown_type": text({"type": "assistant", "session_id": session, "content": "forged"}),
        "wrong_session": text({"type": "message", "session_id": "other", "content": "x"}),
        "too_long": text({"type": "message", "session_id": session, "content": "x" * 40_000}),
        "unknown_turn": text(cancel),
    }


async def talk_nonsense(target: Target, times: int) -> Tally:
    """Frames that are refused, on and on, until the socket is closed."""

    async def one(number: int) -> Tally:
        session = f"nonsense-{number}"
        peer, answer = await target.open(session, address_of(number))
        if answer.status != 101:
            return Counter({f"{answer.status}": 1})
        frames = list(nonsense(session).values())
        await peer.push(frames[number % len(frames)] * A_SOCKET)
        # What is only too much does not close a socket: then every frame is answered.
        tally = await hear(peer, lambda told: told.total() >= A_SOCKET)
        peer.drop()
        return tally + Counter({SENT: A_SOCKET})

    return await many(times // A_SOCKET, 10, one)
