"""TLS to Redis: the connections of one client share what is dear to make.

A context reads all authorities that the system believes: thirty milliseconds, in which nothing else
runs in the process. redis-py makes one for each connection, and after an outage there are many.
"""

import ssl
import time
from typing import Any, cast

from redis.asyncio.connection import RedisSSLContext, SSLConnection

KEEP_SECONDS = 60.0
"""So long a context is used. Then its files are read anew: certificates are renewed."""


class KeptContext:
    """The context that some options describe."""

    def __init__(self, options: RedisSSLContext, keep_seconds: float = KEEP_SECONDS) -> None:
        self._options = options
        self._keep_seconds = keep_seconds
        self._made_at = float("-inf")

    def get(self) -> ssl.SSLContext:
        """The context, for a connection. Raises `OSError` where a file cannot be read."""
        if time.monotonic() - self._made_at >= self._keep_seconds:
            self._options.context = None
            self._options.get()
            self._made_at = time.monotonic()
        return cast(ssl.SSLContext, self._options.get())


class TlsConnection(SSLConnection):
    """A connection over TLS with a context that is shared."""

    def __init__(self, *, context: KeptContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context: Any = context


def share_context(pool: Any) -> KeptContext | None:
    """Have the pool's connections share one context; `None` where they are not over TLS. Raises
    `TypeError` and `RedisError` for options that no connection has."""
    connection = pool.make_connection()  # which connects to nothing yet
    if not isinstance(connection, SSLConnection):
        return None
    context = KeptContext(connection.ssl_context)
    pool.connection_class = TlsConnection
    pool.connection_kwargs["context"] = context
    return context
