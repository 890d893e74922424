"""`make check`: no file of code longer than it can be read in one go. The exceptions are named
here."""

import subprocess
import sys
from pathlib import Path

MOST_LINES = 250
ROOT = Path(__file__).parent.parent
PATTERNS = ("*.py", "*.lua", *(f"frontend/src/*.{ending}" for ending in ("ts", "tsx", "css")))
LONGER: dict[str, str] = {
    "frontend/src/protocol/events.gen.ts": "generated, and read nowhere but in shared/protocol.py",
    "shared/protocol.py": "every frame in one place: the only definition of the protocol",
}
"""File to the reason why it is longer."""


def main() -> int:
    """Print every file that is too long; returns the exit status."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *PATTERNS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    status = 0
    for name in listing.stdout.splitlines():
        path = ROOT / name
        lines = len(path.read_text().splitlines()) if path.exists() else 0
        if lines > MOST_LINES and name not in LONGER:
            print(f"{name}: {lines} lines, {MOST_LINES} are the limit")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
