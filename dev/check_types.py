"""`make check`: the TypeScript types are those of the committed JSON Schema.

They are generated once more, into a file of their own; the working tree stays as it is.
"""

import sys
import tempfile
from pathlib import Path

from dev.node import run_npm

FRONTEND = Path(__file__).parent.parent / "frontend"
TYPES = FRONTEND / "src" / "protocol" / "events.gen.ts"


def main() -> int:
    """Compare; returns the exit status."""
    with tempfile.TemporaryDirectory() as folder:
        generated = Path(folder) / TYPES.name
        generate = ("--prefix", str(FRONTEND), "run", "--silent", "gen")
        if run_npm(*generate, TYPES_FILE=str(generated)) != 0:
            return 1
        if generated.read_bytes() == TYPES.read_bytes():
            return 0
    print(f"{TYPES.name} is not what the JSON Schema says: run `make generate`.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
