"""How long a turn is without a worker: SIGKILL in mid-answer to `turn_started` of attempt 2.

`python -m benchmarks.takeover [TIMES]` kills a worker so many times (20) under the default lease
and prints the median and the worst. The bar is `LEASE_SECONDS` + 2 s. Real processes, an embedded
server, the stub model.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, Process, deploy
from tests.support.stub_model import Reply, StubModel, stub_model

LEASE_SECONDS = 5


async def measure(times: int) -> list[float]:
    """Seconds from each kill to the beginning of the next attempt, as a tab sees it."""
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder) / "redis")
        server.start()
        try:
            async with (
                stub_model() as stub,
                deploy(
                    server, Path(folder), **stub.environment(), LEASE_SECONDS=str(LEASE_SECONDS)
                ) as deployment,
            ):
                await deployment.start_gateway()
                worker = await deployment.start_worker()
                taken: list[float] = []
                for _ in range(times):
                    heir = await deployment.start_worker()
                    taken.append(await _kill_one(deployment, stub, worker))
                    worker = heir
                return taken
        finally:
            server.stop()


async def _kill_one(deployment: Deployment, stub: StubModel, worker: Process) -> float:
    chat = Chat(deployment, stub)
    reply = Reply(["half ", "whole"], hold_after=1)
    stub.script(chat.session_id, reply)
    async with chat.tab() as tab:
        # Two workers are there and either may have the turn: make it the one that is to die.
        while True:
            turn_id = await tab.session.send(chat.session_id)
            begun = await tab.until("turn_started", turn_id=turn_id)
            if begun["worker"].endswith(f"-{worker.process.pid}"):
                break
            reply.release()
            await tab.until_finished(turn_id)
            reply = Reply(["half ", "whole"], hold_after=1)
            stub.script(chat.session_id, reply)
        await tab.until("assistant", streaming=True)
        killed = time.monotonic()
        await worker.kill()
        await tab.until("turn_started", turn_id=turn_id, attempt=2)
        took = time.monotonic() - killed
        reply.release()
        turn = await tab.until_finished(turn_id)
        if turn.answer != "half whole":
            raise SystemExit(f"the answer is {turn.answer!r}")
        return took


def main() -> None:
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    taken = asyncio.run(measure(times))
    print(
        f"kill to turn_started of attempt 2, {times} times, LEASE_SECONDS={LEASE_SECONDS}: "
        f"median {statistics.median(taken):.2f} s, worst {max(taken):.2f} s "
        f"(bar {LEASE_SECONDS + 2} s)"
    )


if __name__ == "__main__":
    main()
