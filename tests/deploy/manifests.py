"""The manifests of deploy/kubernetes as data, and what a process of theirs is given."""

import pytest
import yaml

from shared.settings import SharedSettings
from tests.deploy.files import OURS, Document, image_environment
from tests.docs.markdown import ROOT

KUBERNETES = ROOT / "deploy/kubernetes"
KUSTOMIZATION: Document = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())


def read_manifests(name: str) -> list[Document]:
    """The objects in one file of `deploy/kubernetes`."""
    return list(yaml.safe_load_all((KUBERNETES / name).read_text()))


MANIFESTS: list[Document] = [
    manifest for name in KUSTOMIZATION["resources"] for manifest in read_manifests(name)
]
"""What `kubectl apply -k` makes, but for the namespace and the image's name."""

PACKAGES = {"gateway": "gateway", "agent-worker": "agent_worker"}
"""Our processes, by their workloads: names of objects may have no underscore."""
EXAMPLE = read_manifests("secret.example.yaml")
FILL_IN = "REPLACE"
"""Stands in the example for every secret."""


def of_kind(kind: str) -> dict[str, Document]:
    """The objects of this kind, by name."""
    return {m["metadata"]["name"]: m for m in MANIFESTS if m["kind"] == kind}


def pod_of(name: str) -> Document:
    """What a pod of this workload is."""
    (owner,) = [
        kinds[name] for kinds in map(of_kind, ("Deployment", "StatefulSet")) if name in kinds
    ]
    return owner["spec"]["template"]


def container_of(name: str) -> Document:
    (container,) = pod_of(name)["spec"]["containers"]
    return container


WORKLOADS = [*of_kind("Deployment"), *of_kind("StatefulSet")]


def environment_of(name: str, secrets: dict[str, str]) -> dict[str, str]:
    """What a process of ours is given: by the image, by its ConfigMap, and by these secrets."""
    container = container_of(name)
    environment = image_environment()
    for source in container["envFrom"]:
        environment |= of_kind("ConfigMap")[source["configMapRef"]["name"]]["data"]
    for variable in container["env"]:
        environment[variable["name"]] = secrets[variable["valueFrom"]["secretKeyRef"]["key"]]
    return environment


def example_secrets() -> dict[str, str]:
    return EXAMPLE[0]["stringData"]


def filled_in(name: str) -> dict[str, str]:
    """The environment of a process, with secrets in the example's places."""
    secrets = {key: value.replace(FILL_IN, "s" * 32) for key, value in example_secrets().items()}
    return environment_of(name, secrets)


def settings_of(name: str, monkeypatch: pytest.MonkeyPatch) -> SharedSettings:
    """The settings that a process makes of it."""
    for variable, value in filled_in(name).items():
        monkeypatch.setenv(variable, value)
    return OURS[PACKAGES[name]]()
