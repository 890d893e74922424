"""`make faults`: every scenario on real processes, and one table. Exits with 1 unless it is clean.

`python -m tests.faults [--seed S] [--repeat N] [--short] [--only TEXT] [--sabotage NAME]
[--behind nginx]`
"""

import argparse
import asyncio
import random
import sys

from tests.faults.row import Row, format_table
from tests.faults.sabotage import SABOTAGES
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Scenario, run_scenario

NOT_GUARDED = 3
"""The exit status when a safeguard was switched off and a row of its own stayed clean."""


def main() -> int:
    """Run what is asked for; returns the exit status."""
    options = _options()
    seed = options.seed or f"{random.randrange(10**6)}"
    scenarios = [s for s in SCENARIOS if _is_wanted(s, options)]
    if not scenarios:
        print("no such scenario")
        return 2
    print(f"seed {seed}, {options.repeat} times, {len(scenarios)} scenarios", flush=True)
    rows = asyncio.run(_run(scenarios, seed, options))
    print(format_table(rows))
    red = [row for row in rows if row.is_red]
    if red:
        again = f"make faults SEED={seed} REPEAT={options.repeat}"
        again += " SHORT=1" if options.short else ""
        again += f" ONLY='{options.only}'" if options.only else ""
        again += f" SABOTAGE={options.sabotage}" if options.sabotage else ""
        again += f" BEHIND={options.behind}" if options.behind else ""
        print(f"{len(red)} of {len(rows)} rows are red. To run them again: {again}")
    if options.sabotage:
        clean = [row.scenario for row in rows if not row.broke_a_promise]
        print(
            f"without {options.sabotage}: {len(rows) - len(clean)} of {len(rows)} broke a promise"
        )
        if clean:
            print(f"NOT GUARDED BY IT: {', '.join(clean)}")
            return NOT_GUARDED
    return int(bool(red))


async def _run(scenarios: list[Scenario], seed: str, options: argparse.Namespace) -> list[Row]:
    rows: list[Row] = []
    for number in range(options.repeat):
        if options.repeat > 1:
            print(f"--- seed {seed}/{number}", flush=True)
        for scenario in scenarios:
            row = await run_scenario(
                scenario,
                seed=f"{seed}/{number}",
                is_long=not options.short,
                sabotage=options.sabotage,
                behind_proxy=bool(options.behind),
            )
            print(
                f"{'RED' if row.is_red else 'ok ':3} {row.seconds:5.1f} s  {row.scenario}",
                flush=True,
            )
            rows.append(row)
    return rows


def _is_wanted(scenario: Scenario, options: argparse.Namespace) -> bool:
    if options.sabotage:
        return options.sabotage in scenario.guarded_by and options.only in scenario.name
    return options.only in scenario.name and (scenario.is_short or not options.short)


def _times(text: str) -> int:
    if (times := int(text)) < 1:
        raise ValueError("at least once")
    return times


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--seed", default="", help="the same seed makes the same choices again")
    parser.add_argument("--repeat", type=_times, default=1)
    parser.add_argument("--short", action="store_true", help="what belongs to `make test`")
    parser.add_argument("--only", default="", help="a part of the scenarios' names")
    parser.add_argument("--sabotage", default="", choices=["", *SABOTAGES])
    parser.add_argument(
        "--behind", default="", choices=["", "nginx"], help="put all tabs through the front proxy"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
