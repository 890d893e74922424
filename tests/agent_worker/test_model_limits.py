"""How long a model is waited for, how often it is asked again, how much of it one turn may use."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from dev.embedded_redis import EmbeddedRedis
from tests.support.chat import Chat
from tests.support.deployment import Deployment, deploy
from tests.support.failing import check_the_turn_fails, of_kind
from tests.support.stub_model import Call, Reply, StubModel

LIMITS = {
    "MODEL_TIMEOUT": "1",
    "MODEL_RETRIES": "1",
    "USAGE_REQUEST_LIMIT": "3",
    "USAGE_TOTAL_TOKENS_LIMIT": "50",
}


@pytest.fixture(scope="module")
async def strict(
    redis_server: EmbeddedRedis, stub: StubModel, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Deployment, None]:
    """A gateway, and a worker with the clinical assistant and tight limits."""
    folder = tmp_path_factory.mktemp("limits")
    async with deploy(redis_server, folder, **stub.environment(), **LIMITS) as deployment:
        await asyncio.gather(deployment.start_gateway(), deployment.start_worker())
        yield deployment
        await deployment.check_nothing_is_left()


@pytest.fixture
def chat(strict: Deployment, stub: StubModel) -> Chat:
    return Chat(strict, stub)


async def test_a_model_that_does_not_answer_is_given_up(chat: Chat) -> None:
    """After the silence that `MODEL_TIMEOUT` allows, and as many tries more as `MODEL_RETRIES`
    says; all of them are one call."""
    chat.stub.script(chat.session_id, silent := Reply(hang=True))
    async with chat.tab() as tab:
        events = await check_the_turn_fails(chat, tab, "model_timeout")
    silent.release()
    assert silent.tries == 2
    assert [event["type"] for event in events].count("openai_call") == 1


async def test_a_model_that_falls_silent_in_mid_answer_is_given_up(chat: Chat) -> None:
    """At once: half of the answer has been seen, and cannot be asked for again."""
    chat.stub.script(chat.session_id, silent := Reply(["half ", "never"], hold_after=1))
    async with chat.tab() as tab:
        await check_the_turn_fails(chat, tab, "model_timeout")
    silent.release()
    assert silent.tries == 1


async def test_a_provider_that_says_it_took_too_long_is_a_timeout_too(chat: Chat) -> None:
    chat.stub.script(chat.session_id, Reply(status=504))
    async with chat.tab() as tab:
        await check_the_turn_fails(chat, tab, "model_timeout")


async def test_a_dropped_connection_is_tried_again(chat: Chat) -> None:
    """The try that succeeds is the call that tabs see."""
    chat.stub.script(chat.session_id, reply := Reply(["at last"], drops=1))
    async with chat.tab() as tab:
        assert (await tab.ask(chat.session_id)).answer == "at last"
        assert [end["is_error"] for end in of_kind(tab, "openai_response")] == [False]
    assert reply.tries == 2


async def test_a_model_that_cannot_be_reached_is_given_up(chat: Chat) -> None:
    chat.stub.script(chat.session_id, reply := Reply(drops=9))
    async with chat.tab() as tab:
        events = await check_the_turn_fails(chat, tab, "model_error")
    assert "connection" in events[-1]["error"]["error"]
    assert reply.tries == 2


async def test_a_turn_makes_no_more_requests_than_it_may(chat: Chat) -> None:
    """Three are allowed, and a fourth would be needed. What was used is told."""
    chat.stub.script(chat.session_id, Reply(calls=[Call("count_patients", {})], usage=(1, 1)))
    async with chat.tab() as tab:
        events = await check_the_turn_fails(chat, tab, "model_error")
    assert "more" in events[-1]["error"]["error"]
    assert [event["type"] for event in events].count("openai_call") == 3
    usage = {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6, "requests": 3}
    assert events[-1]["usage"] == usage


async def test_a_turn_uses_no_more_tokens_than_it_may(chat: Chat) -> None:
    """The call that goes beyond the limit is the last one, and its tokens are told too."""
    chat.stub.script(chat.session_id, Reply(calls=[Call("count_patients", {})], usage=(20, 10)))
    async with chat.tab() as tab:
        events = await check_the_turn_fails(chat, tab, "model_error")
    assert "more" in events[-1]["error"]["error"]
    assert [event["type"] for event in events].count("openai_call") == 2
    usage = {"prompt_tokens": 40, "completion_tokens": 20, "total_tokens": 60, "requests": 2}
    assert events[-1]["usage"] == usage


async def test_a_limit_of_tokens_passes_over_calls_without_usage(chat: Chat) -> None:
    """Where the provider tells none there is nothing to count."""
    chat.stub.script(chat.session_id, Reply(["fine"], usage=None))
    async with chat.tab() as tab:
        assert (await tab.ask(chat.session_id)).answer == "fine"
        assert tab.events[-1]["usage"]["total_tokens"] is None
