"""Settings of one worker process (DESIGN section 6)."""

from typing import Annotated

from pydantic import AliasChoices, Field, SecretStr

from shared.settings import SharedSettings


class WorkerSettings(SharedSettings):
    """Every bound of the worker, named. The older `FHIR_CHAT_OPENAI_*` names are read too."""

    model: str = Field(default="", validation_alias=AliasChoices("MODEL", "model"))
    """`demo` or a Pydantic AI model string; empty: the OpenAI or Azure model if a key is there."""
    agent: str = ""
    """`module:name` or `file.py:name`; empty: the clinical assistant."""
    mcp_url: str = ""
    """Empty: the FHIR server runs in this process."""
    mcp_token: SecretStr | None = None
    """Sent to `mcp_url` as a bearer token; wins over a client's id and secret."""
    mcp_client_id: str = Field(
        default="", validation_alias=AliasChoices("MCP_CLIENT_ID", "AIDBOX_CLIENT_ID")
    )
    mcp_client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("MCP_CLIENT_SECRET", "AIDBOX_CLIENT_SECRET")
    )
    mcp_timeout: Annotated[float, Field(gt=0)] = 30.0
    """Seconds that the MCP server may take for one answer, or to be connected to."""
    fhir_bundle: str = ""
    """A file with a FHIR R4 bundle; empty: synthetic patients made from `FHIR_SEED`."""
    fhir_seed: int = 1
    fhir_base_url: str = ""
    """Of a FHIR R4 REST server, which the embedded FHIR server then asks; empty: the bundle."""
    fhir_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds that one answer of that server may take."""
    fhir_token: SecretStr | None = None
    """Bearer token for it; wins over the client's id and secret."""
    fhir_client_id: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("FHIR_CLIENT_ID", "AIDBOX_CLIENT_ID")
    )
    fhir_client_secret: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("FHIR_CLIENT_SECRET", "AIDBOX_CLIENT_SECRET")
    )

    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    azure_openai_endpoint: str | None = Field(
        default=None,
        validation_alias=AliasChoices("AZURE_OPENAI_ENDPOINT", "FHIR_CHAT_OPENAI_ENDPOINT"),
    )
    azure_openai_api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("AZURE_OPENAI_API_KEY", "FHIR_CHAT_OPENAI_API_KEY"),
    )
    openai_api_version: str | None = Field(
        default=None,
        validation_alias=AliasChoices("OPENAI_API_VERSION", "FHIR_CHAT_OPENAI_API_VERSION"),
    )
    azure_model: str = Field(
        default="gpt-5-mini", validation_alias=AliasChoices("FHIR_CHAT_OPENAI_MODEL")
    )

    worker_concurrency: Annotated[int, Field(ge=1)] = 32
    """Sessions whose turns run at once in this process."""
    lease_seconds: Annotated[float, Field(ge=0.5)] = 5.0
    turn_timeout: Annotated[float, Field(gt=0)] = 300.0
    model_timeout: Annotated[float, Field(gt=0)] = 90.0
    """Seconds of silence after which a model call is tried again or given up."""
    model_retries: Annotated[int, Field(ge=0, le=10)] = 2
    """Times that the provider's client repeats a request, with back-off: 429, 5xx, time-out, no
    connection. For the frames and the usage it stays one call."""
    max_attempts: Annotated[int, Field(ge=1)] = 3
    drain_seconds: Annotated[float, Field(ge=0)] = 10.0
    emitter_max_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024 * 1024
    """What one turn may have waiting for Redis before it ends as failed."""
    max_result_bytes: Annotated[int, Field(ge=64)] = 65_536
    """Of a tool's arguments, its result or a custom event's data, in a frame."""
    max_text_bytes: Annotated[int, Field(ge=1024)] = 4 * 1024 * 1024
    """Of one text of an answer; a longer one ends its turn as failed."""
    model_result_bytes: Annotated[int, Field(ge=64)] = 32_768
    """Of a tool's result, for the model of the clinical agents."""
    history_max_messages: Annotated[int, Field(ge=2)] = 200
    """Of the model's history, cut at the beginning of a turn."""
    history_max_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    """Of the model's history, cut likewise; a turn that alone is bigger is left out of it."""
    usage_request_limit: Annotated[int, Field(ge=1)] = 50
    """Model requests that one turn may make."""
    usage_total_tokens_limit: Annotated[int, Field(ge=0)] = 0
    """Tokens, prompts and answers together, that one turn may use; 0: no limit."""

    @property
    def lease_ms(self) -> int:
        return int(self.lease_seconds * 1000)
