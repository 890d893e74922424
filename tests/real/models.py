"""The story with a real language model, over the embedded FHIR server.

What a model says differs from one time to the next; what it is told and how it is shown does not.
"""

import os
from collections.abc import AsyncGenerator

import pytest

from agent_worker.settings import WorkerSettings
from dev.embedded_redis import EmbeddedRedis
from dev.run_real_tests import is_asked_for
from tests.agent_worker.fhir.records import records_of
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.failing import check_every_call_has_its_end, of_kind
from tests.support.stub_model import StubModel

MODELS = {
    "REAL_OPENAI": os.environ.get("REAL_OPENAI_MODEL") or "openai:gpt-5-mini",
    "REAL_AZURE": f"azure:{WorkerSettings().azure_model}",
}
ASKED = [model for switch, model in MODELS.items() if is_asked_for(switch, os.environ)]


@pytest.fixture(scope="module", params=ASKED)
async def assistant(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """Two gateways and a worker with that model."""
    folder = tmp_path_factory.mktemp("real")
    async with deploy(redis_server, folder, MODEL=request.param, MCP_URL="", AGENT="") as own:
        await own.start_gateway()
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


@pytest.fixture
def chat(assistant: Deployment, stub: StubModel) -> Chat:
    return Chat(assistant, stub)


async def test_a_question_is_answered_from_tools_and_streamed_to_every_tab(chat: Chat) -> None:
    """Also its tokens and the model's name are told."""
    async with chat.tab(0) as tab, chat.tab(1) as other:
        turn = await tab.ask("How many patients are there? Count them with your tool.")
        await other.until_finished(turn.turn_id)
        assert turn.status == "completed", turn.error
        assert str(len(records_of(1).patients)) in turn.answer
        assert tab.ids() == other.ids()
    assert any(event.get("streaming") for event in tab.events if event.type == "assistant")
    results = of_kind(tab, "tool_result")
    assert results
    assert not any(result["is_error"] for result in results)
    check_every_call_has_its_end([dict(event.fields) for event in tab.events])
    for response in of_kind(tab, "openai_response"):
        assert response["prompt_tokens"] > 0
        assert response["completion_tokens"] > 0
        assert response["model"]


async def test_a_later_turn_remembers_the_earlier_ones(chat: Chat) -> None:
    async with chat.tab() as tab:
        await tab.ask("My name is Ada Quillfeather. Say hello.")
        turn = await tab.ask("What is my family name?")
    assert "Quillfeather" in turn.answer


async def test_a_turn_can_be_stopped_and_keeps_what_it_had_said(chat: Chat) -> None:
    async with chat.tab(0) as tab, chat.tab(1) as stopper:
        turn_id = await tab.session.send("Without tools: write a story of two thousand words.")
        await tab.until("assistant", streaming=True)
        await stopper.session.cancel(turn_id)
        turn = await tab.until_finished(turn_id)
    assert turn.status == "cancelled"
    assert turn.answer
