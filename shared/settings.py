"""Settings that gateway and worker share. Names, defaults and meanings are those of DESIGN section
6.

Read from the environment once, when a process starts; wrong ones stop it with a sentence that names
them. A `.env` beside the process adds to the environment, for development.
"""

from typing import Annotated, Literal

from dotenv import load_dotenv
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.keys import Keys


class SharedSettings(BaseSettings):
    """What both kinds of process need to find the same sessions and the same collector."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9-]{0,32}$")] = ""
    redis_url: SecretStr = SecretStr("redis://localhost:6379/0")
    session_ttl: Annotated[int, Field(ge=1)] = 86_400
    """Seconds that a session lives after its last event."""
    log_max_events: Annotated[int, Field(ge=10)] = 10_000
    patient_timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds that a `/patient` request may take."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def keys(self) -> Keys:
        return Keys(self.namespace)


def read_env_file() -> None:
    """Add what `.env` in the working folder says and the environment does not. The whole process
    sees it: the `OTEL_*` variables and a model provider's keys are read by their own libraries."""
    load_dotenv(".env", override=False)


def describe(settings: BaseSettings) -> str:
    """The effective settings in one line, secrets hidden: what a process logs when it starts."""
    values = settings.model_dump()
    return " ".join(f"{name.upper()}={value}" for name, value in values.items() if value != "")
