"""What is installed is pinned by its hash, and comes from whatever registry this machine uses."""

import json
import re
from typing import Any

import pytest

from tests.support.deployment import ROOT


@pytest.mark.parametrize("folder", ["frontend", "frontend/lighthouse"])
def test_every_npm_package_has_its_hash_and_no_address(folder: str) -> None:
    lock: dict[str, Any] = json.loads((ROOT / folder / "package-lock.json").read_text())
    packages: dict[str, dict[str, Any]] = {
        name: package
        for name, package in lock["packages"].items()
        if name and not package.get("inBundle")
    }
    assert packages
    for name, package in packages.items():
        assert "integrity" in package, name
        assert "resolved" not in package, name


def test_every_python_package_has_its_hash_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    for requirement in re.split(r"\n(?=\w)", text)[1:]:
        assert re.match(r"[\w.\[\],-]+==\S+ .*--hash=sha256:", requirement, re.DOTALL), requirement
    assert not re.search(r"https?://|^--", text, re.MULTILINE)
