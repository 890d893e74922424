"""One chat over the three ways to the FHIR server: in process, streamable HTTP, and SSE."""

import json
from collections.abc import AsyncGenerator

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.agent_worker.fhir.records import records_of
from tests.agent_worker.fhir.served import serve_fhir
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.failing import check_every_call_has_its_end, of_kind
from tests.support.stub_model import Call, Reply, StubModel

SEED = 5


@pytest.fixture(scope="module", params=["in process", "http", "sse"])
async def assistant(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    stub: StubModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Deployment, None]:
    """A gateway and a worker over the patients of one seed."""
    folder = tmp_path_factory.mktemp("assistant")
    async with deploy(redis_server, folder, **stub.environment()) as own:
        await own.start_gateway()
        if request.param == "in process":
            await own.start_worker(fhir_seed=SEED)
            yield own
        else:
            async with serve_fhir(folder, request.param, "--seed", SEED) as server:
                await own.start_worker(mcp_url=server.url)
                yield own
                await own.stop()  # before its server: what is closed in order is not lost
        await own.check_nothing_is_left()
        assert "lost" not in own.processes[1].log()


async def test_a_question_is_answered_from_the_servers_data(
    assistant: Deployment, stub: StubModel
) -> None:
    """Two tools in a row, one of them refused, and a streamed answer; the frames and what the model
    is told are the same however the tools are reached."""
    chat = Chat(assistant, stub)
    answer = Reply(["They ", "are ", "counted."], hold_after=2)
    wrong = Call("get_conditions", {"patient_id": "nobody"})
    calls = [Reply(["Let me see. "], calls=[Call("count_patients", {})]), Reply(calls=[wrong])]
    stub.script(chat.session_id, *calls, answer)
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await tab.until("assistant", streaming=True, content="They ")
        assert "turn_finished" not in tab.kinds()
        answer.release()
        turn = await tab.until_finished(turn_id)
    assert turn.status == "completed"
    assert turn.answer.endswith("They are counted.")
    check_every_call_has_its_end([dict(event.fields) for event in tab.events])

    count = {"patients": len(records_of(SEED).patients)}
    counted, refused = of_kind(tab, "tool_result")
    assert [call["tool_name"] for call in of_kind(tab, "tool_call")] == [
        "count_patients",
        "get_conditions",
    ]
    assert (counted["is_error"], json.loads(counted["result"])) == (False, count)
    assert (refused["is_error"], refused["result"]) == (True, "The tool failed.")
    tools = [m["content"] for m in stub.requests[-1]["messages"] if m["role"] == "tool"]
    assert json.loads(tools[0]) == count
    assert "no patient with this id" in tools[1]
