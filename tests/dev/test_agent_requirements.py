"""What an agent of one's own needs: installed beside the lock, or refused with nothing changed."""

import re
from pathlib import Path

import pytest

from dev.agent_requirements import LOCK, read_pins
from tests.examples.environments import make_environment_beside_the_lock, run

WANTED = "-m", "dev.agent_requirements"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the locked packages."""
    return make_environment_beside_the_lock(tmp_path_factory.mktemp("agent") / "environment")


async def packages_in(environment: Path) -> str:
    status, out = await run(environment, "-m", "pip", "--disable-pip-version-check", "freeze")
    assert status == 0
    return out


def test_the_pins_are_those_of_the_lock_with_their_markers() -> None:
    lock = (
        "# A remark.\n"
        "one==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via two\n"
        "two-x==2.0 ; python_version < '3.12' and os_name == 'nt' \\\n    --hash=sha256:cc\n"
    )
    assert read_pins(lock) == [
        "one==1.0",
        "two-x==2.0 ; python_version < '3.12' and os_name == 'nt'",
    ]
    ours = LOCK.read_text()
    assert len(read_pins(ours)) == len(re.findall(r"^\S+==\S+", ours, re.MULTILINE)) > 0


async def test_a_pin_that_is_not_the_locks_is_refused_and_nothing_is_changed(
    environment: Path, tmp_path: Path
) -> None:
    """pip names both pins; one sentence says what they are."""
    file = tmp_path / "requirements.txt"
    file.write_text("humanize==4.12.0\npydantic==2.0.3\n")
    before = await packages_in(environment)
    status, out = await run(environment, *WANTED, str(file))
    assert status == 1
    assert "pydantic==2.0.3" in out
    assert "(constraint) pydantic==" in out
    assert out.splitlines()[-1] == (
        f"AGENT_REQUIREMENTS: {file} cannot be installed beside Fanline's own packages "
        "(requirements.lock), for the reason that pip gives above."
    )
    assert await packages_in(environment) == before


async def test_requirements_that_are_there_are_not_asked_for(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loose ones that the lock fulfils; no index can be reached."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    file = tmp_path / "requirements.txt"
    file.write_text("pydantic>=2\npydantic-ai-slim[openai]\n")
    assert await run(environment, *WANTED, str(file)) == (0, "")
    status, out = await run(environment, *WANTED, str(tmp_path / "missing.txt"))
    assert (status, out) == (1, f"AGENT_REQUIREMENTS: there is no file {tmp_path}/missing.txt\n")
