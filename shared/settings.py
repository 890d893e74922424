"""Settings that gateway and worker share. Names, defaults and meanings are those of DESIGN section
6.

Read from the environment once, when a process starts; wrong ones stop it with a sentence that names
them. A `.env` beside the process adds to the environment, for development.
"""

import re
from typing import Annotated, Literal

from dotenv import load_dotenv
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.keys import Keys

Content = Literal["full", "structure"]


class TelemetrySettings(BaseSettings):
    """How much of what is said in a conversation leaves with its telemetry."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,  # it may be a secret
    )

    telemetry_content: Content = "full"
    """Of telemetry frames."""
    telemetry_content_spans: Content | None = None
    """Of spans; not set: as the frames, and `structure` where the collector is elsewhere."""
    telemetry_redact: str = ""
    """`module:name` or `file.py:name` of a function that says what of `full` may leave."""


class SharedSettings(TelemetrySettings):
    """What both kinds of process need to find the same sessions and the same collector."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,32}$")] = ""
    redis_url: SecretStr = SecretStr("redis://localhost:6379/0")
    session_ttl: Annotated[int, Field(ge=1)] = 86_400
    """Seconds that a session lives after its last event."""
    log_max_events: Annotated[int, Field(ge=10)] = 10_000
    patient_timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds that a `/patient` request may take."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """Where a process serves its metrics to whoever reaches it; 0: nowhere."""

    def keys(self) -> Keys:
        return Keys(self.namespace)


def read_env_file() -> None:
    """Add what `.env` in the working folder says and the environment does not. The whole process
    sees it: the `OTEL_*` variables and a model provider's keys are read by their own libraries."""
    load_dotenv(".env", override=False)


def describe(settings: BaseSettings) -> str:
    """The effective settings in one line, secrets hidden: what a process logs when it starts."""
    values = settings.model_dump()
    return " ".join(
        f"{name.upper()}={_hide_user(value)}" for name, value in values.items() if value != ""
    )


def _hide_user(value: object) -> object:
    """A URL without its user, query and fragment, any of which may be a secret."""
    if not isinstance(value, str) or "://" not in value:
        return value
    scheme, _, rest = value.partition("://")
    place = re.split(r"[?#]", rest)[0].rpartition("@")[2]
    return f"{scheme}://{place}"
