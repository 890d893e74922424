"""The image as a folder: what the Dockerfile copies, and the packages that it installs.

Nothing is downloaded: the packages are those of this environment that the lock names.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests.deploy.files import image_copies
from tests.docs.markdown import ROOT, read_page
from tests.gateway.built_page import write_build

LOCK = "requirements-runtime.lock"


def locked(lock: str) -> dict[Requirement, list[str]]:
    """The requirements of a lock, with their hashes."""
    text = re.sub(r"^ *#.*\n", "", read_page(lock), flags=re.MULTILINE)
    entries = [entry.split("\\") for entry in re.split(r"\n(?=\S)", text.strip())]
    return {
        Requirement(name.strip()): [word.strip() for word in hashes] for name, *hashes in entries
    }


def build_image(folder: Path) -> dict[str, str]:
    """Lay out what the image has in `folder`; returns the environment in which this Python finds
    that and nothing else. A page of the tests stands for the built one."""
    for sources, target in image_copies():
        if target.startswith("./") and target != "./":
            (source,) = sources
            shutil.copytree(ROOT / source, folder / target)
    (folder / "frontend").mkdir()
    write_build(folder / "frontend")
    packages = folder / "packages"
    packages.mkdir()
    for path in _installed():
        (packages / path.name).symlink_to(path)
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(packages)}


def python(*arguments: str) -> list[str]:
    """This Python without the packages of its environment (-S)."""
    return [sys.executable, "-S", *arguments]


def _installed() -> Iterator[Path]:
    """What the packages of the lock have put into this environment: each package's own folder or
    file at the top, once."""
    seen: set[str] = set()
    for requirement in locked(LOCK):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            package = distribution(requirement.name)
        except PackageNotFoundError as error:
            raise AssertionError(f"{requirement.name} is not in this environment") from error
        for name in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"} - seen:
            seen.add(name)
            yield Path(str(package.locate_file(name)))
