"""What a worker counts, and how it can be asked for it."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import cast

import pytest

from agent_worker.claiming import Claiming
from agent_worker.metrics import Metrics
from dev.embedded_redis import free_port
from shared.errors import Unavailable
from shared.work_stream import WorkStream
from tests.support.chat import Chat
from tests.support.deployment import Deployment
from tests.support.emitter_scene import a_scene
from tests.support.eventually import eventually
from tests.support.scrape import Scrape, scrape
from tests.support.stub_model import Reply, StubModel


@dataclass(eq=False)
class Waiting:
    """A running turn with something that Redis does not have yet."""

    events: int
    bytes: int
    max_bytes: int = 1000

    def waiting(self) -> tuple[int, int]:
        return self.events, self.bytes


def shown(metrics: Metrics, name: str) -> float | None:
    return metrics.registry.get_sample_value(f"fanline_{name}")


def test_what_waits_for_redis_is_that_of_all_running_turns() -> None:
    """And of the fullest, as the part of what it may have."""
    metrics = Metrics()
    with metrics.running(Waiting(3, 100)), metrics.running(Waiting(4, 700)):
        assert shown(metrics, "turns_running") == 2
        assert shown(metrics, "emitter_waiting_events") == 7
        assert shown(metrics, "emitter_waiting_bytes") == 800
        assert shown(metrics, "emitter_fullest_ratio") == 0.7
    for name in ("turns_running", "emitter_waiting_bytes", "emitter_fullest_ratio"):
        assert shown(metrics, name) == 0


async def test_an_emitter_tells_what_it_has_waiting() -> None:
    """In bytes until it is written, in events until it is on its way."""
    async with a_scene() as scene:
        scene.custom("first")
        await scene.asked(1)
        on_its_way = scene.emitter.waiting()
        scene.custom("second")
        events, size = scene.emitter.waiting()
        assert (on_its_way[0], events) == (0, 1)
        assert 0 < on_its_way[1] < size
        await scene.written()
        assert scene.emitter.waiting() == (0, 0)


async def test_an_outage_is_counted_once_whoever_notices_it() -> None:
    """Both loops that take work, and a session that takes its lease."""
    metrics, answers = Metrics(), deque([Unavailable("away")] * 3)
    is_back = asyncio.Event()

    class Stream:
        async def ping(self) -> None:
            await is_back.wait()

    claiming = Claiming(cast(WorkStream, Stream()), 0.01, metrics)

    async def take() -> str:
        if answers:
            raise answers.pop()
        return "work"

    taking = [asyncio.create_task(claiming(take)) for _ in range(3)]
    await eventually(lambda: not answers, "all have noticed it")
    is_back.set()
    assert await asyncio.gather(*taking) == ["work"] * 3
    assert shown(metrics, "redis_lost_total") == 1


async def test_a_failed_turn_is_counted_by_its_code_and_another_attempt_as_such(
    deployment: Deployment, stub: StubModel
) -> None:
    """The model fails; then a worker is killed in mid-answer, and another one goes on."""
    first, second = free_port(), free_port()
    await deployment.start_gateway()
    killed = await deployment.start_worker(metrics_port=first, model_retries=0)
    chat = Chat(deployment, stub)
    stub.script("a failing question", Reply(status=400))
    stub.script("a long question", reply := Reply(["half ", "whole"], hold_after=1))
    async with chat.tab() as tab:
        await tab.ask("a failing question")

        async def counted() -> Scrape | None:
            found = await scrape(first)
            return found if found.value("fanline_turns_failed_total") else None

        failed: Scrape = await eventually(counted, "the failed turn is counted")
        assert failed.value("fanline_turns_failed_total", code="model_error") == 1
        assert failed.value("fanline_turns_finished_total", status="failed") == 1
        assert failed.value("fanline_model_call_seconds_count", outcome="error") == 1
        assert failed.value("fanline_first_text_seconds_count") == 0

        turn_id = await tab.session.send("a long question")
        await tab.until("assistant", streaming=True)
        assert (await scrape(first)).value("fanline_turns_running") == 1
        await deployment.start_worker(metrics_port=second)
        await killed.kill()
        await tab.until("turn_started", attempt=2)
        reply.release()
        await tab.until_finished(turn_id)
        again = await scrape(second)
    assert again.value("fanline_turns_started_total", attempt="again") == 1
    assert again.value("fanline_turns_started_total", attempt="first") == 0
    assert again.value("fanline_turn_queue_seconds_count") == 0


async def test_a_metrics_port_that_somebody_has_is_told_in_a_sentence(
    deployment: Deployment,
) -> None:
    taken = free_port()
    await deployment.start_worker(metrics_port=taken)
    sentence = f"cannot serve metrics on 127.0.0.1, port {taken}: Address already in use"
    with pytest.raises(AssertionError, match=f"has ended:\n{sentence}"):
        await deployment.start_worker(metrics_port=taken)
