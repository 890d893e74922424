"""The processes of deploy/kubernetes against the code: images, commands, settings, secrets, times.

No cluster is here; the Redis of the manifests is started on Debian's server.
"""

import re
import subprocess
from pathlib import Path
from typing import Any, cast

import pytest
import redis

from dev.embedded_redis import EmbeddedRedis
from gateway.settings import GatewaySettings
from tests.deploy.files import DOCKERFILE, SERVICES
from tests.deploy.manifests import (
    EXAMPLE,
    FILL_IN,
    KUBERNETES,
    KUSTOMIZATION,
    PACKAGES,
    WORKLOADS,
    container_of,
    environment_of,
    example_secrets,
    of_kind,
    pod_of,
    settings_of,
)
from tests.docs.markdown import ROOT, read_page
from tests.docs.test_settings_doc import names_of
from tests.support.redis_users import PASSWORD


def test_every_file_is_part_of_it_but_for_the_example() -> None:
    files = {path.name for path in KUBERNETES.glob("*.yaml")}
    named = {*KUSTOMIZATION["resources"], "kustomization.yaml", "secret.example.yaml"}
    assert files == named


def test_all_of_it_lives_in_its_own_namespace() -> None:
    (namespace,) = of_kind("Namespace")
    assert KUSTOMIZATION["namespace"] == namespace
    assert {secret["metadata"]["namespace"] for secret in EXAMPLE} == {namespace}


def test_the_image_is_that_of_the_dockerfile_and_of_this_version() -> None:
    (image,) = KUSTOMIZATION["images"]
    assert {container_of(name)["image"] for name in PACKAGES} == {image["name"]}
    assert image["name"] == SERVICES["gateway"]["image"]
    version = re.findall(r'^version = "(.*)"', read_page("pyproject.toml"), re.MULTILINE)
    assert [image["newTag"]] == version


@pytest.mark.parametrize("name", PACKAGES)
def test_the_command_is_a_package_of_the_image(name: str) -> None:
    package = PACKAGES[name]
    assert container_of(name)["command"] == ["python", "-m", package]
    assert f"COPY {package} ./{package}" in DOCKERFILE
    assert (ROOT / package / "__main__.py").is_file()


@pytest.mark.parametrize("name", PACKAGES)
def test_every_variable_is_one_that_the_process_reads(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(name, monkeypatch)
    known = {names[0] for names in names_of(type(settings))}
    given = {v["name"] for v in container_of(name)["env"]} | set(of_kind("ConfigMap")[name]["data"])
    assert given - known == set()
    assert settings.metrics_host == "0.0.0.0"


def test_nothing_starts_with_the_secrets_of_the_example(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are public. (Nobody comes in at its Redis, either.)"""
    for variable, value in environment_of("gateway", example_secrets()).items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match="AUTH_SECRET has at least"):
        GatewaySettings()


def test_strangers_are_asked_for_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of("gateway", monkeypatch)
    assert isinstance(settings, GatewaySettings)
    assert (settings.auth_mode, settings.allowed_origins) == ("jwt", ())


def test_every_secret_that_is_asked_for_is_in_the_example() -> None:
    keys = {secret["metadata"]["name"]: set(secret["stringData"]) for secret in EXAMPLE}
    asked: dict[str, set[str]] = {name: set() for name in keys}
    for name in WORKLOADS:
        for variable in container_of(name).get("env", ()):
            reference = variable["valueFrom"]["secretKeyRef"]
            asked[reference["name"]].add(reference["key"])
        for volume in pod_of(name)["spec"].get("volumes", ()):
            if "secret" in volume:
                asked[volume["secret"]["secretName"]].add("users.acl")
    assert asked == keys


@pytest.mark.parametrize("name", PACKAGES)
def test_a_process_has_the_time_that_it_takes_to_leave(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = cast(Any, settings_of(name, monkeypatch))
    before = container_of(name).get("lifecycle", {}).get("preStop", {}).get("sleep", {})
    seconds = before.get("seconds", 0) + settings.drain_seconds
    seconds += settings.close_seconds + 1 if name == "gateway" else settings.lease_seconds
    assert pod_of(name)["spec"]["terminationGracePeriodSeconds"] > seconds


def test_redis_is_that_of_the_compose_file_with_its_users() -> None:
    container = container_of("redis")
    assert container["image"] == SERVICES["redis"]["image"]
    assert container["args"] == [
        *SERVICES["redis"]["command"],
        *("--aclfile", "/etc/redis/users.acl"),
    ]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounts == {"data": "/data", "users": "/etc/redis"}
    url = f"redis://gateway:{FILL_IN}@{pod_of('redis')['metadata']['labels']['app']}:6379/0"
    assert example_secrets()["gateway-redis-url"] == url
    assert of_kind("Service")["redis"]["spec"]["ports"] == [{"name": "redis", "port": 6379}]


def test_redis_starts_with_the_shipped_users_and_its_probe_passes_for_the_observer_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line of the manifest on Debian's server, with the file in the test's folder."""
    users = tmp_path / "users.acl"
    users.write_text(_print_users())
    program, *options = container_of("redis")["args"]
    options[options.index("/etc/redis/users.acl")] = str(users)
    server = EmbeddedRedis(tmp_path / "redis", program=program, options=options)
    server.start()
    try:
        probe: list[str] = container_of("redis")["readinessProbe"]["exec"]["command"]
        command = [probe[0], "-p", str(server.port), *probe[1:]]
        monkeypatch.setenv("REDISCLI_AUTH", PASSWORD)
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        monkeypatch.setenv("REDISCLI_AUTH", "wrong")
        assert subprocess.run(command, capture_output=True, check=False).returncode != 0
        with redis.Redis(port=server.port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()  # pyright: ignore[reportUnknownMemberType]
    finally:
        server.stop()


def _print_users() -> str:
    made = subprocess.run(
        ["sh", str(ROOT / "deploy/redis-users.sh")],
        env={"PATH": "/usr/bin:/bin", "OBSERVER_PASSWORD": PASSWORD},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout
