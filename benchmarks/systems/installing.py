"""What the peers run on, in folders below `var/benchmarks`, so that nothing of theirs gets into the
product's environment or into the system.

A folder is filled once from its recipe, the pinned versions; then asking costs the reading of one
file. Each function says why it could not, in one sentence, and nothing when all is there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import distributions
from json import loads
from pathlib import Path

from dev.node import find_node

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "benchmarks" / "peers"
INSTALLED = ROOT / "var" / "benchmarks"
PYTHON = INSTALLED / "python"
NODE = INSTALLED / "node"
INSTALL_SECONDS = 600
"""For one command."""


class NotInstalledError(Exception):
    """Why something cannot be had on this machine, in one sentence."""


def install_python() -> str:
    """A virtual environment in `PYTHON` with exactly the packages of requirements.txt."""
    requirements = PEERS / "python" / "requirements.txt"

    def fill(folder: Path) -> None:
        pip = ["bin/python", "-m", "pip"]
        packages = ["install", "--quiet", "--no-deps", "--requirement", str(requirements)]
        run("A Python environment", [sys.executable, "-m", "venv", "."], folder)
        run("The Python peers' packages", [*pip, *packages], folder)
        run("All that the Python peers' packages need", [*pip, "check"], folder)

    return install(PYTHON, sys.version + "\n" + requirements.read_text(), fill)


def install_node() -> str:
    """The packages of package-lock.json in `NODE`."""

    def fill(folder: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / "node" / name, folder)
        node = find_node()
        npm = [*node.npm, "ci", "--no-audit", "--no-fund"]
        run("The Node peers' packages", npm, folder, node.environment(os.environ))

    return install(NODE, (PEERS / "node" / "package-lock.json").read_text(), fill)


def install(folder: Path, recipe: str, fill: Callable[[Path], None]) -> str:
    """Have `fill` fill the folder, unless it has done so by the same recipe before. A folder that
    was left half filled, or filled by another recipe, is emptied first."""
    done = folder / "recipe"
    if done.is_file() and done.read_text() == recipe:
        return ""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        fill(folder)
    except NotInstalledError as reason:
        return str(reason)
    done.write_text(recipe)
    return ""


def run(
    what: str, command: list[str], folder: Path, environment: Mapping[str, str] | None = None
) -> str:
    """What the command says when it is run in the folder. Raises `NotInstalledError`, with its last
    line, when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotInstalledError(f"{what} could not be installed: {error}.") from error
    if done.returncode:
        said = done.stdout.strip().splitlines() or [f"exit status {done.returncode}"]
        raise NotInstalledError(f"{what} could not be installed: {said[-1].rstrip('.')}.")
    return done.stdout


def python_versions(*packages: str) -> str:
    """Such as `Python 3.11.7, uvicorn 0.54.0`."""
    site = next(PYTHON.glob("lib/python*/site-packages"))
    found = {item.name: item.version for item in distributions(path=[str(site)])}
    words = [f"{package} {found[package]}" for package in packages]
    return ", ".join([f"Python {sys.version.split()[0]}", *words])


def node_versions(*packages: str) -> str:
    """Such as `node 20.20.2, ws 8.23.0`."""
    node = run("Node", [find_node().node, "--version"], NODE).strip().removeprefix("v")
    words = [f"{package} {_node_version(package)}" for package in packages]
    return ", ".join([f"node {node}", *words])


def _node_version(package: str) -> str:
    return str(loads((NODE / "node_modules" / package / "package.json").read_text())["version"])
