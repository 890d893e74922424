"""What makes a row red: what others had to bear, beside what they had just before."""

import pytest

from tests.abuse.row import Lag, Row, judge
from tests.abuse.scenarios import Scenario

REST = Lag(p50=1.0, p99=4.0, worst=6.0, count=400)
SCENARIO = Scenario("anything", "messages.be_accepted", 1, frozenset(["message"]))


def a_row(during: Lag, **newcomers: int) -> Row:
    row = Row("anything", before=REST, during=during, after=REST)
    row.answers.update(message=1)
    row.newcomers.update(newcomers)
    return row


def test_a_row_without_harm_is_not_red() -> None:
    assert judge(a_row(Lag(2.0, 90.0, 140.0, 40), connected=3), SCENARIO) == []


@pytest.mark.parametrize(
    ("during", "reason"),
    [
        (Lag(60.0, 90.0, 140.0, 40), "p50 of bystanders: 1.0 ms before, 60.0 during"),
        (Lag(2.0, 600.0, 900.0, 40), "p99 of bystanders: 4.0 ms before, 600.0 during"),
        (Lag(0.0, 0.0, 0.0, 0), "no bystander was given anything"),
    ],
    ids=["most", "some", "all"],
)
def test_events_that_took_much_longer_than_before_make_it_red(during: Lag, reason: str) -> None:
    assert judge(a_row(during), SCENARIO) == [reason]


def test_a_machine_that_is_slow_anyway_does_not() -> None:
    row = a_row(Lag(60.0, 600.0, 900.0, 40))
    row.before = Lag(10.0, 50.0, 60.0, 40)
    assert judge(row, SCENARIO) == []


def test_newcomers_that_are_turned_away_make_it_red_where_they_must_not() -> None:
    row = a_row(REST, connected=2, cut=1)
    assert judge(row, SCENARIO) == []
    strict = Scenario("anything", "messages.be_accepted", 1, frozenset(["message"]), lets_in=True)
    assert judge(row, strict) == ["newcomers were turned away: {'connected': 2, 'cut': 1}"]
