"""What a gateway's settings say about the web around it."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.settings import DEFAULT_ORIGINS, GatewaySettings

OWN = {"127.0.0.1", "localhost"}
"""The default HOST, and the host of the default ALLOWED_ORIGINS."""


def settings(**values: Any) -> GatewaySettings:
    """As the environment would give them."""
    return GatewaySettings.model_validate(values)


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("https://a.example", ("https://a.example",)),
        ("https://a.example, http://b.example:8080,", ("https://a.example", "http://b.example:8080")),
        ("http://[2001:db8::1]:8000", ("http://[2001:db8::1]:8000",)),
        ("none", ()),
    ],
)  # fmt: skip
def test_origins_are_a_list_or_none_at_all(value: str, origins: tuple[str, ...]) -> None:
    assert settings(allowed_origins=value).allowed_origins == origins


def test_without_a_word_origins_are_those_of_development() -> None:
    assert settings().allowed_origins == DEFAULT_ORIGINS


@pytest.mark.parametrize(
    "value",
    [
        "*", "a.example", "https://", "https://a.example/", "https://a.example/page", "null",
        "https://*.example", "ftp://a.example", "https://user@a.example", "https://a.example:port",
        "https://a.example none", "none,https://a.example", "https://ä.example",
    ],
)  # fmt: skip
def test_what_no_browser_would_send_as_an_origin_is_refused(value: str) -> None:
    """It would never match, and whoever wrote it would believe that it does."""
    with pytest.raises(ValidationError, match="is no origin"):
        settings(allowed_origins=value)


@pytest.mark.parametrize("name", ["auth_secret", "auth_jwks_url", "auth_issuer", "auth_audience"])
def test_settings_for_tokens_without_a_mode_stop_it(name: str) -> None:
    """Somebody believes that tokens are asked for; the sentence names what would have no effect."""
    value = "https://id.example/" + "x" * 32
    with pytest.raises(ValidationError, match=rf"AUTH_MODE is not set, and {name.upper()} would"):
        settings(**{name: value})
    assert settings(**{name: value}, auth_mode="none").auth_mode == "none"


def test_all_of_them_are_named() -> None:
    with pytest.raises(ValidationError, match="AUTH_ISSUER, AUTH_AUDIENCE would"):
        settings(auth_issuer="i", auth_audience="a")


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({}, OWN),
        ({"allowed_origins": "none"}, {"127.0.0.1"}),
        ({"host": "gateway.LAN", "auth_mode": "none"}, {"gateway.lan", "localhost"}),
        ({"allowed_origins": "https://chat.example:444"}, {"127.0.0.1", "chat.example"}),
        ({"allowed_hosts": "Chat.example, b"}, {*OWN, "chat.example", "b"}),
        ({"allowed_hosts": "*"}, None),
        ({"auth_mode": "jwt", "auth_secret": "s" * 32}, None),
        ({"auth_mode": "jwt", "auth_secret": "s" * 32, "allowed_hosts": "a"}, {*OWN, "a"}),
    ],
    ids=str,
)
def test_the_names_of_a_gateway(values: dict[str, str], names: set[str] | None) -> None:
    """Its host, the hosts of its pages, and those that are said; all of them where it asks for
    tokens and nothing is said."""
    assert settings(**values).own_hosts == names


@pytest.mark.parametrize("value", ["a:8000", "https://a", "a/b", "*.example", "a b", "[::1]", "a."])
def test_what_is_no_name_of_a_host_is_refused(value: str) -> None:
    with pytest.raises(ValidationError, match="is no name of a host"):
        settings(allowed_hosts=value)


@pytest.mark.parametrize(
    ("proxies", "trusted"),
    [("127.0.0.1,::1", ["127.0.0.1", "::1"]), ("10.0.0.0/8, 192.0.2.7", ["10.9.9.9", "192.0.2.7"])],
)
def test_trusted_proxies_are_addresses_and_networks(proxies: str, trusted: list[str]) -> None:
    one = settings(trusted_proxies=proxies)
    assert all(one.trusts(address) for address in trusted)
    assert not any(one.trusts(address) for address in ("192.0.2.8", "2001:db8::1", "", "proxy"))
    assert not any(settings(trusted_proxies="none").trusts(address) for address in trusted)
