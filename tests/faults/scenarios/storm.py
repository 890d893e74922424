"""Not written yet."""

from tests.faults.stage import Scenario

SCENARIOS: tuple[Scenario, ...] = ()
