"""docker-compose.yml against the code: commands, ports, variables and times that it names.

No container is started here: that needs a container engine.
"""

import json
import re
import runpy
import subprocess
import sys
from typing import cast

import pytest

from agent_worker.settings import WorkerSettings
from dev.embedded_redis import EmbeddedRedis, free_port
from gateway.settings import GatewaySettings
from tests.deploy.files import (
    COMPOSE,
    DOCKERFILE,
    OURS,
    SERVICES,
    image_environment,
    seconds_of,
)
from tests.docs.markdown import ROOT, read_page
from tests.docs.test_settings_doc import names_of
from tests.support.deployment import Deployment

AIDBOX = {"aidbox", "aidbox-db"}
"""What needs a licence."""
PROFILES = dict.fromkeys(AIDBOX, "aidbox") | {"prometheus": "monitoring", "grafana": "monitoring"}
"""What starts only when it is asked for, and how."""
NOT_ASKED_FOR = {
    "HOST", "PORT",  # the image's
    "DRAIN_SECONDS", "LEASE_SECONDS",  # stop_grace_period hangs on them
}  # fmt: skip


def test_the_services_are_those_of_the_system() -> None:
    ours = {"redis", "gateway", "agent_worker", "proxy", "jaeger"}
    assert set(SERVICES) - set(PROFILES) == ours
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_the_command_is_a_package_that_can_be_run(name: str) -> None:
    python, option, package = SERVICES[name]["command"]
    assert (python, option, package) == ("python", "-m", name)
    assert runpy.run_module(f"{package}.__main__", run_name="looked at")["main"]
    assert f"COPY {package} ./{package}" in DOCKERFILE


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_process_reads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every setting can be made from outside, but for those that other lines hang on."""
    known = {names[0] for names in names_of(OURS[name])}
    environment: dict[str, str | None] = SERVICES[name]["environment"]
    ours = {variable for variable in environment if not variable.startswith("OTEL_")}
    assert ours == known - NOT_ASKED_FOR
    for variable, value in (image_environment() | environment).items():
        given = re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value or "")  # where nobody has set it
        monkeypatch.setenv(variable, given)
    assert OURS[name]().redis_url.get_secret_value() == "redis://redis:6379/0"


def test_no_token_is_asked_for_while_the_proxy_is_open_on_this_machine_alone() -> None:
    """The two stand and fall together."""
    assert SERVICES["gateway"]["environment"]["AUTH_MODE"] == "${AUTH_MODE:-none}"
    assert SERVICES["proxy"]["ports"] == ["127.0.0.1:8000:8000"]


@pytest.mark.parametrize("name", OURS)
def test_processes_can_be_added_because_none_has_a_name_or_takes_a_port(name: str) -> None:
    assert not {"ports", "container_name", "hostname"} & set(SERVICES[name])


def test_what_is_open_is_open_on_this_machine_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "proxy": ["127.0.0.1:8000:8000"],
        "jaeger": ["127.0.0.1:16686:16686", "127.0.0.1:4317:4317", "127.0.0.1:4318:4318"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3001:3000"],
        "aidbox": ["127.0.0.1:8080:8080"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_comes_back_tells_how_it_is_and_fills_no_disk_with_its_log(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert "healthcheck" in service or name == "gateway"  # which has the image's
    assert re.fullmatch(r"[a-z-]+(/[a-z-]+)?:v?\d[\w.-]*|fanline", service["image"])


@pytest.mark.parametrize("name", [*OURS, "proxy"])
def test_what_others_reach_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == ["/tmp"]


def test_everything_but_aidbox_starts_without_a_licence() -> None:
    """Its profile is asked for by name, nothing else waits for it, and no variable is required."""
    for name, service in SERVICES.items():
        profile = PROFILES.get(name)
        assert service.get("profiles") == (None if profile is None else [profile]), name
        for other in service.get("depends_on", {}):
            assert PROFILES.get(other, profile) == profile, f"{name} waits for {other}"
    assert ":?" not in read_page("docker-compose.yml")


def test_aidbox_is_ready_for_the_worker_when_its_database_is() -> None:
    aidbox, database = SERVICES["aidbox"], SERVICES["aidbox-db"]
    settings, credentials = aidbox["environment"], database["environment"]
    assert (aidbox["image"], database["image"].split("-")[0]) == (
        "healthsamurai/aidboxone:2507",
        "postgres:17",
    )
    assert settings["BOX_DB_HOST"] in aidbox["depends_on"]
    assert [settings[f"BOX_DB_{name}"] for name in ("USER", "PASSWORD", "DATABASE")] == [
        credentials[f"POSTGRES_{name}"] for name in ("USER", "PASSWORD", "DB")
    ]
    health = aidbox["healthcheck"]
    assert health["test"][-1] == f"http://localhost:{settings['BOX_WEB_PORT']}/health"
    assert (health["interval"], health["retries"], health["start_period"]) == ("5s", 90, "30s")
    assert settings["BOX_BOOTSTRAP_FHIR_PACKAGES"].startswith("hl7.fhir.r4.core#")
    assert settings["BOX_MODULE_MCP_SERVER_ENABLED"] == "true"
    assert settings["BOX_SETTINGS_MODE"] == "read-write"


def test_the_worker_finds_aidbox_where_the_pages_say() -> None:
    """The address by which other containers reach it, with the transport that it speaks."""
    port = SERVICES["aidbox"]["environment"]["BOX_WEB_PORT"]
    for page in ("docker-compose.yml", "docs/operations.md"):
        assert f"MCP_URL=http://aidbox:{port}/sse " in read_page(page)
    assert "MCP_URL" in SERVICES["agent_worker"]["environment"]


def test_aidbox_begins_with_a_client_an_open_mcp_server_and_an_organization() -> None:
    """The bundle that is mounted: a batch of PUTs, each of a resource at its own place."""
    source, target, mode = SERVICES["aidbox"]["volumes"][0].split(":")
    assert (SERVICES["aidbox"]["environment"]["BOX_INIT_BUNDLE"], mode) == (
        f"file://{target}",
        "ro",
    )
    bundle = json.loads((ROOT / source).read_text())
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "batch")
    for entry in bundle["entry"]:
        place = f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        assert entry["request"] == {"method": "PUT", "url": place}
    client, its_policy, mcp_policy, organization = (e["resource"] for e in bundle["entry"])
    assert (client["first_party"], client["grant_types"]) == (True, ["basic"])
    assert (its_policy["engine"], mcp_policy["engine"]) == ("allow", "allow")
    assert its_policy["link"] == [{"resourceType": "Client", "id": client["id"]}]
    assert {link["resourceType"] for link in mcp_policy["link"]} == {"Operation"}
    opened = [link["id"] for link in mcp_policy["link"]]
    assert opened == ["mcp", "mcp-sse", "mcp-client-messages"]
    assert organization["resourceType"] == "Organization"


def test_redis_and_aidbox_keep_what_they_were_told() -> None:
    for name, place in (("redis", "/data"), ("aidbox-db", "/var/lib/postgresql/data")):
        volume, folder = SERVICES[name]["volumes"][0].split(":")
        assert (volume in COMPOSE["volumes"], folder) == (True, place)


def test_processes_have_the_time_that_they_take_to_leave() -> None:
    worker, gateway = WorkerSettings.model_fields, GatewaySettings.model_fields
    leaving = {
        "gateway": gateway["drain_seconds"].default + gateway["close_seconds"].default + 1,
        "agent_worker": worker["drain_seconds"].default + worker["lease_seconds"].default,
    }
    for name, seconds in leaving.items():
        assert seconds_of(SERVICES[name]["stop_grace_period"]) > seconds


def test_spans_go_where_jaeger_takes_them() -> None:
    for name in OURS:
        assert SERVICES[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://jaeger:4318"
    assert SERVICES["jaeger"]["environment"]["COLLECTOR_OTLP_ENABLED"] == "true"


def test_redis_is_well_when_it_answers_and_not_when_it_refuses(redis_server: EmbeddedRedis) -> None:
    """As it does while it reads its file, with an error for an answer."""
    port = str(redis_server.port)
    ask = [*SERVICES["redis"]["healthcheck"]["test"][1:-1], "-p", port]
    assert _status_of([*ask, "ping"]) == 0
    assert _status_of([*ask, "no-such-command"]) != 0


async def test_a_worker_is_well_when_its_metrics_answer(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command of the compose file, with this Python."""
    port = free_port()
    await deployment.start_worker(metrics_port=port)
    kind, python, *words = cast(list[str], SERVICES["agent_worker"]["healthcheck"]["test"])
    assert (kind, python) == ("CMD", "python")
    monkeypatch.setenv("METRICS_PORT", str(port))
    assert _status_of([sys.executable, *words]) == 0
    monkeypatch.setenv("METRICS_PORT", str(free_port()))
    assert _status_of([sys.executable, *words]) != 0


def _status_of(command: list[str]) -> int:
    return subprocess.run(command, capture_output=True, check=False, timeout=20).returncode
