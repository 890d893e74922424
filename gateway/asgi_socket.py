"""A tab's socket over plain ASGI, for a server that does not hand out its transport: the
fallback."""

from starlette.websockets import WebSocket

from gateway.queued_socket import QueuedSocket
from gateway.socket_bounds import SocketBounds


class AsgiSocket(QueuedSocket):
    """The `TabSocket` over ASGI messages."""

    def __init__(self, websocket: WebSocket, bounds: SocketBounds) -> None:
        super().__init__(bounds)
        self._websocket = websocket

    async def send_text(self, text: bytes) -> None:
        await self._websocket.send_text(text.decode())

    async def send_close(self, code: int, reason: str) -> None:
        await self._websocket.close(code, reason)
