"""The URL of a Redis Cluster."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from shared.servers_url import Address, parse_servers_url

CLUSTER_SCHEMES = ("redis+cluster://", "rediss+cluster://")
NODE_PORT = 6379
TLS_OPTIONS = frozenset(
    {"ssl_ca_certs", "ssl_cert_reqs", "ssl_certfile", "ssl_check_hostname", "ssl_keyfile"}
)
"""What a `rediss+cluster://` URL may have after a `?`, as a `rediss://` one has it."""


@dataclass(frozen=True)
class ClusterUrl:
    """What `redis+cluster://[user:password@]host[:port][,host[:port]...]` says; `rediss+cluster://`
    is the same over TLS. The hosts are those that are asked first for all the others."""

    nodes: tuple[Address, ...]
    is_tls: bool = False
    options: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_cluster_url(url: str) -> ClusterUrl:
    """The parts of the URL. Raises `ValueError` with a sentence that holds no secret."""
    is_tls = url.startswith(CLUSTER_SCHEMES[1])
    parts = parse_servers_url(url, kind="node", default_port=NODE_PORT)
    if parts.path not in ("", "0"):
        raise ValueError("REDIS_URL: a cluster has no database but 0")
    allowed = TLS_OPTIONS if is_tls else frozenset[str]()
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if name not in allowed:
            raise ValueError(f"REDIS_URL: a cluster's URL has no option {name!r}")
    return ClusterUrl(parts.addresses, is_tls, parts.query, parts.username, parts.password)
