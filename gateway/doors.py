"""Where several processes accept connections from one port.

Each has listening sockets of its own, and the kernel spreads connections over them by a hash of
their addresses: evenly, where processes that accept from one common socket come by very unequal
shares. (Linux spreads like this; elsewhere one process may be given every connection.)
"""

import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """What one process accepts from: a socket for each address that the host's name stands for."""

    sockets: list[socket.socket]

    def close(self) -> None:
        """As far as this process is concerned. When the last that has it open closes it, those who
        wait before it are refused."""
        for sock in self.sockets:
            sock.close()


def open_doors(host: str, port: int, count: int) -> list[Door]:
    """`count` doors at a port where nobody else listens. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = dict.fromkeys((family, address) for family, _, _, _, address in found)
    for family, address in addresses:
        # Sockets that share their port would share it with another deployment's too.
        _bind(family, address, shared=False).close()
    return [
        Door([_bind(family, address, shared=True) for family, address in addresses])
        for _ in range(count)
    ]


def _bind(family: int, address: tuple[object, ...], *, shared: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, True)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
