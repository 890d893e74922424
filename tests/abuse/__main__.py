"""`make abuse`: every attack on real processes, and one table. Exits with 1 unless it is clean.

`python -m tests.abuse [--seed S] [--short] [--only TEXT] [--write]`
"""

import argparse
import asyncio
import os
import random
import sys
from collections.abc import Sequence

from tests.abuse.page import write_page
from tests.abuse.row import Lag, Row, format_row, judge
from tests.abuse.scenarios import SCENARIOS, Scenario
from tests.abuse.stage import staged


def main() -> int:
    """Run what is asked for; returns the exit status."""
    options = _options()
    seed = options.seed or f"{random.randrange(10**6)}"
    scenarios = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    if not scenarios:
        print("no such scenario")
        return 2
    if options.write and (options.short or len(scenarios) < len(SCENARIOS)):
        print("only a whole and long run is written down")
        return 2
    load = os.getloadavg()[0]
    print(f"seed {seed}, {len(scenarios)} scenarios, load {load:.1f}", flush=True)
    rows, rest, expired = asyncio.run(run(scenarios, seed, is_long=not options.short))
    reasons = [judge(row, scenario) for row, scenario in zip(rows, scenarios, strict=True)]
    if options.write:
        write_page(rows, reasons, seed=seed, load=load, rest=rest, expired=expired)
    red = sum(bool(why) for why in reasons)
    again = f"make abuse SEED={seed}" + (" SHORT=1" if options.short else "")
    print(f"{red} of {len(rows)} rows are red" + (f". To run them again: {again}" if red else ""))
    return int(bool(red))


async def run(
    scenarios: Sequence[Scenario], seed: str, *, is_long: bool
) -> tuple[list[Row], Lag, int]:
    """The rows, how events came before the first attack, and how many keys had to be waited for at
    the end."""
    rows: list[Row] = []
    async with staged(seed, is_long=is_long) as stage:
        rest = stage.resting
        for scenario in scenarios:
            rows.append(await stage.run(scenario))
            print(format_row(rows[-1], judge(rows[-1], scenario)), flush=True)
        expired = await stage.all_keys_expire() if is_long else 0
    return rows, rest, expired


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make abuse", description=__doc__)
    parser.add_argument("--seed", default="", help="the same seed makes the same choices again")
    parser.add_argument("--short", action="store_true", help="what belongs to `make test`")
    parser.add_argument("--only", default="", help="a part of the scenarios' names")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/abuse.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
