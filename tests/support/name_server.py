"""A name server as Docker's: it answers a service's name with the addresses of its containers, as
they are at that moment.
"""

import asyncio
import struct
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

HEADER = struct.Struct("!6H")
"""Id, flags; how many questions, answers, authorities, additions (RFC 1035, section 4.1.1)."""
RESPONSE = 0x8180
NO_SUCH_NAME = 3
A_RECORD = struct.Struct("!HHHIH4s")
SAME_NAME = 0xC00C
"""The name at offset 12, where the question has it."""
A, INTERNET = 1, 1
TTL_SECONDS = 600
"""As Docker says; who believes it does not see containers come and go."""

Addresses = Callable[[str], Sequence[str]]
"""The addresses of a name; none: there is no such name."""


class NameServer(asyncio.DatagramProtocol):
    """Answers questions for A records."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        self._transport.sendto(answer(data, self._addresses), addr)


def answer(query: bytes, addresses: Addresses) -> bytes:
    """The response to a query with one question. Pure but for `addresses`."""
    number = HEADER.unpack_from(query)[0]
    labels: list[str] = []
    place = HEADER.size
    while length := query[place]:
        labels.append(query[place + 1 : place + 1 + length].decode())
        place += 1 + length
    question = query[HEADER.size : place + 5]
    found = addresses(".".join(labels))
    flags = RESPONSE if found else RESPONSE | NO_SUCH_NAME
    records = [
        A_RECORD.pack(SAME_NAME, A, INTERNET, TTL_SECONDS, 4, IPv4Address(address).packed)
        for address in found
    ]
    return HEADER.pack(number, flags, 1, len(records), 0, 0) + question + b"".join(records)


@asynccontextmanager
async def name_server(addresses: Addresses) -> AsyncGenerator[int, None]:
    """A name server on loopback for the block; its port."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(
        lambda: NameServer(addresses), local_addr=("127.0.0.1", 0)
    )
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()
