"""A process' metrics at a port of its own, for Prometheus.

They are read in a thread: what a registry looks at when it is scraped must be safe to look at from
there. Whoever reaches the port may read them; no token is asked for.
"""

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, start_http_server


@contextmanager
def serve_metrics(registry: CollectorRegistry, host: str, port: int) -> Generator[None, None, None]:
    """Serve `registry` while the block runs, at any path; with port 0 nowhere. Raises `SystemExit`,
    with a sentence, where somebody else has the port."""
    if port == 0:
        yield
        return
    try:
        server, thread = start_http_server(port, host, registry)
    except OSError as error:
        sentence = f"cannot serve metrics on {host}, port {port}: {error.strerror}"
        raise SystemExit(sentence) from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
