"""Failures through the real path: stable codes, no text that pretends to be an answer, nothing of
an exception's text, and a conversation that goes on as if the failed turn had never been."""

from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.exceptions import (
    AgentRunError,
    ContentFilterError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelOverloadedError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    OutputTokenLimitExceeded,
    RunTimedOut,
    UnexpectedModelBehavior,
    UsageLimitExceeded,
    UserError,
)

from agent_worker.failures import explain
from agent_worker.mcp_connection import McpServerLost
from tests.support.chat import Chat
from tests.support.deployment import Deployment
from tests.support.failing import check_every_call_has_its_end, check_the_turn_fails, of_kind
from tests.support.stub_model import Call, Reply, StubModel

# the model fails

MODEL_FAILURES = {
    "an error of the provider": [Reply(status=500)],
    "too many requests": [Reply(status=429)],
    "a wrong key": [Reply(status=401)],
    "the content filter": [Reply(status=400, error_code="content_filter")],
    "the connection is cut before the answer": [Reply(["never"], cut_after=0)],
    "the connection is cut in mid-answer": [Reply(["half ", "never"], cut_after=1)],
    "it fails after a tool call": [
        Reply(calls=[Call("double", {"n": 1})]),
        Reply(status=500),
    ],
    "it insists on an unknown tool": [Reply(calls=[Call("no_such_tool", {})])],
    "it insists on broken arguments": [Reply(calls=[Call("double", '{"n": ')])],
    "it insists on wrong arguments": [Reply(calls=[Call("double", {"n": "many"})])],
    "it says nothing": [Reply([])],
}


@pytest.mark.parametrize("failure", MODEL_FAILURES)
async def test_a_model_that_fails_ends_the_turn_as_failed(clumsy_chat: Chat, failure: str) -> None:
    clumsy_chat.stub.script(clumsy_chat.session_id, *MODEL_FAILURES[failure])
    async with clumsy_chat.tab() as tab:
        events = await check_the_turn_fails(clumsy_chat, tab, "model_error")
    ends = [event["is_error"] for event in events if event["type"] == "openai_response"]
    insists = "insists" in failure or "nothing" in failure
    assert ends[-1] is not insists


async def test_what_was_cut_off_in_mid_answer_is_dropped(clumsy_chat: Chat) -> None:
    """Tabs saw the piece; a fresh tab sees none of it."""
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(["half ", "never"], cut_after=1))
    async with clumsy_chat.tab() as tab:
        await tab.ask(clumsy_chat.session_id)
        pieces = [event["content"] for event in of_kind(tab, "assistant")]
        assert "".join(pieces) in ("", "half ")
    loaded = await clumsy_chat.fresh_load()
    assert "assistant" not in loaded.kinds()


@pytest.mark.parametrize(
    "call", [Call("no_such_tool", {}), Call("double", '{"n": '), Call("double", {"n": "x"})]
)
async def test_a_model_may_correct_a_call_that_was_not_valid(clumsy_chat: Chat, call: Call) -> None:
    """The refused call is told, as an error, and the turn goes on."""
    clumsy_chat.stub.script(
        clumsy_chat.session_id,
        Reply(calls=[call]),
        Reply(calls=[Call("double", {"n": 21})]),
        Reply(["It is 42."]),
    )
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
    assert (turn.status, turn.answer) == ("completed", "It is 42.")
    results = [(r["tool_name"], r["is_error"]) for r in of_kind(tab, "tool_result")]
    assert results == [(call.name, True), ("double", False)]
    assert of_kind(tab, "tool_result")[1]["result"] == "42"
    check_every_call_has_its_end([dict(event.fields) for event in tab.events])
    if isinstance(call.arguments, str):
        assert of_kind(tab, "tool_call")[0]["arguments"] == {"raw": call.arguments}


async def test_odd_chunks_of_a_content_filter_are_no_failure(clumsy_chat: Chat) -> None:
    """Chunks without choices or without text, as Azure sends them between the others."""
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(["all ", "is well"], odd_chunks=True))
    async with clumsy_chat.tab() as tab:
        assert (await tab.ask(clumsy_chat.session_id)).answer == "all is well"


