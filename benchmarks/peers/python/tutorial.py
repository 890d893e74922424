"""The gateway of the tutorials: FastAPI, and for each socket a redis-py pub/sub of its own.

The shape of FastAPI's documentation on WebSockets joined with the asyncio pub/sub examples of
redis-py's, as countless articles do it: subscribe, `listen()`, `send_text`.
"""

# As the articles have it: their readers do not check the types of what Redis sends.
# pyright: basic

import asyncio
import os

from fastapi import FastAPI, WebSocket
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

MAX_CONNECTIONS = 20_000
"""Each socket holds a connection to Redis; the pool's own default ends at the hundredth."""

app = FastAPI()
redis = Redis.from_url(
    os.environ["REDIS_URL"], decode_responses=True, max_connections=MAX_CONNECTIONS
)


@app.websocket("/ws")
async def follow_session(websocket: WebSocket, session_id: str) -> None:
    """Send what is published for the session, until the client goes."""
    await websocket.accept()
    async with redis.pubsub() as pubsub:
        await pubsub.subscribe(f"session:{{{session_id}}}")
        sending = asyncio.create_task(send_messages(pubsub, websocket))
        try:
            async for _ in websocket.iter_text():
                pass
        finally:
            sending.cancel()


async def send_messages(pubsub: PubSub, websocket: WebSocket) -> None:
    """One message from Redis is one message to the socket."""
    async for message in pubsub.listen():
        if message["type"] == "message":
            await websocket.send_text(message["data"])
