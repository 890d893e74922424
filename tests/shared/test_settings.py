"""Settings: fixed names, good defaults, and a sentence that names what is wrong."""

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from shared.ids import SessionId
from shared.settings import SharedSettings, describe


@pytest.fixture(autouse=True)
def _no_settings_of_the_person_at_the_keyboard(  # pyright: ignore[reportUnusedFunction]
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    for name in ("NAMESPACE", "REDIS_URL", "SESSION_TTL", "LOG_MAX_EVENTS", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))  # no .env here


def test_the_defaults_are_those_that_the_design_gives() -> None:
    settings = SharedSettings()
    assert settings.namespace == ""
    assert settings.redis_url.get_secret_value() == "redis://localhost:6379/0"
    assert (settings.session_ttl, settings.log_max_events) == (86_400, 10_000)


def test_the_environment_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMESPACE", "blue-2")
    monkeypatch.setenv("SESSION_TTL", "60")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere:1/2")
    settings = SharedSettings()
    assert (settings.namespace, settings.session_ttl) == ("blue-2", 60)
    assert settings.redis_url.get_secret_value() == "redis://elsewhere:1/2"
    assert settings.keys().channel(SessionId("a")) == "blue-2:session:{a}"


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSION_TTL", "")
    assert SharedSettings().session_ttl == 86_400


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("NAMESPACE", value) for value in ("Blue", "a:b", "a b", "x" * 33, "{a}")),
        *(("SESSION_TTL", value) for value in ("0", "-1", "soon")),
        *(("LOG_MAX_EVENTS", value) for value in ("9", "many")),
    ],
)
def test_a_wrong_value_stops_the_start_and_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.lower()):
        SharedSettings()


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        SharedSettings().session_ttl = 1


def test_what_is_logged_at_the_start_holds_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:open-sesame@somewhere/0")
    line = describe(SharedSettings())
    assert "SESSION_TTL=86400" in line
    assert "REDIS_URL=**********" in line
    assert "sesame" not in line


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://me:secret@fhir.example/r4?key=secret#secret", "http://fhir.example/r4"),
        ("https://fhir.example:8443/r4/", "https://fhir.example:8443/r4/"),
        ("http://me:sec/ret@fhir.example", "http://fhir.example"),
    ],
)
def test_a_url_is_shown_without_what_may_be_a_secret(url: str, shown: str) -> None:
    """User, query and fragment."""

    class Settings(BaseSettings):
        some_url: str = url

    assert describe(Settings()) == f"SOME_URL={shown}"
