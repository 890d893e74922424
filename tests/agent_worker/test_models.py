"""Which language model: `MODEL`, or what the keys in the environment suggest, else the demo."""

from typing import Any

import pytest
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel

from agent_worker.models import build_model
from agent_worker.settings import WorkerSettings

AZURE = {
    "azure_openai_api_key": "k",
    "azure_openai_endpoint": "https://r.example",
    "openai_api_version": "2024-10-21",
}


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of whoever runs the tests do not count."""
    for name in ("MODEL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_VERSION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


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


def test_a_silent_provider_is_given_up_after_the_time_of_the_settings() -> None:
    settings = WorkerSettings.model_validate(
        {"model": "openai:m-x", "openai_api_key": "k", "model_timeout": 7}
    )
    assert build_model(settings).settings == {"timeout": 7}


def test_the_older_names_of_the_settings_are_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIR_CHAT_OPENAI_API_KEY", "k")
    monkeypatch.setenv("FHIR_CHAT_OPENAI_ENDPOINT", "https://r.example")
    monkeypatch.setenv("FHIR_CHAT_OPENAI_API_VERSION", "2024-10-21")
    monkeypatch.setenv("FHIR_CHAT_OPENAI_MODEL", "deployed")
    model = build_model(WorkerSettings())
    assert (model.model_name, model.system) == ("deployed", "azure")


@pytest.mark.parametrize("name", ["nonsense", "openai", "foo:bar", "openai:m-x", "azure:m-x"])
def test_a_model_that_cannot_be_used_is_named(name: str) -> None:
    """Not known, or without the key that it needs."""
    with pytest.raises(ValueError, match=f"MODEL: '{name}' cannot be used"):
        build_model(WorkerSettings(model=name))
