"""docs/guarantees.md names every row of the fault table, and no row that there is not."""

import re

from tests.faults.sabotage import SABOTAGES
from tests.faults.scenarios import SCENARIOS
from tests.support.processes import ROOT

TEXT = (ROOT / "docs" / "guarantees.md").read_text()
PROMISES = " ".join(TEXT.split("## What is promised")[1].split("\n## ")[0].split())


def test_every_row_shows_a_promise_and_every_promise_is_shown_by_rows() -> None:
    named = set(re.findall(r"\*\*(.+?)\*\*", PROMISES))
    assert named == {scenario.name for scenario in SCENARIOS}


def test_every_safeguard_is_explained() -> None:
    safeguards = TEXT.split("## What each safeguard is for")[1].split("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", safeguards, re.M)) == SABOTAGES


def test_every_test_that_is_named_exists() -> None:
    for path in re.findall(r"`(tests/[\w/.]+)`", TEXT):
        assert (ROOT / path).exists(), path
