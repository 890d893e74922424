"""`python -m gateway`: one gateway against `REDIS_URL`."""

import asyncio
import math
import sys
from types import FrameType

import uvicorn

from gateway.app import build_app
from gateway.drain import Drain
from gateway.settings import GatewaySettings
from gateway.wire import WireProtocol
from shared.logs import configure_logging
from shared.settings import read_env_file


class Server(uvicorn.Server):
    """uvicorn, but on the first signal the tabs are drained before it closes anything: its own
    shutdown closes every socket at once and before the application is told."""

    drain: Drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._draining is None:
            loop = asyncio.get_event_loop()
            self._draining = loop.create_task(self._drain_then_exit(sig, frame))
        else:
            super().handle_exit(sig, frame)

    _draining: asyncio.Task[None] | None = None

    async def _drain_then_exit(self, sig: int, frame: FrameType | None) -> None:
        try:
            await self.drain.run()
        finally:
            super().handle_exit(sig, frame)


def main() -> None:
    """Serve until told to stop."""
    read_env_file()
    try:
        settings = GatewaySettings()
        configure_logging(settings.log_level)
        app = build_app(settings)
    except ValueError as error:
        sys.exit(f"settings: {error}")
    server = Server(
        uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            ws=WireProtocol,
            ws_max_size=settings.max_frame_bytes,
            ws_per_message_deflate=False,
            ws_ping_interval=settings.heartbeat_seconds,
            ws_ping_timeout=settings.stall_seconds,
            # By then every socket that does not answer its close has been cut.
            timeout_graceful_shutdown=math.ceil(settings.close_seconds) + 1,
        )
    )
    server.drain = app.state.drain
    server.run()


if __name__ == "__main__":
    main()
