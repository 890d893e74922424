"""The scenarios, in the order of the table."""

from tests.faults.scenarios import (
    duplicates,
    gateways,
    neighbours,
    pubsub,
    redis_server,
    slow_tabs,
    sockets,
    storm,
    versions,
    workers,
)
from tests.faults.stage import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *sockets.SCENARIOS,
    *gateways.SCENARIOS,
    *workers.SCENARIOS,
    *pubsub.SCENARIOS,
    *redis_server.SCENARIOS,
    *slow_tabs.SCENARIOS,
    *storm.SCENARIOS,
    *duplicates.SCENARIOS,
    *neighbours.SCENARIOS,
    *versions.SCENARIOS,
)
