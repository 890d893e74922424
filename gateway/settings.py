"""Settings of one gateway process (DESIGN section 6)."""

from typing import Annotated

from pydantic import AnyHttpUrl, Field, field_validator
from pydantic_settings import NoDecode

from shared.session_log import PAGE_BYTES
from shared.settings import SharedSettings

DEFAULT_ORIGINS = ("http://localhost:3000", "http://localhost:5173")


class GatewaySettings(SharedSettings):
    """Every bound of the gateway, named."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = DEFAULT_ORIGINS
    """Comma-separated. An origin equal to the request's own `Host` is always allowed."""
    max_frame_bytes: Annotated[int, Field(ge=1024)] = 1_048_576
    max_inbox: Annotated[int, Field(ge=1)] = 100
    """Unanswered messages that one session may have."""
    max_tab_buffer_bytes: Annotated[int, Field(ge=1024, lt=2**31)] = 262_144
    """Written to a tab and not yet taken; above it the tab is *behind* and catches up from the
    log."""
    heartbeat_seconds: Annotated[float, Field(gt=0)] = 15.0
    stall_seconds: Annotated[float, Field(gt=0)] = 120.0
    """A socket that takes nothing for so long is closed with 1013."""
    close_seconds: Annotated[float, Field(gt=0)] = 2.0
    """How long a peer may take to answer a close before its connection is cut."""
    linger_seconds: Annotated[float, Field(ge=0)] = 2.0
    """How long a session's channel stays subscribed after its last tab has gone."""
    heads_seconds: Annotated[float, Field(gt=0)] = 5.0
    """How often the heads of the followed logs are compared with the cursors of their tabs."""
    page_events: Annotated[int, Field(ge=1, le=10_000)] = 512
    """Log entries read at once."""
    page_bytes: Annotated[int, Field(ge=1024)] = PAGE_BYTES
    """Of the entries read at once; a bigger one comes alone."""
    max_patient_requests: Annotated[int, Field(ge=1)] = 32
    """`/patient` requests that one gateway waits for at once; one more gets 503."""
    accept_seconds: Annotated[float, Field(gt=0)] = 4.0
    """How long a message may take to be accepted before its tab gets `unavailable`."""
    drain_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long a gateway that is told to stop takes to send its tabs elsewhere."""

    jaeger_ui_url: str = ""
    """Where people look at traces, as their browsers reach it; in the page, without a `/` at its
    end."""

    @field_validator("jaeger_ui_url")
    @classmethod
    def _check_base(cls, value: str) -> str:
        if not value:
            return value
        url = AnyHttpUrl(value)
        # The page appends a path, and whoever opens the page can read it.
        if url.query is not None or url.fragment is not None or url.username or url.password:
            raise ValueError("a URL without user, query and fragment")
        return str(url).rstrip("/")

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
