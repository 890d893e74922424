"""Which language model: `MODEL`, or what the keys in the environment suggest, else the demo."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import AliasChoices
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

from agent_worker.models import build_model, build_usage_limits
from agent_worker.settings import WorkerSettings
from tests.support.stub_model import API_VERSION, KEY, StubModel

AZURE = {
    "azure_openai_api_key": "k",
    "azure_openai_endpoint": "https://r.example",
    "openai_api_version": "2024-10-21",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests do not count."""
    for field, setting in WorkerSettings.model_fields.items():
        alias = setting.validation_alias
        for name in alias.choices if isinstance(alias, AliasChoices) else (field,):
            monkeypatch.delenv(str(name).upper(), raising=False)


@pytest.mark.parametrize(
    ("given", "kind", "name", "system"),
    [
        ({"model": "openai:m-x", "openai_api_key": "k"}, OpenAIResponsesModel, "m-x", "openai"),
        ({"model": "openai-chat:m-x", "openai_api_key": "k"}, OpenAIChatModel, "m-x", "openai"),
        ({"model": "azure:deployed", **AZURE}, OpenAIChatModel, "deployed", "azure"),
        ({"openai_api_key": "k"}, OpenAIResponsesModel, "gpt-5-mini", "openai"),
        (AZURE, OpenAIChatModel, "gpt-5-mini", "azure"),
        ({"model": "openai-chat:a:b", "openai_api_key": "k"}, OpenAIChatModel, "a:b", "openai"),
    ],
)
def test_a_model_is_named_without_its_prefix(
    given: dict[str, Any], kind: type, name: str, system: str
) -> None:
    model = build_model(WorkerSettings(**given))
    assert isinstance(model, kind)
    assert (model.model_name, model.system) == (name, system)


@pytest.mark.parametrize("given", [{}, {"model": "demo"}, {"model": "demo", "openai_api_key": "k"}])
def test_without_a_key_or_when_asked_for_the_demo_answers(given: dict[str, Any]) -> None:
    assert build_model(WorkerSettings(**given)).model_name == "demo"


def test_the_providers_client_waits_and_repeats_as_the_settings_say() -> None:
    settings = WorkerSettings.model_validate(
        {"model": "openai:m-x", "openai_api_key": "k", "model_timeout": 7, "model_retries": 4}
    )
    assert build_model(settings).settings == {"timeout": 7, "max_retries": 4}


@pytest.mark.parametrize(("given", "limit"), [({}, None), ({"usage_total_tokens_limit": 9}, 9)])
def test_the_tokens_of_a_turn_are_limited_when_the_settings_say_so(
    given: dict[str, Any], limit: int | None
) -> None:
    limits = build_usage_limits(WorkerSettings(usage_request_limit=4, **given))
    assert (limits.request_limit, limits.total_tokens_limit) == (4, limit)


@pytest.fixture
def older_names(monkeypatch: pytest.MonkeyPatch, stub: StubModel) -> pytest.MonkeyPatch:
    """A whole Azure configuration, every value by its older name. Copied templates leave the newer
    ones empty."""
    monkeypatch.setenv("FHIR_CHAT_OPENAI_ENDPOINT", stub.origin)
    monkeypatch.setenv("FHIR_CHAT_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("FHIR_CHAT_OPENAI_MODEL", "deployed-5")
    monkeypatch.setenv("FHIR_CHAT_OPENAI_API_VERSION", API_VERSION)
    for name in ("MODEL", "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "OPENAI_API_VERSION"):
        monkeypatch.setenv(name, "")
    return monkeypatch


async def answer_of_the_configured_model(question: str) -> str:
    agent = Agent(build_model(WorkerSettings()))
    async with agent, agent.run_stream(question) as answer:
        return await answer.get_output()


async def test_the_older_names_of_the_settings_configure_azure(
    older_names: pytest.MonkeyPatch, stub: StubModel
) -> None:
    """Endpoint, key, deployment and version, by a request that Azure would accept."""
    question = f"older {uuid4()}"
    assert await answer_of_the_configured_model(question) == f"echo: {question}"
    (received,) = stub.received_for(question)
    assert received.path == "/openai/deployments/deployed-5/chat/completions"
    assert received.query == {"api-version": API_VERSION}
    assert received.headers["api-key"] == KEY


async def test_the_v1_endpoint_is_asked_without_a_version_that_is_set(
    older_names: pytest.MonkeyPatch, stub: StubModel
) -> None:
    older_names.setenv("FHIR_CHAT_OPENAI_ENDPOINT", f"{stub.origin}/openai/v1/")
    question = f"v1 {uuid4()}"
    assert await answer_of_the_configured_model(question) == f"echo: {question}"
    (received,) = stub.received_for(question)
    assert (received.path, received.query) == ("/openai/v1/chat/completions", {})
    assert received.body["model"] == "deployed-5"


@pytest.mark.parametrize("name", ["nonsense", "openai", "foo:bar", "openai:m-x", "azure:m-x"])
def test_a_model_that_cannot_be_used_is_named(name: str) -> None:
    """Not known, or without the key that it needs."""
    with pytest.raises(ValueError, match=f"MODEL: '{name}' cannot be used"):
        build_model(WorkerSettings(model=name))
