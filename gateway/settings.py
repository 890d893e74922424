"""Settings of one gateway process (DESIGN section 6)."""

import ipaddress
import re
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from shared.session_log import PAGE_BYTES
from shared.settings import SharedSettings

DEFAULT_ORIGINS = ("http://localhost:3000", "http://localhost:5173")
RETURN_TO = "{return_to}"
"""Where the page puts its own address into AUTH_SIGN_IN_URL."""
NOBODY = "none"
ANY = "*"
HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-fA-F:]+\](:\d{1,5})?")
MEANT_FOR_TOKENS = ("auth_secret", "auth_jwks_url", "auth_issuer", "auth_audience")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
MIN_SECRET_BYTES = 32
"""As long as what HS256 makes of it (RFC 7518, section 3.2)."""


class GatewaySettings(SharedSettings):
    """Every bound of the gateway, named."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = DEFAULT_ORIGINS
    """Comma-separated. An origin equal to the request's own `Host` is always allowed."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Comma-separated: names that browsers may call this gateway by; `*`: any. See `own_hosts`."""
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
    rest_seconds: Annotated[float, Field(ge=0, le=0.1)] = 0.001
    """How long reading from Redis rests where texts come one by one, each soon after the one
    before (`shared/rest.py`): less CPU, for so much of delay. 0 never rests."""
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

    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses and networks, comma-separated, whose `X-Forwarded-For` is believed; or `none`."""
    max_tabs: Annotated[int, Field(ge=1)] = 20_000
    """Tabs that one gateway has open at once; one more gets 503."""
    max_session_tabs: Annotated[int, Field(ge=0)] = 0
    """Tabs that one session may have open, on all gateways. 0: no limit, as below."""
    max_address_tabs: Annotated[int, Field(ge=0)] = 0
    """The same for one address, or one network of IPv6 addresses (/64)."""
    max_address_waiting: Annotated[int, Field(ge=0)] = 500
    """Connections of one address, to one gateway, that are no tabs and are not being answered; one
    more is cut. Those of trusted proxies do not count."""
    max_messages_per_minute: Annotated[int, Field(ge=0)] = 0
    """Messages and stops of one session, on all gateways."""
    max_address_messages_per_minute: Annotated[int, Field(ge=0)] = 0
    """The same for one address."""
    max_address_requests_per_minute: Annotated[int, Field(ge=0)] = 0
    """Requests of one address, but for streams and what is public (health, the page)."""
    max_refused_frames: Annotated[int, Field(ge=1)] = 100
    """Frames in a row that one socket may have refused; one more closes it with 1008."""
    max_body_bytes: Annotated[int, Field(ge=1024)] = 65_536
    """Of one HTTP request."""
    max_head_bytes: Annotated[int, Field(ge=1024)] = 32_768
    """Of one HTTP request's or handshake's line and headers."""
    request_seconds: Annotated[float, Field(gt=0)] = 10.0
    """How long a request or a handshake may take to arrive."""

    auth_mode: Literal["none", "jwt"] | None = None
    """Whether who comes must have a token. Not set: `none` on loopback, and no start elsewhere."""
    auth_secret: SecretStr | None = None
    """The key of tokens that are signed with HS256."""
    auth_jwks_url: str = ""
    """Where the keys of tokens with asymmetric signatures are."""
    auth_issuer: str = ""
    """What `iss` must be; empty: not looked at."""
    auth_audience: str = ""
    """What `aud` must hold; empty: not looked at."""
    auth_claim: str = "sessions"
    """The claim that names the sessions: an id, a beginning of ids and `*`, or a list of both."""
    auth_cookie: str = "fanline_token"
    """The cookie that may hold a browser's token."""
    auth_leeway_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """How far clocks may be apart: a token is good for so long after its end."""
    ticket_seconds: Annotated[int, Field(ge=1, le=300)] = 30
    """How long a ticket opens a socket."""
    auth_sign_in_url: str = ""
    """Where people sign in: a URL or a path of this origin; the page links it, and puts its own
    address in the place of `{return_to}`."""

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

    @field_validator("auth_jwks_url")
    @classmethod
    def _check_jwks(cls, value: str) -> str:
        if value:
            AnyHttpUrl(value)
        return value

    @field_validator("auth_sign_in_url")
    @classmethod
    def _check_sign_in(cls, value: str) -> str:
        if not value:
            return value
        filled = value.replace(RETURN_TO, "x")
        if re.match(r"/(?![/\\])", filled):
            filled = f"http://this.gateway{filled}"
        url = AnyHttpUrl(filled)
        if url.username or url.password or re.search(r"[{}\s]", filled):
            raise ValueError(f"a URL without user, or a path; {RETURN_TO} is all that may be open")
        return value

    @field_validator("allowed_origins", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value == (NOBODY,):
            return ()
        for origin in value:
            if ORIGIN.fullmatch(origin) is None:
                raise ValueError(f"{origin!r} is no origin: scheme://host or scheme://host:port")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(name.lower() for name in value)
        for name in names:
            if name != ANY and HOST_NAME.fullmatch(name) is None:
                raise ValueError(f"{name!r} is no name of a host, nor {ANY}; without a port")
        return names

    @property
    def own_hosts(self) -> frozenset[str] | None:
        """The names, in small letters, that are answered to beside addresses and `localhost`;
        `None`: all. With tokens, a page of a foreign name has no cookie of ours, and gets nothing:
        then it is all unless some are named."""
        if ANY in self.allowed_hosts or (self.auth_mode == "jwt" and not self.allowed_hosts):
            return None
        origins = (urlsplit(origin).hostname or "" for origin in self.allowed_origins)
        return frozenset((self.host.lower(), *origins, *self.allowed_hosts))

    @field_validator("trusted_proxies")
    @classmethod
    def _check_networks(cls, value: str) -> str:
        _networks_of(value)
        return value

    @cached_property
    def _proxies(self) -> tuple[Network, ...]:
        return _networks_of(self.trusted_proxies)

    def trusts(self, host: str) -> bool:
        """Whether this address is a trusted proxy's."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._proxies)

    @model_validator(mode="after")
    def _check_auth(self) -> "GatewaySettings":
        if self.auth_mode == "jwt":
            if bool(self.auth_secret) == bool(self.auth_jwks_url):
                raise ValueError("AUTH_MODE=jwt needs one of AUTH_SECRET and AUTH_JWKS_URL")
            secret = "" if self.auth_secret is None else self.auth_secret.get_secret_value()
            if self.auth_secret and len(secret.encode()) < MIN_SECRET_BYTES:
                raise ValueError(f"AUTH_SECRET has at least {MIN_SECRET_BYTES} bytes")
        elif self.auth_mode is None:
            self._check_open()
        return self

    def _check_open(self) -> None:
        """Raises `ValueError` when it is not certain that nobody is to be asked for a token."""
        if idle := [name.upper() for name in MEANT_FOR_TOKENS if getattr(self, name)]:
            raise ValueError(f"AUTH_MODE is not set, and {', '.join(idle)} would have no effect")
        if not _is_loopback(self.host):
            raise ValueError(
                f"HOST={self.host} is open to others. Set AUTH_MODE=jwt, or AUTH_MODE=none if"
                " whoever reaches it may read and write every session"
            )


def _networks_of(text: str) -> tuple[Network, ...]:
    """Raises `ValueError`."""
    parts = () if text == NOBODY else text.split(",")
    return tuple(ipaddress.ip_network(part.strip()) for part in parts)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
