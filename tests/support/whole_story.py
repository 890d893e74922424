"""Everything that tabs and workers do with Redis, once, on real processes."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import httpx2 as httpx

from tests.support.chat import Chat
from tests.support.deployment import Process
from tests.support.stub_model import Call, Reply

SHORT = {
    "DRAIN_SECONDS": "0.5",
    "HEADS_SECONDS": "0.5",
    "LEASE_SECONDS": "2",
    "LINGER_SECONDS": "0.1",
}
LIMITS = {"max_session_tabs": 50, "max_messages_per_minute": 1000}
"""So high that nobody meets them, and counted all the same."""

Start = Callable[[], Awaitable[Process]]


async def tell_whole_story(chat: Chat, start_gateway: Start, start_worker: Start) -> None:
    """A turn, stops, a takeover, a gateway's restart, a resume, a `/patient` request, a deletion,
    and a worker that is told to stop."""
    gateway, worker = await start_gateway(), await start_worker()
    async with chat.tab() as tab:
        assert (await tab.ask("hello")).answer == "echo: hello"
    await _stop_turns(chat)
    await _take_over(chat, worker, start_worker)
    await gateway.stop()
    chat.deployment.processes.remove(gateway)
    gateway = await start_gateway()
    async with chat.tab(last_event_id=tab.ids()[-1]) as tab:
        assert tab.frames[0]["resumed"] is True
        assert (await tab.ask("and now?")).answer == "echo: and now?"
        await _ask_about_a_patient(chat, gateway)
        async with httpx.AsyncClient() as http:
            url = f"{gateway.http}/sessions/{chat.session_id}"
            assert (await http.delete(url)).status_code == 204
        await tab.until("connection", status="connected", reset=True, head=None)
        assert (await tab.ask("anew")).answer == "echo: anew"
    assert await chat.deployment.processes[-2].stop() == 0


async def _stop_turns(chat: Chat) -> None:
    """One that runs, and one that waits behind it."""
    chat.stub.script("stop me", reply := Reply(["said ", "never"], hold_after=1))
    async with chat.tab() as tab:
        running = await tab.session.send("stop me")
        waiting = await tab.session.send("nor me")
        await tab.until("assistant", content="said ")
        await tab.session.cancel(waiting)
        assert (await tab.until_finished(waiting)).status == "cancelled"
        await tab.session.cancel(running)
        assert (await tab.until_finished(running)).status == "cancelled"
        reply.release()


async def _take_over(chat: Chat, worker: Process, start_worker: Start) -> None:
    chat.stub.script(chat.session_id, reply := Reply(["half ", "whole"], hold_after=1))
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await tab.until("assistant", streaming=True)
        await start_worker()
        await worker.kill()
        await tab.until("turn_started", attempt=2)
        reply.release()
        assert (await tab.until_finished(turn_id)).answer == "half whole"


async def _ask_about_a_patient(chat: Chat, gateway: Process) -> None:
    patient_id = str(uuid4())
    history = {"patient_name": "N", "clinical_summary": "S"}
    chat.stub.script(patient_id, Reply(calls=[Call("patient_history", history)]))
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{gateway.http}/patient", json={"patient_id": patient_id})
    assert answer.json()["patient_name"] == "N"
