"""The rules of the log, the follower, the inbox, the lease and the work stream, as one machine over
the real scripts: whatever is interleaved, lost, doubled, late, frozen, killed, expired or restored.

`World` judges every single command: positions dense, no stale token lands, the log is what was
published but for removed deltas, no entry acknowledged whose message waits. At the end a healthy
worker comes, tabs read what they missed, and every promise must be kept.
"""

import os
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from dev.embedded_redis import EmbeddedRedis
from tests.shared.model.conversations import Conversations

INTERLEAVINGS = int(os.environ.get("INTERLEAVINGS") or 120)
"""Of forty steps each, on each of two servers; `make model` runs thousands."""


@pytest.mark.timeout(900)
def test_every_promise_is_kept_whatever_is_interleaved(redis_server: EmbeddedRedis) -> None:
    class OnThisServer(Conversations):
        port = redis_server.port

    machine: Any = OnThisServer
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=INTERLEAVINGS,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
