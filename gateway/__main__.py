"""`python -m gateway [--workers N]`: one gateway against `REDIS_URL`, or N at the same port."""

import argparse
import asyncio
import math
import resource
import signal
import sys
from collections.abc import Collection
from contextlib import suppress
from functools import partial
from types import FrameType

import uvicorn

from gateway.app import build_app
from gateway.bounded_http import bounded_http
from gateway.doors import Door, open_doors
from gateway.drain import Drain
from gateway.metrics import Metrics
from gateway.settings import GatewaySettings
from gateway.wire import WireProtocol
from gateway.workers import Beat, Workers
from shared.logs import configure_logging
from shared.metrics_port import serve_metrics
from shared.settings import read_env_file

MOST_WORKERS = 256
MOST_PORTS = 65_535


class Server(uvicorn.Server):
    """uvicorn, but on the first signal the tabs are drained before it closes anything: its own
    shutdown closes every socket at once and before the application is told."""

    drain: Drain
    metrics: Metrics
    cut_by: Collection[int] = (signal.SIGINT, signal.SIGTERM)
    """The signals that, once it drains, cut that short."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is None:
            loop = asyncio.get_event_loop()
            self._draining = loop.create_task(self._drain_then_exit(sig, frame))
        elif sig in self.cut_by:
            super().handle_exit(sig, frame)

    _draining: asyncio.Task[None] | None = None

    async def _drain_then_exit(self, sig: int, frame: FrameType | None) -> None:
        try:
            await self.drain.run()
        finally:
            super().handle_exit(sig, frame)


def build_server(settings: GatewaySettings) -> Server:
    """A gateway that serves when it is run. Exits with a sentence where the settings are wrong."""
    try:
        app = build_app(settings)
    except ValueError as error:
        sys.exit(f"settings: {error}")
    metrics: Metrics = app.state.metrics
    server = Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            http=bounded_http(settings, metrics),
            ws=WireProtocol,
            forwarded_allow_ips=settings.trusted_proxies,
            ws_max_size=settings.max_frame_bytes,
            ws_per_message_deflate=False,
            # Heartbeats keep a silent connection alive; a ping finds the peer that only ever takes.
            ws_ping_interval=settings.stall_seconds / 2,
            ws_ping_timeout=settings.stall_seconds,
            # By then every socket that does not answer its close has been cut.
            timeout_graceful_shutdown=math.ceil(settings.close_seconds) + 1,
        )
    )
    server.drain = app.state.drain
    server.metrics = metrics
    return server


def run(settings: GatewaySettings, server: Server, door: Door | None = None) -> None:
    """Serve at `door`, or where the settings say, until a signal; SIGTERM then ends the process."""
    port = serve_metrics(server.metrics.registry, settings.metrics_host, settings.metrics_port)
    with port, suppress(KeyboardInterrupt):  # uvicorn hands the signal on when it has drained
        server.run(None if door is None else door.sockets)


def serve_at(settings: GatewaySettings, number: int, door: Door, beat: Beat) -> None:
    """Serve as one of several. At the common port a scrape would reach one of them by chance: each
    has its own port for metrics, the next after that of the one before it."""
    if settings.metrics_port:
        settings = settings.model_copy(update={"metrics_port": settings.metrics_port + number})
    server = build_server(settings)
    # A process manager may send SIGTERM to the parent, which passes it on, and to its children.
    server.cut_by = (signal.SIGINT,)

    async def tell_parent() -> None:
        if not beat():
            server.handle_exit(signal.SIGTERM, None)

    server.config.callback_notify = tell_parent
    server.config.timeout_notify = 0
    run(settings, server, door)


def main() -> None:
    """Serve until told to stop."""
    workers = _parse_workers()
    _allow_many_sockets()
    read_env_file()
    try:
        settings = GatewaySettings()
        configure_logging(settings.log_level, settings.log_format)
    except ValueError as error:
        sys.exit(f"settings: {error}")
    if workers == 1:
        run(settings, build_server(settings))
        return
    if settings.metrics_port + workers - 1 > MOST_PORTS:
        sys.exit(f"settings: METRICS_PORT: {workers} processes would need ports above {MOST_PORTS}")
    try:
        doors = open_doors(settings.host, settings.port, workers)
    except OSError as error:
        sys.exit(f"cannot listen on {settings.host}, port {settings.port}: {error.strerror}")
    sys.exit(Workers(doors, partial(serve_at, settings)).run())


def _allow_many_sockets() -> None:
    """Every tab is an open file. What a process may have without asking is often 1,024, kept so low
    for programs that use `select`; none of ours does."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:  # which some systems show, and do not take
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _parse_workers() -> int:
    parser = argparse.ArgumentParser("python -m gateway", description="Serve tabs.")
    parser.add_argument(
        "--workers",
        type=_worker_count,
        default=1,
        metavar="N",
        help="processes that share the port, for more than one core (1)",
    )
    return parser.parse_args().workers


def _worker_count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_WORKERS}")
    return int(text)


if __name__ == "__main__":
    main()
