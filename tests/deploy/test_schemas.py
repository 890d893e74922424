"""The container files against what their readers publish: the Compose specification's JSON Schema,
and the schemas of the Kubernetes API, those of the oldest and of the newest version that we name.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.deploy.manifests import EXAMPLE, KUBERNETES, KUSTOMIZATION, MANIFESTS
from tests.docs.markdown import ROOT

OLDEST, NEWEST = "1.30", "1.37"
"""Of Kubernetes: before the first, a `preStop` could not sleep."""
COMPOSE = ROOT / "docker-compose.yml"
FILES = [KUBERNETES / name for name in (*KUSTOMIZATION["resources"], "secret.example.yaml")]


def judge_compose(file: Path) -> "subprocess.CompletedProcess[str]":
    return _run("check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file))


def judge_manifests(version: str, files: Sequence[Path]) -> "subprocess.CompletedProcess[str]":
    """Nothing passes that the schema does not name (`--strict`)."""
    return _run("kubernetes_validate", "-k", version, "--strict", *map(str, files))


def _run(module: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_compose_file_is_one() -> None:
    judged = judge_compose(COMPOSE)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("init: true", "innit: true"),
        ("restart: unless-stopped", "restart: [unless-stopped]"),
        ('["127.0.0.1:8000:8000"]', '{ "8000": "8000" }'),
    ],
)
def test_a_compose_file_with_a_mistake_is_none(tmp_path: Path, right: str, wrong: str) -> None:
    text = COMPOSE.read_text()
    assert right in text
    file = tmp_path / "docker-compose.yml"
    file.write_text(text.replace(right, wrong))
    judged = judge_compose(file)
    assert (judged.returncode, "validation errors" in judged.stdout) == (1, True)


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_takes_every_manifest(version: str) -> None:
    """Those of the example, too; each has a schema, which it passes."""
    judged = judge_manifests(version, FILES)
    assert judged.returncode == 0, judged.stdout
    passed = re.findall(rf"^INFO .* passed .* against version {version}$", judged.stdout, re.M)
    assert len(passed) == len(MANIFESTS) + len(EXAMPLE), judged.stdout


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("maxUnavailable: 0", "maxUnavailble: 0"),
        ("failureThreshold: 60", 'failureThreshold: "60"'),
        ('METRICS_PORT: "9100"', "METRICS_PORT: 9100"),
    ],
)
def test_a_manifest_with_a_mistake_is_refused(tmp_path: Path, right: str, wrong: str) -> None:
    text = (KUBERNETES / "gateway.yaml").read_text()
    assert right in text
    file = tmp_path / "gateway.yaml"
    file.write_text(text.replace(right, wrong))
    assert judge_manifests(NEWEST, [file]).returncode == 1
