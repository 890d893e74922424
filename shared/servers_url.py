"""A URL that names several servers of one kind: `SCHEME://[user:password@]host[:port][,...][/...]`.

What stands after the hosts is left to the scheme: `shared/sentinel.py`, `shared/cluster.py`.
"""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

Address = tuple[str, int]


@dataclass(frozen=True)
class ServersUrl:
    """The parts of such a URL. User and password are Redis' own."""

    addresses: tuple[Address, ...]
    path: str
    query: str
    username: str | None
    password: str | None = field(repr=False)


def parse_servers_url(url: str, *, kind: str, default_port: int) -> ServersUrl:
    """The parts of the URL; `kind` is what a server is called there. Raises `ValueError` with a
    sentence that holds no secret."""
    try:
        parts = urlsplit(url)
    except ValueError:  # whose text may hold the password
        raise ValueError("REDIS_URL: not a URL") from None
    if parts.fragment:
        raise ValueError("REDIS_URL: nothing may stand after a #")
    login, _, hosts = parts.netloc.rpartition("@")
    username, has_password, password = login.partition(":")
    return ServersUrl(
        addresses=tuple(_parse_address(host, kind, default_port) for host in hosts.split(",")),
        path=unquote(parts.path.strip("/")),
        query=parts.query,
        username=unquote(username) or None,
        password=unquote(password) if has_password else None,
    )


def _parse_address(text: str, kind: str, default_port: int) -> Address:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"REDIS_URL: a {kind}'s port is no number below 65536") from None
    if not host:
        raise ValueError(f"REDIS_URL: a {kind} without a host")
    return host, default_port if port is None else port
