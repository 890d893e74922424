"""What of a tool's result the model is given."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai import ToolReturn
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from agent_worker.agents import ClinicalAgents
from agent_worker.model_results import cut_result
from agent_worker.settings import WorkerSettings
from tests.support.chat import Chat
from tests.support.failing import BIG_BYTES
from tests.support.stub_model import Call, Reply


@given(st.text(), st.integers(min_value=64, max_value=200))
def test_a_text_is_left_alone_or_cut_within_the_bound_and_adds_up(text: str, most: int) -> None:
    size = len(text.encode())
    given_text = cut_result(text, most)
    if size <= most:
        assert given_text == text
    else:
        kept, said = given_text.rsplit("\n", 1)
        assert text.startswith(kept)
        assert len(kept.encode()) <= most
        assert f"{size - len(kept.encode())} of its {size} bytes are missing" in said


@pytest.mark.parametrize("result", [{"rows": [1, 2]}, ["é"], None, ToolReturn("short")])
def test_a_small_result_keeps_its_shape(result: object) -> None:
    assert cut_result(result, 64) is result


ROWS = {"rows": ["x" * 100]}


@pytest.mark.parametrize("result", [ROWS, ToolReturn(ROWS)])
def test_a_big_result_of_any_shape_is_cut_as_its_json(result: object) -> None:
    given_text = cut_result(result, 64)
    whole = json.dumps(ROWS, separators=(",", ":"))
    assert given_text.startswith(f"{whole[:64]}\n[The result was cut here: ")


async def test_the_embedded_tools_results_are_cut_too() -> None:
    """The agent's, whichever toolset it has."""
    agents = ClinicalAgents(WorkerSettings(model="demo", model_result_bytes=64))
    seen: list[str] = []

    def script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        part = messages[-1].parts[-1]
        if part.part_kind != "tool-return":
            return ModelResponse([ToolCallPart("search_patients", {})])
        seen.append(part.model_response_str())
        return ModelResponse([TextPart("done")])

    with agents.chat_agent.override(model=FunctionModel(script)):
        async with agents.chat_agent:
            await agents.chat_agent.run("who?")
    kept, said = seen[0].rsplit("\n", 1)
    assert len(kept.encode()) == 64
    assert "bytes are missing" in said


async def test_an_agent_of_ones_own_gets_what_its_tools_return(clumsy_chat: Chat) -> None:
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(calls=[Call("big", {})]), Reply(["ok"]))
    async with clumsy_chat.tab() as tab:
        await tab.ask(clumsy_chat.session_id)
    told = clumsy_chat.stub.requests[-1]["messages"][-1]["content"]
    assert told == "é" * (BIG_BYTES // 2)
