"""`POST /patient` alone and beside ten streaming chats, on one gateway and one worker.

`python -m benchmarks.patient [TIMES]` prints the median and the worst of both (20 requests each).
The demo model answers; real processes, an embedded server.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import httpx2 as httpx

from agent_worker.fhir.synthesis import build_bundle
from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.stub_model import stub_model

CHATS = 10
QUESTION = "Which patients have hypertension, and what do they take?"


async def time_requests(deployment: Deployment, times: int) -> list[float]:
    """Seconds of each request, one after the other."""
    patients = [
        entry["resource"]["id"]
        for entry in build_bundle(1)["entry"]
        if entry["resource"]["resourceType"] == "Patient"
    ]
    taken: list[float] = []
    async with httpx.AsyncClient(base_url=deployment.processes[0].http, timeout=60) as http:
        for number in range(times):
            body = {"patient_id": patients[number % len(patients)]}
            begun = time.perf_counter()
            answer = await http.post("/patient", json=body)
            taken.append(time.perf_counter() - begun)
            if answer.status_code != 200:
                raise SystemExit(f"/patient answered {answer.status_code}")
    return taken


async def chat_on(chat: Chat, streaming: asyncio.Event) -> None:
    """Ask again and again, until cancelled."""
    async with chat.tab() as tab:
        while True:
            await tab.session.send(QUESTION)
            await tab.until("assistant", streaming=True)
            streaming.set()
            await tab.until("turn_finished")


async def measure(times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedRedis(Path(folder) / "redis")
        server.start()
        try:
            async with stub_model() as stub, deploy(server, Path(folder), MODEL="demo") as own:
                await own.start_gateway()
                await own.start_worker()
                await time_requests(own, 3)
                report("alone", await time_requests(own, times))
                streaming = [asyncio.Event() for _ in range(CHATS)]
                chats = [asyncio.create_task(chat_on(Chat(own, stub), one)) for one in streaming]
                await asyncio.gather(*(one.wait() for one in streaming))
                report(f"beside {CHATS} chats", await time_requests(own, times))
                for chat in chats:
                    chat.cancel()
                await asyncio.gather(*chats, return_exceptions=True)
        finally:
            server.stop()


def report(name: str, taken: list[float]) -> None:
    median, worst = statistics.median(taken) * 1000, max(taken) * 1000
    print(f"POST /patient {name:16} median {median:6.1f} ms   worst {worst:6.1f} ms")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
