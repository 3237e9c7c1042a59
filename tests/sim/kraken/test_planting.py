"""Planted differences: each kind is where it says, as large as it says, and nothing else moves."""

from fractions import Fraction

import pytest

from bursar.errors import BadChoice
from bursar.sim.kraken import FakeKraken, Planting, plant
from bursar.sim.kraken.account import Account
from bursar.sim.kraken.planting import first_break
from tests.sim.kraken.places import SECOND, Hands, account, every, told

HIDDEN = {
    Planting.MISSING_FILL,
    Planting.MISSING_DEPOSIT,
    Planting.MISSING_WITHDRAWAL,
    Planting.MISSING_REWARD,
}
UNSEEN = {Planting.IN_FLIGHT, Planting.ROUNDING, Planting.EXTRA_BALANCE, Planting.POCKET_MOVED}


def wire(planted):
    """What the wire says: differences by code between its balances and its ledger."""
    venue = FakeKraken(planted.account, clock=Hands(planted.account.end, 60 * SECOND))
    rows = every(venue, "Ledgers", "ledger")
    sums: dict[str, Fraction] = {}
    for row in rows.values():
        moved = Fraction(row["amount"]) - Fraction(row["fee"])
        sums[row["asset"]] = sums.get(row["asset"], Fraction(0)) + moved
    stated = {code: Fraction(amount) for code, amount in told(venue, "Balance").items()}
    found = {
        code: stated.get(code, Fraction(0)) - sums.get(code, Fraction(0))
        for code in {*sums, *stated}
    }
    return {code: amount for code, amount in found.items() if amount}, rows, venue


def test_a_clean_account_agrees():
    clean = account()
    assert first_break(clean.rows) is None
    nothing = plant(clean, Planting.ROUNDING, 1)
    found, rows, _ = wire(nothing)
    assert len(rows) == len(clean.rows)
    assert {abs(atoms) for atoms in nothing.differences.values()} == {1}
    assert found == nothing.amounts


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("planting", Planting)
def test_the_wire_shows_the_difference_that_was_planted(planting, seed):
    planted = plant(account(13, 1500), planting, seed)
    found, rows, venue = wire(planted)
    assert found == planted.amounts
    assert found
    assert all(name not in rows for name in planted.rows) == (
        planting in HIDDEN or not planted.rows
    )
    assert (planted.first is None) == (planting in UNSEEN)
    true = {row.id: row for row in planted.account.rows}
    if planted.first is not None and planted.first in true:
        assert true[planted.first].time >= planted.at
    if planting is Planting.IN_FLIGHT:
        pending = [e for e in told(venue, "WithdrawStatus") if e["status"] == "Pending"]
        amount = next(iter(found.values()))
        said = sum(Fraction(each["amount"]) + Fraction(each["fee"]) for each in pending)
        assert said == -amount
    if planting is Planting.POCKET_MOVED:
        assert sum(found.values()) == 0  # a coin has the same decimals in every pocket
        assert len(found) == 2


@pytest.mark.parametrize("planting", Planting)
def test_a_ledger_that_was_booked_so_has_no_break_in_itself(planting):
    planted = plant(account(13, 1500), planting, 3, is_chained=True)
    found, _, _ = wire(planted)
    assert found == planted.amounts == plant(account(13, 1500), planting, 3).amounts
    assert planted.first is None


def test_fills_are_missing_doubled_and_flipped_in_the_trade_history_too():
    clean = account(13, 1500)
    for planting, more in (
        (Planting.MISSING_FILL, -1),
        (Planting.DOUBLED_FILL, 1),
        (Planting.SIDE_FLIPPED, 0),
    ):
        planted = plant(clean, planting, 2)
        trades = planted.account.history
        assert len(trades) == len(clean.trades) + more
        assert trades != clean.trades
        names = [each.id for each in trades]
        assert len(set(names)) == len(names)


def test_the_same_seed_plants_the_same():
    one, other = (plant(account(13, 1500), Planting.WRONG_AMOUNT, 5) for _ in range(2))
    assert one == other
    places = {plant(account(13, 1500), Planting.WRONG_AMOUNT, seed).rows for seed in range(10)}
    assert len(places) > 3


def test_what_an_account_lacks_cannot_be_planted():
    clean = account(13, 1500)
    bare = Account(seed=1, rows=clean.rows[:2], trades=(), orders=(), passages=())
    for planting in (Planting.MISSING_FILL, Planting.MISSING_REWARD, Planting.POCKET_MOVED):
        with pytest.raises(BadChoice):
            plant(bare, planting, 1)
