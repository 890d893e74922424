"""Floods of the edge that needs no WebSocket: messages that are posted, and streams of events."""

import json
from uuid import UUID

from tests.abuse.peer import Peer, request
from tests.abuse.target import Tally, Target, Who, address_of, came_from, many

ONE_ADDRESS = "10.66.0.3"


async def post_to_a_session(target: Target, times: int) -> Tally:
    """Valid messages to one session, from many addresses."""
    return await _post(target, times, lambda number: ("posted", address_of(number)))


async def post_from_an_address(target: Target, times: int) -> Tally:
    """Valid messages to many sessions, from one address."""
    return await _post(target, times, lambda number: (f"posted-{number}", ONE_ADDRESS))


async def _post(target: Target, times: int, who: Who) -> Tally:
    async def one(number: int) -> str:
        session, address = who(number)
        fields = {"content": "flood", "message_id": str(UUID(int=2**66 + number))}
        path = f"/sessions/{session}/messages".encode()
        told = (target.bearer(sessions=session), came_from(address))
        answer = await target.ask(request(b"POST", path, told, json.dumps(fields).encode()))
        return f"{answer.status}"

    return await many(times, 50, one)


async def crowd_streams(target: Target, times: int) -> Tally:
    """Streams of many sessions from one address, all open until the last has been answered."""
    inside: list[Peer] = []

    async def one(number: int) -> str:
        session = f"streamed-{number}"
        peer = await target.connect()
        inside.append(peer)
        told = (target.bearer(sessions=session), came_from(ONE_ADDRESS))
        peer.say(request(b"GET", f"/sessions/{session}/events".encode(), told))
        return f"{(await peer.answer()).status}"

    tally = await many(times, 50, one)
    for peer in inside:
        peer.drop()
    return tally
