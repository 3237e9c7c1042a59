"""How far a period is on its way."""

from decimal import Decimal

import msgspec
import pytest

from bursar.capital.profit_target_tracker import (
    PeriodSoFar,
    ProfitTarget,
    ProfitTargetTracker,
    TargetPeriod,
)
from bursar.errors import BadChoice
from bursar.ledger.instant import DAY, HOUR

DAILY = ProfitTarget(period=TargetPeriod.DAY, amount=Decimal(50))
SO_FAR = PeriodSoFar(
    starts_at=0, ends_at=DAY, at=6 * HOUR, opening_equity=Decimal(1000), profit=Decimal(20)
)


def look(target, **changed):
    period = msgspec.structs.replace(SO_FAR, **changed)
    return ProfitTargetTracker((target,)).look({target.period: period})[0]


def test_progress_and_pace():
    found = look(DAILY)
    assert (found.progress, found.pace, found.left) == (Decimal("0.4"), Decimal("1.6"), 30)
    assert not found.is_reached


def test_a_target_may_be_percent_of_opening_equity():
    found = look(ProfitTarget(period=TargetPeriod.DAY, percent=Decimal(2)))
    assert (found.target, found.progress, found.is_reached) == (20, 1, True)


def test_percent_of_nothing_is_no_target():
    target = ProfitTarget(period=TargetPeriod.WEEK, percent=Decimal(2))
    found = look(target, opening_equity=Decimal(0))
    assert (found.target, found.progress, found.pace, found.left) == (None,) * 4
    assert not found.is_reached


def test_at_its_first_instant_a_period_has_no_pace():
    assert look(DAILY, at=0).pace is None


def test_after_its_end_pace_is_progress():
    assert look(DAILY, at=3 * DAY).pace == Decimal("0.4")


def test_a_target_whose_period_is_not_given_is_left_out():
    assert ProfitTargetTracker((DAILY,)).look({}) == []


@pytest.mark.parametrize(
    "given", [{}, {"amount": Decimal(0)}, {"amount": Decimal(1), "percent": Decimal(1)}]
)
def test_no_target_and_two_are_refused(given):
    with pytest.raises(BadChoice, match="target of the day"):
        ProfitTarget(period=TargetPeriod.DAY, **given)


def test_two_targets_for_one_period_are_refused():
    with pytest.raises(BadChoice, match="at most one a period"):
        ProfitTargetTracker((DAILY, DAILY))
