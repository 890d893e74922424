"""The objects of deploy/kubernetes against each other: probes, rights, selectors, ways in."""

from typing import Any, cast

import httpx2 as httpx
import pytest

from dev.embedded_redis import free_port
from tests.deploy.files import DOCKERFILE
from tests.deploy.manifests import (
    PACKAGES,
    WORKLOADS,
    container_of,
    filled_in,
    of_kind,
    pod_of,
    settings_of,
)
from tests.docs.markdown import read_page
from tests.support.deployment import Deployment

METRICS = ("prometheus.io/scrape", "prometheus.io/port")


@pytest.mark.parametrize("name", PACKAGES)
def test_probes_ask_at_ports_and_paths_that_are_there(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = cast(Any, settings_of(name, monkeypatch))
    container = container_of(name)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports.pop("metrics") == settings.metrics_port
    assert ports == ({"http": settings.port} if name == "gateway" else {})
    asked = {kind: container[kind]["httpGet"] for kind in container if kind.endswith("Probe")}
    if name == "gateway":
        paths = {kind: (get["path"], get["port"]) for kind, get in asked.items()}
        assert paths == {
            "startupProbe": ("/healthz", "http"),
            "livenessProbe": ("/healthz", "http"),
            "readinessProbe": ("/readyz", "http"),
        }
        period = container["readinessProbe"]
        assert period["periodSeconds"] * period["failureThreshold"] <= 5
    else:
        metrics = {"path": "/", "port": "metrics"}  # served at any path
        assert asked == {"startupProbe": metrics, "livenessProbe": metrics}
    annotations = pod_of(name)["metadata"]["annotations"]
    assert [annotations[key] for key in METRICS] == ["true", str(settings.metrics_port)]


@pytest.mark.parametrize("name", PACKAGES)
async def test_every_probe_passes_at_a_process_with_the_settings_of_its_pod(
    name: str, deployment: Deployment
) -> None:
    """Tokens are asked for there; none of a probe."""
    metrics_port = free_port()
    settings = filled_in(name) | {"METRICS_PORT": str(metrics_port)}
    for ours in ("REDIS_URL", "HOST", "PORT", "METRICS_HOST"):
        settings.pop(ours)
    start = deployment.start_gateway if name == "gateway" else deployment.start_worker
    process = await start(**settings)
    ports = {"http": process.port, "metrics": metrics_port}
    container = container_of(name)
    probes = [container[kind]["httpGet"] for kind in container if kind.endswith("Probe")]
    assert probes
    async with httpx.AsyncClient() as http:
        for probe in probes:
            url = f"http://127.0.0.1:{ports[probe['port']]}{probe['path']}"
            assert (await http.get(url)).status_code == 200, url


@pytest.mark.parametrize("name", WORKLOADS)
def test_no_pod_has_rights_or_is_told_of_others(name: str) -> None:
    """As the namespace's `restricted` demands, and a root file system that is only read."""
    pod, container = pod_of(name)["spec"], container_of(name)
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert {"memory"} == set(container["resources"]["limits"])
    if name in PACKAGES:
        assert f"USER {pod['securityContext']['runAsUser']}:" in DOCKERFILE


def test_selectors_choose_the_pods_of_their_name() -> None:
    for name in WORKLOADS:
        assert pod_of(name)["metadata"]["labels"] == {"app": name}
        for kind in ("Deployment", "StatefulSet", "PodDisruptionBudget"):
            if name in (objects := of_kind(kind)):
                assert objects[name]["spec"]["selector"] == {"matchLabels": {"app": name}}
        for spread in pod_of(name)["spec"].get("topologySpreadConstraints", ()):
            assert spread["labelSelector"] == {"matchLabels": {"app": name}}
        policy = of_kind("NetworkPolicy")[name]
        assert policy["spec"]["podSelector"] == {"matchLabels": {"app": name}}
    for name, service in of_kind("Service").items():
        assert service["spec"]["selector"] == {"app": name}


def test_a_disruption_takes_one_pod_of_each_kind_at_a_time() -> None:
    for budget in of_kind("PodDisruptionBudget").values():
        assert budget["spec"]["maxUnavailable"] == 1
    assert set(of_kind("PodDisruptionBudget")) == set(PACKAGES)
    (scaler,) = of_kind("HorizontalPodAutoscaler").values()
    assert scaler["spec"]["scaleTargetRef"]["name"] == "gateway"
    assert scaler["spec"]["minReplicas"] > 1
    assert "replicas" not in of_kind("Deployment")["gateway"]["spec"]


def test_the_way_from_outside_leads_to_any_gateway_and_has_its_patience() -> None:
    (ingress,) = of_kind("Ingress").values()
    annotations: dict[str, str] = {
        name.removeprefix("nginx.ingress.kubernetes.io/"): value
        for name, value in ingress["metadata"]["annotations"].items()
    }
    config = read_page("deploy/nginx.conf")
    for name in ("proxy-read-timeout", "proxy-send-timeout", "proxy-connect-timeout"):
        assert f"{name.replace('-', '_')} {annotations[name]}s;" in config
    for name in ("proxy-next-upstream", "proxy-next-upstream-tries", "proxy-buffering"):
        assert f"{name.replace('-', '_')} {annotations[name]};" in config
    assert f"client_max_body_size {annotations['proxy-body-size']};" in config
    assert not [name for name in annotations if "affinity" in name or "hash" in name]
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    backend = path["backend"]["service"]
    service = of_kind("Service")[backend["name"]]["spec"]
    (port,) = service["ports"]
    assert (port["name"], port["targetPort"]) == (backend["port"]["name"], "http")
    assert service["sessionAffinity"] == "None"
    assert {rule["host"] for rule in ingress["spec"]["rules"]} == set(
        ingress["spec"]["tls"][0]["hosts"]
    )


def test_policies_open_ports_that_are_there_and_redis_to_our_processes_alone() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["nobody-comes-in"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    for name in WORKLOADS:
        opened = [
            port["port"] for rule in policies[name]["spec"]["ingress"] for port in rule["ports"]
        ]
        assert set(opened) == {port["name"] for port in container_of(name)["ports"]}
    (rule,) = policies["redis"]["spec"]["ingress"]
    (who,) = rule["from"][0]["podSelector"]["matchExpressions"]
    assert (who["key"], set(who["values"])) == ("app", set(PACKAGES))
