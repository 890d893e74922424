"""The story over Aidbox' own MCP server, at `MCP_URL` with the credentials of the environment. The
model is scripted: it searches as a real one would."""

from collections.abc import AsyncGenerator

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.failing import of_kind
from tests.support.stub_model import Call, Reply, StubModel

SEARCH = "search-fhir-resources"


@pytest.fixture(scope="module")
async def assistant(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    folder = tmp_path_factory.mktemp("real")
    async with deploy(redis_server, folder, **stub.environment(), AGENT="") as own:
        await own.start_gateway()
        await own.start_worker()
        yield own
        await own.check_nothing_is_left()


async def test_a_search_of_the_model_is_answered_by_aidbox(
    assistant: Deployment, stub: StubModel
) -> None:
    """Frame and model both get the search's bundle."""
    chat = Chat(assistant, stub)
    search = Call(SEARCH, {"resourceType": "Patient", "query": "_count=1"})
    stub.script(chat.session_id, Reply(calls=[search]), Reply(["Found ", "it."]))
    async with chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    assert (turn.status, turn.answer) == ("completed", "Found it."), turn.error
    tools = [tool["function"]["name"] for tool in stub.requests[-1]["tools"]]
    assert SEARCH in tools
    (result,) = of_kind(tab, "tool_result")
    assert result["is_error"] is False
    assert "Bundle" in result["result"]
    assert "Bundle" in str(stub.requests[-1]["messages"][-1]["content"])
