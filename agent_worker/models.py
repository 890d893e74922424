"""Which language model: `MODEL`, or what the keys in the environment suggest, else the demo."""

from pydantic_ai.models import Model, infer_model
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.azure import AzureProvider
from pydantic_ai.providers.openai import OpenAIProvider

from agent_worker.demo_model import build_demo_model
from agent_worker.settings import WorkerSettings

DEFAULT_OPENAI = "openai:gpt-5-mini"


def build_model(settings: WorkerSettings) -> Model:
    """One model, with one client, for this process. Raises for a model string that is not known."""
    name = settings.model or _suggested(settings)
    prefix, _, model_name = name.partition(":")
    match prefix:
        case "demo":
            return build_demo_model()
        case "openai":
            return OpenAIResponsesModel(model_name, provider=_openai_provider(settings))
        case "openai-chat":
            return OpenAIChatModel(model_name, provider=_openai_provider(settings))
        case "azure":
            return OpenAIChatModel(model_name, provider=_azure_provider(settings))
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
    key = settings.azure_openai_api_key
    return AzureProvider(
        azure_endpoint=settings.azure_openai_endpoint,
        api_version=settings.openai_api_version,
        api_key=key.get_secret_value() if key else None,
    )
