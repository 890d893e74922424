"""`make test-real` says what it needs, and is no part of `make test`."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dev.run_real_tests import SERVICES, Service
from tests.docs.markdown import ROOT, read_page

NAMES = {name for service in SERVICES for names in service.needs for name in names}
SWITCHES = {service.switch for service in SERVICES}


def run_without(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in an environment, and a folder, that say nothing else about services."""
    rest = {name: value for name, value in os.environ.items() if name not in NAMES | SWITCHES}
    return subprocess.run(
        [sys.executable, "-m", "dev.run_real_tests"],
        cwd=folder,
        env=rest | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_any_service_it_exits_2_and_names_what_is_missing(tmp_path: Path) -> None:
    ended = run_without(tmp_path)
    assert ended.returncode == 2
    for service in SERVICES:
        (line,) = [line for line in ended.stderr.splitlines() if service.switch in line]
        assert all(names[0] in line for names in service.needs), line


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.switch)
def test_a_service_without_one_of_its_variables_is_not_passed_over(
    tmp_path: Path, service: Service
) -> None:
    first, *others = service.needs
    ended = run_without(tmp_path, **{service.switch: "1"}, **{names[0]: "x" for names in others})
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[1:] == [
        f"  {service.switch}=1 is set, but {' or '.join(first)} is not"
    ]


def test_make_runs_it_and_make_test_does_not() -> None:
    """A file that pytest would find on its own would be run, or counted as skipped."""
    recipes = dict(re.findall(r"^([\w-]+):.*\n((?:\t.*\n)+)", read_page("Makefile"), re.MULTILINE))
    assert "dev.run_real_tests" in recipes["test-real"]
    assert "real" not in recipes["test"]
    files = {path.name for path in (ROOT / "tests/real").glob("*.py")}
    assert {Path(service.file).name for service in SERVICES} == files - {"__init__.py"}
    assert not [name for name in files if re.match(r"test_|.*_test\.py$|conftest", name)]


def test_the_page_names_every_switch_and_variable() -> None:
    page = read_page("docs/operations.md")
    for name in SWITCHES | {names[0] for service in SERVICES for names in service.needs}:
        assert f"`{name}" in page, name
