"""`python -m gateway`: one gateway against `REDIS_URL`."""

import asyncio
import sys
from types import FrameType

import uvicorn
from pydantic import ValidationError

from gateway.app import build_app
from gateway.close_codes import CLOSE_SECONDS
from gateway.drain import Drain
from gateway.settings import GatewaySettings
from gateway.wire import WireProtocol
from shared.logs import configure_logging
from shared.settings import read_env_file

LAST_SECONDS = CLOSE_SECONDS + 1
"""What sockets may still hold up after draining: by then every one has been cut."""


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
        await self.drain.run()
        super().handle_exit(sig, frame)


def main() -> None:
    """Serve until told to stop."""
    read_env_file()
    try:
        settings = GatewaySettings()
    except ValidationError as error:
        sys.exit(f"settings: {error}")
    configure_logging(settings.log_level)
    app = build_app(settings)
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
            timeout_graceful_shutdown=int(LAST_SECONDS),
        )
    )
    server.drain = app.state.drain
    server.run()


if __name__ == "__main__":
    main()
