"""A Redis that answers nobody, and whose connections stay open."""

import signal
from collections.abc import Generator
from contextlib import contextmanager

from dev.embedded_redis import EmbeddedRedis


@contextmanager
def frozen(server: EmbeddedRedis) -> Generator[None]:
    """The server is frozen while the block runs."""
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)