async def test_half_a_character_from_the_provider_is_no_failure(clumsy_chat: Chat) -> None:
    """A surrogate pair cut in two by the provider's JSON. The conversation can go on."""
    clumsy_chat.stub.script(clumsy_chat.session_id, Reply(["smile \ud83d", "done \ude00"]))
    async with clumsy_chat.tab() as tab:
        turn = await tab.ask(clumsy_chat.session_id)
        assert (turn.status, turn.answer) == ("completed", "smile \ufffddone \ufffd")
        assert (await tab.ask("and on")).status == "completed"


# time runs out


async def test_a_turn_that_takes_too_long_is_stopped(
    deployment: Deployment, stub: StubModel, agent_py: Path
) -> None:
    """In a tool that never returns; what was open is closed."""
    await deployment.start_gateway()
    await deployment.start_worker(agent=f"{agent_py}:agent", turn_timeout=1.5)
    chat = Chat(deployment, stub)
    stub.script(chat.session_id, Reply(calls=[Call("stuck", {})]))
    async with chat.tab() as tab:
        events = await check_the_turn_fails(chat, tab, "turn_timeout")
    (result,) = [event for event in events if event["type"] == "tool_result"]
    assert result["is_error"]


# what an exception stands for


def caused_by(cause: BaseException) -> UnexpectedModelBehavior:
    error = UnexpectedModelBehavior("exceeded retries")
    error.__cause__ = cause
    return error


TOOLS_OWN = ValueError("the tool's own")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TOOLS_OWN, "tool_error"),
        (caused_by(TOOLS_OWN), "tool_error"),
        (McpServerLost(), "tool_error"),
        (RunTimedOut("its own words"), "turn_timeout"),
        (ModelRequestTimeout("m-x", 1.0), "model_timeout"),
        (ModelHTTPError(500, "m-x"), "model_error"),
        (ModelHTTPError(408, "m-x"), "model_timeout"),
        (UnexpectedModelBehavior("?"), "model_error"),
        (AgentRunError("?"), "model_error"),
        (UserError("`DeferredToolRequests` is not among them"), "unsupported_output"),
        (UserError("no model"), "internal"),
        (ValueError("somebody else's"), "internal"),
        (KeyError(), "internal"),
    ],
)
def test_every_exception_has_a_stable_code_and_keeps_its_text(
    error: BaseException, code: str
) -> None:
    failure = explain(error, TOOLS_OWN)
    assert failure.code == code
    assert str(error) not in failure.error or not str(error)


def refused(status: int, kind: Any = None, code: str | None = None) -> ModelHTTPError:
    """What the adapters raise for an HTTP error of this kind."""
    return ModelHTTPError.for_category(
        kind, status_code=status, model_name="m-x", body=SECRET, provider_error_code=code
    )


SECRET = {"message": "THE-PROVIDERS-OWN-WORDS"}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ContentFilterError("?"), "content filter"),
        (refused(400, ModelRequestRejectedError, "content_filter"), "content filter"),
        (refused(400, ModelContextWindowExceededError), "too long"),
        (refused(429, ModelRateLimitError), "too busy"),
        (refused(503, ModelOverloadedError), "too busy"),
        (refused(429, ModelQuotaExceededError), "quota"),
        (refused(401, ModelAuthenticationError), "key"),
        (refused(404, ModelNotFoundError), "model name"),
        (refused(400, ModelRequestRejectedError), "could not answer"),
        (ModelConnectionError("m-x", "http://r.example"), "connection"),
        (OutputTokenLimitExceeded("?"), "longer"),
        (UsageLimitExceeded("?"), "one turn"),
    ],
)
def test_a_failure_of_the_model_has_a_sentence_that_says_what_happened(
    error: AgentRunError, words: str
) -> None:
    failure = explain(error, None)
    assert failure.code == "model_error"
    assert words in failure.error
    assert not any(text in failure.error for text in (SECRET["message"], "r.example", "m-x"))
