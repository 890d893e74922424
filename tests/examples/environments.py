"""Environments for the examples: made fresh, and filled by pip as their readers fill theirs."""

import asyncio
import sys
import sysconfig
import venv
from pathlib import Path

from tests.support.processes import ROOT

INSTALL = ("-m", "pip", "--disable-pip-version-check", "--quiet")


def make_environment(folder: Path) -> Path:
    """An empty environment; returns its Python."""
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def make_environment_beside_the_lock(folder: Path) -> Path:
    """An environment with the locked packages, as `make setup` makes one, without the minute: they
    are seen from here, and what is installed besides stays there. Returns its Python."""
    python = make_environment(folder)
    locked = sysconfig.get_path("purelib")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    site = folder / "lib" / version / "site-packages"
    (site / "locked.pth").write_text(f"import site; site.addsitedir({locked!r})\n")
    (folder / ".ready").touch()
    return python


async def install(python: Path, *arguments: str, folder: Path = ROOT) -> None:
    """Have pip install into the environment of this Python, from `folder`."""
    pip = (*INSTALL, "--python", str(python), "install")
    status, out = await run(Path(sys.executable), *pip, *arguments, folder=folder)
    assert status == 0, out


async def run(python: Path, *arguments: str, folder: Path = ROOT) -> tuple[int, str]:
    """Run it to its end; its status and everything that it printed."""
    process = await asyncio.create_subprocess_exec(
        python,
        *arguments,
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()
