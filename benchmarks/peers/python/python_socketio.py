"""python-socketio's server with its Redis manager, as its documentation deploys it: an ASGI
application on uvicorn ("The Socket.IO Server", sections "Using a Message Queue" and "Deployment
Strategies"). Each tab joins the room of its session.
"""

# The package is in the peers' environment, and not in ours, where types are checked.
# pyright: basic, reportMissingImports=false

import os
from urllib.parse import parse_qs

import socketio

PONG_SECONDS = 600
"""How long a client may leave a ping unanswered. The load generator speaks no Engine.IO and answers
none; with the default of 20 s it would be cut after three quarters of a minute."""

manager = socketio.AsyncRedisManager(os.environ["REDIS_URL"])
server = socketio.AsyncServer(
    async_mode="asgi",
    client_manager=manager,
    transports=["websocket"],
    ping_timeout=PONG_SECONDS,
)
app = socketio.ASGIApp(server)


@server.event
async def connect(sid: str, environ: dict[str, str]) -> None:
    """Join the room of the session that the handshake names."""
    await server.enter_room(sid, parse_qs(environ["QUERY_STRING"])["session_id"][0])
