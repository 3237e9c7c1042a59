"""Splits and renames in a ledger that states balances: what their rows say is what they moved."""

import pytest

from tests.unit.reconcile.venues import K, Venue, found, only


@pytest.mark.parametrize("kind,became", [(K.SPLIT, "SOL"), (K.RENAME, "SOL2")])
def test_an_action_is_backed_by_its_rows(kind, became):
    venue = Venue()
    venue.deposit("SOL", "10.00000000")
    venue.later().row(kind, "SOL", "-10.00000000", group="A")
    venue.row(kind, became, "20.00000000" if kind is K.SPLIT else "10.00000000", group="A")
    assert found(venue.statement(), venue.rows).is_clean
    one = only(found(venue.statement(XBT="0.01000000"), venue.rows))
    assert {shift.asset for shift in one.shifts} == {"XBT"}
