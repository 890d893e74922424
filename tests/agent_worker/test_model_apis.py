"""One chat over every API that a model may speak: OpenAI's chat completions and Responses, Azure's
deployments and its v1 endpoint. What tabs see is the same."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any, cast
from uuid import uuid4

import pytest
from fanline.conversation import Turn

from agent_worker.fhir.synthesis import build_bundle
from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat, Tab
from tests.support.deployment import deploy
from tests.support.failing import STUB_SECRET, check_every_call_has_its_end, of_kind
from tests.support.stub_model import API_VERSION, KEY, Api, Call, Reply, StubModel

MODEL = "deployed-4"
"""A name that Azure's deployments can have too."""
PATHS: dict[Api, tuple[str, dict[str, str]]] = {
    "openai-chat": ("/v1/chat/completions", {}),
    "openai": ("/v1/responses", {}),
    "azure classic": (
        f"/openai/deployments/{MODEL}/chat/completions",
        {"api-version": API_VERSION},
    ),
    "azure v1": ("/openai/v1/chat/completions", {}),
}


class ApiChat(Chat):
    """A conversation whose model is reached by one API."""

    api: Api


@pytest.fixture(scope="module", params=PATHS)
async def deployed(
    request: pytest.FixtureRequest,
    redis_server: EmbeddedRedis,
    stub: StubModel,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[ApiChat, None]:
    """A gateway, and a worker with the clinical assistant and a model of this API."""
    api = cast(Api, request.param)
    folder = tmp_path_factory.mktemp("api")
    async with deploy(redis_server, folder, **stub.environment(MODEL, api)) as deployment:
        await asyncio.gather(deployment.start_gateway(), deployment.start_worker())
        chat = ApiChat(deployment, stub)
        chat.api = api
        yield chat
        await deployment.check_nothing_is_left()


@pytest.fixture
async def chat(deployed: ApiChat) -> AsyncGenerator[ApiChat, None]:
    """A session of the test's own, of which nothing of the provider's may be seen."""
    deployed.session_id = f"s-{uuid4()}"
    yield deployed
    seen = json.dumps(await deployed.log())
    for secret in (STUB_SECRET, KEY, deployed.stub.origin, "Traceback"):
        assert secret not in seen


def responses(tab: Tab) -> list[dict[str, Any]]:
    """The end of each model call, without what differs from run to run."""
    told = ("model", "prompt_tokens", "completion_tokens", "total_tokens")
    told = (*told, "finish_reason", "is_error")
    return [{name: event[name] for name in told} for event in of_kind(tab, "openai_response")]


def a_response(finish_reason: str | None, **fields: object) -> dict[str, Any]:
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    end = {"model": MODEL, **usage, "finish_reason": finish_reason, "is_error": False}
    return end | fields


def a_failure(**fields: object) -> dict[str, Any]:
    return a_response(None, is_error=True, **fields)


def check_it_failed(tab: Tab, turn: Turn, words: str) -> None:
    """With a stable code and a sentence that has these words, every call ended."""
    assert turn.status == "failed"
    assert turn.error is not None
    assert turn.error["code"] == "model_error"
    assert words in str(turn.error["error"])
    check_every_call_has_its_end([dict(event.fields) for event in tab.events])


NO_USAGE = {"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}
FILTERED = {"finish_reason": "content_filter"}
TOO_LONG = {"status": 400, "error_code": "context_length_exceeded"}
CUT_OFF = {"chunks": ["half ", "never"], "early_usage": True, "cut_after": 1}


async def test_an_answer_with_a_tool_call_is_the_same_by_every_api(chat: ApiChat) -> None:
    """Streamed text, the tool's result given back to the model, usage and finish reasons."""
    chat.stub.script(
        chat.session_id,
        Reply(["Let me ", "look. "], calls=[Call("count_patients", {})]),
        answer := Reply(["There ", "are ", "some."], hold_after=2),
    )
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await answer.reached_hold.wait()
        await tab.until("tool_result")
        assert (await tab.until("assistant", streaming=True))["content"].startswith("There ")
        answer.release()
        turn = await tab.until_finished(turn_id)
    patients = [e for e in build_bundle(1)["entry"] if e["resource"]["resourceType"] == "Patient"]
    assert (turn.status, turn.answer) == ("completed", "Let me look. There are some.")
    # Responses have a status and no finish reason: one that asks for a tool is complete too.
    asked = "stop" if chat.api == "openai" else "tool_call"
    assert responses(tab) == [a_response(asked), a_response("stop")]
    (result,) = of_kind(tab, "tool_result")
    assert json.loads(result["result"]) == {"patients": len(patients)}
    assert of_kind(tab, "tool_call")[0]["arguments"] == {}
    usage = {"prompt_tokens": 22, "completion_tokens": 14, "total_tokens": 36, "requests": 2}
    assert tab.events[-1]["usage"] == usage
    given_back = [m for m in chat.stub.requests[-1]["messages"] if m["role"] == "tool"]
    assert [json.loads(message["content"]) for message in given_back] == [
        {"patients": len(patients)}
    ]


async def test_a_request_goes_where_its_api_expects_it(chat: ApiChat) -> None:
    """The deployment, the version and the key where Azure looks for them."""
    async with chat.tab() as tab:
        assert (await tab.ask(chat.session_id)).answer == f"echo: {chat.session_id}"
    (received,) = chat.stub.received_for(chat.session_id)
    assert (received.path, received.query) == PATHS[chat.api]
    assert received.body["model"] == MODEL
    key = ("api-key", KEY) if chat.api == "azure classic" else ("authorization", f"Bearer {KEY}")
    assert key in received.headers.items()
    (call,) = of_kind(tab, "openai_call")
    assert (call["model"], call["provider"]) == (MODEL, chat.api.split("-")[0].split(" ")[0])


async def test_chunks_without_choices_or_delta_are_passed_over(chat: ApiChat) -> None:
    """As Azure's content filter sends them between the others."""
    chat.stub.script(chat.session_id, Reply(["all ", "is well"], odd_chunks=True))
    async with chat.tab() as tab:
        assert (await tab.ask(chat.session_id)).answer == "all is well"
    assert responses(tab) == [a_response("stop")]


@pytest.mark.parametrize("status", [429, 503])
async def test_a_request_that_is_repeated_is_one_call(chat: ApiChat, status: int) -> None:
    """The client's own retries: the frames and the usage know one call, which succeeded."""
    reply = Reply(["at last"], status=status, failing_tries=2)
    chat.stub.script(chat.session_id, reply)
    async with chat.tab() as tab:
        assert (await tab.ask(chat.session_id)).answer == "at last"
    assert reply.tries == 3
    assert len(of_kind(tab, "openai_call")) == 1
    assert responses(tab) == [a_response("stop")]
    assert tab.events[-1]["usage"]["requests"] == 1


@pytest.mark.parametrize(
    ("reply", "words", "end"),
    [
        pytest.param(FILTERED, "content filter", a_response("content_filter"), id="filtered"),
        pytest.param(TOO_LONG, "too long", a_failure(**NO_USAGE), id="too long"),
        pytest.param({"status": 429}, "too busy", a_failure(**NO_USAGE), id="too busy"),
        pytest.param({"status": 401}, "key", a_failure(**NO_USAGE), id="wrong key"),
        pytest.param(CUT_OFF, "connection", a_failure(), id="cut off when the usage was told"),
    ],
)
async def test_a_failure_of_the_model_says_what_happened(
    chat: ApiChat, reply: dict[str, Any], words: str, end: dict[str, Any]
) -> None:
    """A stable code and a sentence for a person; the usage that the provider told, else none."""
    chat.stub.script(chat.session_id, Reply(**reply))
    async with chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    check_it_failed(tab, turn, words)
    assert turn.answer == ""
    assert responses(tab) == [end]
    assert tab.events[-1]["usage"]["total_tokens"] == end["total_tokens"]


async def test_a_question_that_the_content_filter_refuses_fails_as_that(chat: ApiChat) -> None:
    """Azure answers it with a status of 400, and its client takes that for an empty answer."""
    chat.stub.script(chat.session_id, Reply(status=400, error_code="content_filter"))
    async with chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    check_it_failed(tab, turn, "content filter")
    (end,) = responses(tab)
    refused = a_response("content_filter", **NO_USAGE)
    assert end == (refused if chat.api.startswith("azure") else a_failure(**NO_USAGE))


async def test_an_answer_that_the_content_filter_cuts_off_is_no_answer(chat: ApiChat) -> None:
    """What was seen of it stays, under a turn that has failed."""
    chat.stub.script(chat.session_id, Reply(["half an "], finish_reason="content_filter"))
    async with chat.tab() as tab:
        turn = await tab.ask(chat.session_id)
    check_it_failed(tab, turn, "content filter")
    assert responses(tab) == [a_response("content_filter")]


@pytest.mark.parametrize("told", [True, False])
async def test_a_cancelled_call_has_the_usage_that_was_told(chat: ApiChat, told: bool) -> None:
    """What the provider never told is null, not zero."""
    chat.stub.script(
        chat.session_id, reply := Reply(["half ", "never"], early_usage=told, hold_after=1)
    )
    async with chat.tab() as tab:
        turn_id = await tab.session.send(chat.session_id)
        await tab.until("assistant", content="half ")
        await tab.session.cancel(turn_id)
        turn = await tab.until_finished(turn_id)
        reply.release()
    assert (turn.status, turn.answer) == ("cancelled", "half ")
    assert responses(tab) == [a_failure(**({} if told else NO_USAGE))]
    usage = tab.events[-1]["usage"]
    assert (usage["total_tokens"], usage["requests"]) == (18 if told else None, 1)
