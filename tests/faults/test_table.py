"""The short form of the fault table, row by row; and that each safeguard is what keeps it clean."""

import os

import pytest

from tests.faults.conftest import RowsKept
from tests.faults.sabotage import SABOTAGES
from tests.faults.scenarios import SCENARIOS
from tests.faults.stage import Scenario, run_scenario

SEED = os.environ.get("SEED") or "42"
SHORT = [scenario for scenario in SCENARIOS if scenario.is_short]
GUARDED = [
    (scenario, safeguard)
    for safeguard in SABOTAGES
    for scenario in [scenario for scenario in SHORT if safeguard in scenario.guarded_by][:1]
]
"""One row for each safeguard; `make faults SABOTAGE=...` runs all of them."""

pytestmark = pytest.mark.timeout(200)


@pytest.mark.parametrize("scenario", SHORT, ids=lambda scenario: scenario.name)
async def test_nothing_is_lost_doubled_or_reordered(
    scenario: Scenario, fault_rows: RowsKept
) -> None:
    row = await run_scenario(scenario, seed=f"{SEED}/0")
    fault_rows.append(row)
    assert not row.reasons, f"make faults SHORT=1 SEED={SEED}:\n" + "\n".join(row.reasons)


async def test_nothing_is_lost_behind_the_front_proxy(fault_rows: RowsKept) -> None:
    """One row of `make faults BEHIND=nginx`."""
    (scenario,) = [scenario for scenario in SHORT if scenario.name == "gateway killed"]
    row = await run_scenario(scenario, seed=f"{SEED}/0", behind_proxy=True)
    fault_rows.append(row)
    assert not row.reasons, f"make faults BEHIND=nginx SEED={SEED}:\n" + "\n".join(row.reasons)


@pytest.mark.parametrize(
    ("scenario", "safeguard"), GUARDED, ids=lambda part: getattr(part, "name", part)
)
async def test_without_its_safeguard_the_row_is_red(scenario: Scenario, safeguard: str) -> None:
    row = await run_scenario(scenario, seed=f"{SEED}/0", sabotage=safeguard)
    assert row.breaches, f"nothing was lost, doubled or reordered; {row.reasons}"


def test_every_safeguard_guards_a_row_of_the_short_run() -> None:
    assert {safeguard for _, safeguard in GUARDED} == set(SABOTAGES)
