"""What a worker costs without our guarantees: the same agent, run by a bare program.

`python -m benchmarks.plain_worker MODEL_URL REDIS_URL WRITES` reads a line of JSON (`Turns`), runs
them, and says `{}` when all have ended; then the next line. WRITES is `nothing`: the model's client
and the agent framework alone. Or it is `each`: as tutorials do, every piece of text is appended to
a stream and published in one awaited round trip, with an id of Redis' own. No lease, no batch, no
attempt, no epoch, no expiry, no bound, no final text, no telemetry.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterable
from dataclasses import dataclass
from typing import Any

import redis.asyncio as redis_asyncio
import uvloop
from pydantic_ai import Agent
from pydantic_ai.messages import PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta

from benchmarks.paced_agent import build_asking


@dataclass(frozen=True)
class Turns:
    """One in each session; they begin evenly spread over `begin_seconds`."""

    sessions: list[str]
    question: str
    begin_seconds: float


class PlainWorker:
    """Runs turns, and writes what they say, where it has a `client`."""

    def __init__(self, agent: Agent[None, str], client: "redis_asyncio.Redis | None") -> None:
        self._agent = agent
        self._client = client

    async def run(self, turns: Turns) -> None:
        """Returns when all have ended."""
        pause = turns.begin_seconds / len(turns.sessions)
        async with asyncio.TaskGroup() as group:
            for number, session in enumerate(turns.sessions):
                group.create_task(self._answer(session, turns.question, number * pause))

    async def _answer(self, session: str, question: str, wait_seconds: float) -> None:
        await asyncio.sleep(wait_seconds)

        async def tell(context: object, events: AsyncIterable[Any]) -> None:
            async for event in events:
                match event:
                    case (
                        PartStartEvent(part=TextPart(content=content))
                        | PartDeltaEvent(delta=TextPartDelta(content_delta=content))
                    ) if content:
                        await self._write(session, content)
                    case _:
                        pass

        await self._agent.run(question, event_stream_handler=tell)

    async def _write(self, session: str, content: str) -> None:
        if self._client is not None:
            text = json.dumps({"type": "assistant", "session_id": session, "content": content})
            pipeline = self._client.pipeline(transaction=False)
            pipeline.xadd(f"log:{session}", {"event": text})
            pipeline.publish(f"session:{session}", text)
            await pipeline.execute()


async def work(model_url: str, redis_url: str, writes: str) -> None:
    """Run what is asked for, until nothing more is."""
    client = redis_asyncio.Redis.from_url(redis_url)
    worker = PlainWorker(build_asking(model_url), client if writes == "each" else None)
    async with client:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await worker.run(Turns(**json.loads(line)))
            print("{}", flush=True)


if __name__ == "__main__":
    uvloop.run(work(*sys.argv[1:4]))
