"""The container files against the code: modules, ports and variables that they name are there.

Nothing is built or run here: that needs Docker.
"""

import asyncio
import json
import os
import re
import runpy
import sys
from typing import Any

import pytest
import yaml

from agent_worker.settings import WorkerSettings
from dev.embedded_redis import free_port
from dev.node import is_new_enough
from gateway.app import FRONTEND
from gateway.settings import GatewaySettings
from tests.docs.markdown import ROOT, read_page
from tests.docs.test_settings_doc import names_of
from tests.support.deployment import Deployment

COMPOSE: dict[str, Any] = yaml.safe_load(read_page("docker-compose.yml"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = read_page("Dockerfile")
NGINX = re.sub(r"#.*", "", read_page("deploy/nginx.conf"))
AIDBOX = {"aidbox", "aidbox-db"}
"""What needs a licence."""
PROFILES = dict.fromkeys(AIDBOX, "aidbox") | {"prometheus": "monitoring", "grafana": "monitoring"}
"""What starts only when it is asked for, and how."""
LATEST_MINOR = 999
"""An image that names a major version has its latest minor one."""
OURS = {"gateway": GatewaySettings, "agent_worker": WorkerSettings}


def image_environment() -> dict[str, str]:
    """What the Dockerfile sets for every process."""
    lines = re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE)
    return dict(pair.split("=") for line in lines for pair in line.split())


def test_the_services_are_those_of_the_system() -> None:
    ours = {"redis", "gateway", "agent_worker", "proxy", "jaeger"}
    assert set(SERVICES) - set(PROFILES) == ours
    for service in SERVICES.values():
        assert set(service.get("depends_on", {})) <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_the_command_is_a_package_that_can_be_run_and_is_in_the_image(name: str) -> None:
    python, option, package = SERVICES[name]["command"]
    assert (python, option) == ("python", "-m")
    assert package == name
    assert (ROOT / package / "__main__.py").is_file()
    assert runpy.run_module(f"{package}.__main__", run_name="looked at")["main"]
    copied = re.findall(r"^COPY (\S+) \./", DOCKERFILE, re.MULTILINE)
    assert {package, "shared", "requirements.lock"} <= set(copied)
    assert all((ROOT / path).exists() for path in copied)


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_process_reads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = OURS[name]
    environment: dict[str, str | None] = SERVICES[name]["environment"]
    known = {names[0] for names in names_of(settings)}
    ours = {variable for variable in environment if not variable.startswith("OTEL_")}
    assert ours - known == set()
    for variable, value in (image_environment() | environment).items():
        given = re.sub(r"\$\{\w+:-(\w*)\}", r"\1", value or "")  # where nobody has set it
        monkeypatch.setenv(variable, given)
    assert settings().redis_url.get_secret_value() == "redis://redis:6379/0"


def test_gateways_can_be_added_because_none_takes_a_port_of_the_host() -> None:
    assert "ports" not in SERVICES["gateway"]
    assert "container_name" not in SERVICES["gateway"]


def test_what_is_open_is_open_on_this_machine_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {
        "proxy": ["127.0.0.1:8000:8000"],
        "jaeger": ["127.0.0.1:16686:16686"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3001:3000"],
        "aidbox": ["127.0.0.1:8080:8080"],
    }


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


def test_the_proxy_listens_where_it_is_published_and_speaks_to_the_gateways() -> None:
    assert re.findall(r"listen\s+(\d+);", NGINX) == ["8000"]
    assert re.findall(r"set \$gateway (\S+);", NGINX) == [f"gateway:{image_environment()['PORT']}"]
    assert "proxy_pass http://$gateway;" in NGINX
    source, target, _ = SERVICES["proxy"]["volumes"][0].split(":")
    assert (ROOT / source).is_file()
    assert target == "/etc/nginx/nginx.conf"


def test_the_proxy_carries_sockets_and_nothing_is_sticky() -> None:
    for header in ("Upgrade $http_upgrade", "Connection $connection_upgrade", "Host $http_host"):
        assert f"proxy_set_header {header};" in NGINX
    assert not re.search(r"ip_hash|sticky|\bhash\b", NGINX)
    seconds = int(re.findall(r"proxy_read_timeout (\d+)s;", NGINX)[0])
    assert seconds > 2 * GatewaySettings.model_fields["heartbeat_seconds"].default


def test_redis_and_aidbox_keep_what_they_were_told() -> None:
    assert "--appendonly yes" in " ".join(SERVICES["redis"]["command"])
    for name, place in (("redis", "/data"), ("aidbox-db", "/var/lib/postgresql/data")):
        volume, folder = SERVICES[name]["volumes"][0].split(":")
        assert (volume in COMPOSE["volumes"], folder) == (True, place)


def test_processes_have_the_time_that_they_take_to_leave() -> None:
    worker, gateway = WorkerSettings.model_fields, GatewaySettings.model_fields
    leaving = {
        "gateway": gateway["drain_seconds"].default,
        "agent_worker": worker["drain_seconds"].default + worker["lease_seconds"].default,
    }
    for name, seconds in leaving.items():
        assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > seconds


def test_spans_go_where_jaeger_takes_them() -> None:
    for name in OURS:
        assert SERVICES[name]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://jaeger:4318"
    assert SERVICES["jaeger"]["environment"]["COLLECTOR_OTLP_ENABLED"] == "true"


def test_the_image_is_a_supported_python_with_the_locked_packages_and_no_rights() -> None:
    version = re.findall(r"^FROM python:(\d+\.\d+)-slim$", DOCKERFILE, re.MULTILINE)
    assert version == ["3.13"]
    assert "--require-hashes -r requirements.lock" in DOCKERFILE
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert user == re.findall(r"useradd .* (\S+)$", DOCKERFILE, re.MULTILINE)


def test_the_image_has_the_page_where_the_gateway_looks_for_it() -> None:
    """Built there from the locked packages, by a Node that they take."""
    (version,) = re.findall(r"^FROM node:(\d+)-slim AS page$", DOCKERFILE, re.MULTILINE)
    assert is_new_enough((int(version), LATEST_MINOR))
    (sources,) = re.findall(r"^COPY (.*package-lock\.json.*) \./$", DOCKERFILE, re.MULTILINE)
    assert all((ROOT / path).is_file() for path in sources.split())
    assert "RUN npm ci\n" in DOCKERFILE
    (built,) = re.findall(r"^COPY --from=page /(\S+) \./(\S+)$", DOCKERFILE, re.MULTILINE)
    assert built == (str(FRONTEND.relative_to(ROOT)),) * 2


def test_nothing_that_this_machine_has_built_gets_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".git", ".env", ".venv*", "var", "**/node_modules", "**/dist"} <= set(ignored)


async def test_the_health_check_passes_at_a_gateway_and_fails_without_one(
    system: Deployment,
) -> None:
    """The command of the image itself, with this Python."""
    (words,) = re.findall(r'^  CMD \["python", "-c", "(.*)"\]$', DOCKERFILE, re.MULTILINE)
    code = words.replace('\\"', '"')
    port = system.processes[0].port
    assert await _status_of(code, port) == 0
    assert await _status_of(code, free_port()) != 0


async def _status_of(code: str, port: int) -> int:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        env=os.environ | {"PORT": str(port)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()
