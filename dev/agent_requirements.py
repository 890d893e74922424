"""What an agent of one's own needs, beside what Fanline needs: `AGENT_REQUIREMENTS=FILE make run`.

pip installs it into this environment with the lock as its constraints: packages of Fanline stay as
they are, and what cannot be had beside them is refused before anything is changed. What is there
already is not installed again, and then no index is asked.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.lock"
_PIN = re.compile(r"^([A-Za-z0-9][^\\\n]*?) *\\?$", re.MULTILINE)


def install_requirements(file: Path) -> bool:
    """Install what `file` lists, if it is not there. Whether it all is; if not, pip and a sentence
    have said why."""
    if not file.is_file():
        print(f"AGENT_REQUIREMENTS: there is no file {file.absolute()}", file=sys.stderr)
        return False
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as constraints:
        constraints.write("\n".join(read_pins(LOCK.read_text())))
        constraints.flush()
        install = ["-m", "pip", "install", "--disable-pip-version-check", "--progress-bar=off"]
        options = ["-c", constraints.name, "-r", str(file)]
        pip = subprocess.run(
            [sys.executable, *install, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    if pip.returncode != 0:
        # Of two pins that exclude each other it names both only where it tells everything.
        print(
            f"{pip.stdout}AGENT_REQUIREMENTS: {file.absolute()} cannot be installed beside "
            "Fanline's own packages (requirements.lock), for the reason that pip gives above.",
            file=sys.stderr,
        )
    return pip.returncode == 0


def read_pins(lock: str) -> list[str]:
    """The lock's `name==version`, each with its marker and without its hashes: pip would want some
    for every other package as well. Pure."""
    return [str(pin) for pin in _PIN.findall(lock)]


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m dev.agent_requirements FILE")
    sys.exit(not install_requirements(Path(sys.argv[1])))
