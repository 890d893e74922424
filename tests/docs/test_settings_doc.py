"""`.env.example` against the settings of the code, in both directions, defaults included."""

import re
from collections.abc import Iterator

import opentelemetry.sdk.environment_variables as otel
import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from agent_worker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from shared.settings import SharedSettings
from tests.docs.markdown import read_page

PAGE = read_page(".env.example")
DOCUMENTED: dict[str, str] = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.*)$", PAGE, re.MULTILINE))
PROCESSES = (GatewaySettings, WorkerSettings)


def names_of(settings: type[BaseSettings]) -> Iterator[list[str]]:
    """The variables of each setting, the one to use first, then the older ones."""
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        choices = alias.choices if isinstance(alias, AliasChoices) else [name]
        yield list(dict.fromkeys(str(choice).upper() for choice in choices))


@pytest.fixture
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that sets nothing of ours."""
    for settings in PROCESSES:
        for names in names_of(settings):
            for name in names:
                monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_every_setting_is_documented() -> None:
    missing = [
        names
        for settings in PROCESSES
        for names in names_of(settings)
        if names[0] not in DOCUMENTED
    ]
    assert missing == []


def test_older_names_are_mentioned_where_the_setting_is() -> None:
    for first, *older in names_of(WorkerSettings):
        for name in older:
            assert re.search(rf"^# .*\b{name}\b.*\n#{first}=", PAGE, re.MULTILINE), name


def test_nothing_is_documented_that_is_not_read() -> None:
    ours = {names[0] for settings in PROCESSES for names in names_of(settings)}
    standard = {value for name, value in vars(otel).items() if name.startswith("OTEL_")}
    assert set(DOCUMENTED) - ours - standard == set()


def test_every_variable_of_opentelemetry_that_our_code_names_is_documented() -> None:
    named = set(re.findall(r'"(OTEL_\w+)"', read_page("shared/tracing.py")))
    assert named
    assert named - set(DOCUMENTED) == set()


@pytest.mark.parametrize("settings", PROCESSES)
def test_the_documented_defaults_are_the_defaults(
    settings: type[SharedSettings], empty_environment: pytest.MonkeyPatch
) -> None:
    """A process that is given every documented value is one that is given none."""
    defaults = settings()
    for name, value in DOCUMENTED.items():
        empty_environment.setenv(name, value)
    assert settings() == defaults


@pytest.mark.parametrize("settings", PROCESSES)
def test_every_default_is_written_down(
    settings: type[SharedSettings], empty_environment: pytest.MonkeyPatch
) -> None:
    """An empty value stands for none at all: a number may not be left out."""
    for name, (first, *_) in zip(settings.model_fields, names_of(settings), strict=True):
        default = settings.model_fields[name].get_default()
        assert bool(DOCUMENTED[first]) == (default not in ("", None, ())), first


def test_every_line_that_sets_something_says_what_and_is_commented_out() -> None:
    """So a copy of the file changes nothing."""
    lines = PAGE.splitlines()
    assert all(line.startswith("#") or not line for line in lines)
    for number, line in enumerate(lines):
        if re.match(r"#[A-Z]", line):
            assert re.match(r"# \S", lines[number - 1]), line
            assert not lines[number - 1].startswith("# ---"), line


def test_the_unit_of_every_time_and_size_is_said() -> None:
    for name in DOCUMENTED:
        unit = "Seconds" if re.search(r"_(SECONDS|TTL|TIMEOUT)$", name) else "Bytes"
        if unit == "Seconds" or name.endswith("_BYTES"):
            assert re.search(rf"^# {unit}\b.*\n#{name}=", PAGE, re.MULTILINE), name
