"""The short form of the abuse table: nothing falls, nothing is left, nobody else notices."""

import os

import pytest

from tests.abuse.__main__ import run
from tests.abuse.page import PAGE, SECURITY, named_in
from tests.abuse.row import judge
from tests.abuse.scenarios import SCENARIOS

SEED = os.environ.get("SEED") or "42"


@pytest.mark.timeout(240)
async def test_no_attack_brings_anything_down() -> None:
    """Every row: the answers that are due and no others, the gateway's own count of them, bounded
    memory, no key that stays, and no event lost to those who stand by."""
    rows, _, _ = await run(SCENARIOS, SEED, is_long=False)
    red = {
        scenario.name: why
        for row, scenario in zip(rows, SCENARIOS, strict=True)
        if (why := judge(row, scenario))
    }
    assert not red, f"make abuse SHORT=1 SEED={SEED}"


def test_the_page_tells_of_every_scenario() -> None:
    """docs/abuse.md and docs/security.md are of the table that this is."""
    assert named_in(PAGE.read_text(), ("others", "gateway"), SCENARIOS)
    assert named_in(SECURITY.read_text(), ("tried",), SCENARIOS)
