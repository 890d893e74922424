"""`python -m dev.write_golden`: the golden sequences, as files for pytest and vitest.

`NAME.jsonl` has the frames as they are on the wire, `NAME.expected.json` what they add up to. With
`--check` nothing is written: exit status 1 when the files are not what the models make.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.support.golden import Golden
from tests.support.golden_sequences import GOLDEN

FOLDER = Path(__file__).parent.parent / "tests" / "golden"


def files_of(golden: Golden) -> dict[str, str]:
    """The texts of a sequence's files, by name."""
    expected = {"shows": golden.shows, "turns": [asdict(turn) for turn in golden.conversation]}
    return {
        f"{golden.name}.jsonl": "".join(f"{frame}\n" for frame in golden.frames),
        f"{golden.name}.expected.json": json.dumps(expected, indent=2, ensure_ascii=False) + "\n",
    }


def main() -> int:
    """Write them, or compare; returns the exit status."""
    wanted = {name: text for golden in GOLDEN for name, text in files_of(golden).items()}
    if "--check" not in sys.argv:
        FOLDER.mkdir(exist_ok=True)
        for name, text in wanted.items():
            (FOLDER / name).write_text(text)
        return 0
    found = {file.name: file.read_text() for file in FOLDER.iterdir()} if FOLDER.is_dir() else {}
    differing = sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n))
    if differing:
        print(f"tests/golden: {', '.join(differing)} differ: run `make generate`.")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
