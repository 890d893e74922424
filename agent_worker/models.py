"""Which language model: `MODEL`, or what the keys in the environment suggest, else the demo."""

from pydantic_ai import UsageLimits
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings

from agent_worker.demo_model import build_demo_model
from agent_worker.settings import WorkerSettings

DEFAULT_OPENAI = "openai:gpt-5-mini"


def build_model(settings: WorkerSettings) -> Model:
    """One model, with one client, for this process. Raises `ValueError` for a model string that is
    not known, or without the key that it needs."""
    name = settings.model or _suggested(settings)
    try:
        return _build(name, settings)
    except (UserError, ImportError, ValueError) as error:
        raise ValueError(f"MODEL: {name!r} cannot be used: {error}") from error


def build_usage_limits(settings: WorkerSettings) -> UsageLimits:
    """What one turn may use of the model; beyond it the run ends with `UsageLimitExceeded`. Tokens
    are those that the provider tells: where it tells none, only requests are limited."""
    return UsageLimits(
        request_limit=settings.usage_request_limit,
        total_tokens_limit=settings.usage_total_tokens_limit or None,
    )


def _build(name: str, settings: WorkerSettings) -> Model:
    # A provider that has gone silent is given up: its client would wait for ten minutes. Repeating
    # is the client's too, with its back-off, so to everybody else it is one call.
    patience = ModelSettings(timeout=settings.model_timeout, max_retries=settings.model_retries)
    match name.split(":", 1):
        case ["demo"]:
            return build_demo_model()
        case ["openai", model]:
            provider = _openai_provider(settings)
            return OpenAIResponsesModel(model, provider=provider, settings=patience)
        case ["openai-chat", model]:
            return OpenAIChatModel(model, provider=_openai_provider(settings), settings=patience)
        case ["azure", model]:
            return OpenAIChatModel(model, provider=_azure_provider(settings), settings=patience)
        case _:
            return infer_model(name)


def _suggested(settings: WorkerSettings) -> str:
    if settings.openai_api_key:
        return DEFAULT_OPENAI
    if settings.azure_openai_api_key:
        return f"azure:{settings.azure_model}"
    return "demo"


def _openai_provider(settings: WorkerSettings) -> OpenAIProvider:
    key = settings.openai_api_key
    return OpenAIProvider(
        base_url=settings.openai_base_url, api_key=key.get_secret_value() if key else None
    )


def _azure_provider(settings: WorkerSettings) -> AzureProvider:
    key, endpoint = settings.azure_openai_api_key, settings.azure_openai_endpoint
    # The v1 endpoint has no versions. One that is set for the classic deployments is no mistake.
    is_v1 = (endpoint or "").rstrip("/").endswith("/v1")
    return AzureProvider(
        azure_endpoint=endpoint,
        api_version=None if is_v1 else settings.openai_api_version,
        api_key=key.get_secret_value() if key else None,
    )
