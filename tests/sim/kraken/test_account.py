"""Invented accounts: their balances run, their truth agrees, and one seed is always one account."""

import subprocess
import sys
from collections import Counter
from fractions import Fraction
from hashlib import sha256
from itertools import pairwise

import pytest

from bursar.errors import BadChoice
from bursar.sim.kraken import Flow, invent, moved, truth
from bursar.sim.kraken.account import ROWS_MAX
from bursar.sim.kraken.listing import coins, pairs
from tests.sim.kraken.places import SECOND, account

ON_MARGIN = {Flow.MARGIN, Flow.ROLLOVER, Flow.SETTLED, Flow.COLLATERAL}


def digest(invented):
    said = repr((invented.rows, invented.trades, invented.orders, invented.passages))
    return sha256(said.encode()).hexdigest()


@pytest.mark.parametrize("seed", range(50))
def test_running_balances_hold_and_agree_with_the_truth(seed):
    invented = invent(seed, 100 + 37 * seed, on_margin=seed % 2 == 0)
    balances: dict[str, int] = {}
    earlier = 0
    for row in invented.rows:
        assert row.time >= earlier
        assert row.balance == balances.get(row.code, 0) + row.amount - row.fee >= 0
        balances[row.code], earlier = row.balance, row.time
    told = truth(invented)
    assert told.balances == {
        code: Fraction(atoms, 10 ** coins()[code].decimals) for code, atoms in balances.items()
    }
    names = [row.id for row in invented.rows] + [each.id for each in invented.trades]
    assert len(set(names)) == len(names)


def test_the_truth_stops_where_it_is_told_to():
    invented = account()
    middle = invented.rows[len(invented.rows) // 2].time
    told = truth(invented, middle)
    last = {row.code: row.balance for row in invented.rows if row.time <= middle}
    assert told.balances == {
        code: Fraction(atoms, 10 ** coins()[code].decimals) for code, atoms in last.items()
    }
    assert told.trades == tuple(each.id for each in invented.trades if each.time <= middle)


def test_every_trade_is_what_its_rows_say():
    invented = account(3, 5000)
    row = {each.id: each for each in invented.rows}
    for trade in invented.trades:
        pair = pairs()[trade.pair]
        legs = [row[name] for name in trade.rows]
        assert {leg.refid for leg in legs} == {trade.id}
        assert {leg.time for leg in legs} == {trade.time}
        by_code = {leg.code: leg for leg in legs}
        sign = 1 if trade.is_buy else -1
        base, quote = by_code.get(pair.base.code), by_code.get(pair.quote.code)
        if base is not None:
            atoms = Fraction(base.amount, 10**pair.base.decimals)
            assert sign * atoms == Fraction(trade.volume, 10**pair.lot_decimals)
        if quote is not None:
            cost = Fraction(trade.cost, 10**pair.cost_decimals)
            paid = Fraction(-sign * quote.amount, 10**pair.quote.decimals)
            assert abs(cost - paid) <= Fraction(1, 10 ** min(pair.quote.decimals, 5))
        if trade.fee_code:
            assert by_code[trade.fee_code].fee == trade.paid
        assert sum(leg.fee for leg in legs) == trade.paid


def test_an_account_of_some_size_has_every_nasty_case():
    invented = account(5, 20_000)
    kinds = Counter(f"{row.type}/{row.subtype}" for row in invented.rows)
    wanted = (
        "trade/tradespot deposit/ withdrawal/ spend/ receive/ spend/dustsweeping "
        "receive/dustsweeping transfer/spottostaking transfer/stakingfromspot "
        "transfer/stakingtospot transfer/spotfromstaking staking/ earn/reward earn/allocation "
        "earn/deallocation earn/autoallocation earn/migration transfer/ transfer/airdrop dividend/ "
        "transfer/spottofutures transfer/spotfromfutures adjustment/ credit/ reward/welcomebonus "
        "transfer/delistingconversion"
    )
    assert set(wanted.split()) <= set(kinds)
    assert any("custody" in kind or "quantum" in kind for kind in kinds)
    assert not ON_MARGIN & {row.flow for row in invented.rows}
    legs = Counter(len(each.rows) for each in invented.trades)
    assert set(legs) == {1, 2, 3}  # a leg that rounds to nothing; fee credits
    assert {"XXBT", "XETH"} & {each.fee_code for each in invented.trades}
    ties = Counter(row.time for row in invented.rows)
    assert max(ties.values()) > 50  # more at one instant than a page holds
    seconds = Counter(row.time // SECOND for row in invented.rows)
    assert len(seconds) < len(ties)  # several instants in a second
    assert sum(row.refid == "Unknown" for row in invented.rows) >= 3
    suffixes = {row.code.rpartition(".")[2] for row in invented.rows if "." in row.code}
    assert suffixes == {"S", "B", "F", "M"}
    assert {"grid_v2", "manual", "meanrev", "trend_v1"} == set(truth(invented).strategies.values())
    statuses = {order.status for order in invented.orders}
    assert statuses == {"closed", "canceled", "expired", "open"}
    sub = {row.time % SECOND % 100_000 for row in invented.rows}
    assert len(sub) > 1  # more than four decimals of a second, now and then


def test_some_amounts_are_equal_and_some_fees_are_on_both_legs():
    rows = account(5, 20_000).rows
    swaps = [(a, b) for a, b in pairwise(rows) if (a.type, b.type) == ("spend", "receive")]
    assert any(
        a.code == "ZUSD" and b.code == "USDC" and -a.amount * 10**4 == b.amount for a, b in swaps
    )
    assert any(a.fee and b.fee for a, b in swaps)


def test_a_failed_withdrawal_comes_back_whole():
    rows = account(5, 20_000).rows
    back = [row for row in rows if row.type == "withdrawal" and row.amount > 0]
    assert back
    for row in back:
        gone = [each for each in rows if each.refid == row.refid and each is not row]
        assert [(each.amount, each.fee) for each in gone] == [(-row.amount, -row.fee)]
        assert gone[0].time < row.time


def test_margin_is_there_where_it_is_asked_for():
    invented = account(2, 3000, on_margin=True)
    assert {row.flow for row in invented.rows} >= ON_MARGIN
    trades = {each.id: each for each in invented.trades}
    closings = [each for each in trades.values() if each.position]
    assert {bool(each.margin) for each in closings} == {False, True}
    settled = [each for each in closings if len(each.rows) > 1]
    assert settled
    for each in closings:
        opened = trades[each.position]
        assert opened.opens
        assert opened.time < each.time
        assert (opened.is_buy is each.is_buy) is (each in settled)
        assert opened.price == each.price or each not in settled


def test_one_seed_is_one_account_whatever_the_process():
    code = (
        "from tests.sim.kraken.test_account import digest\n"
        "from bursar.sim.kraken import invent\nprint(digest(invent(9, 1500)))"
    )
    said = {digest(invent(9, 1500))}
    for seed in "0", "1":
        told = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            check=True,
        )
        said.add(told.stdout.strip())
    assert len(said) == 1
    assert digest(invent(10, 1500)) not in said


def test_a_size_out_of_bounds_is_refused():
    with pytest.raises(BadChoice):
        invent(1, 99)
    with pytest.raises(BadChoice):
        invent(1, ROWS_MAX + 1)


@pytest.mark.slow("the largest account there is")
def test_the_largest_account_is_made_whole():
    invented = invent(1, ROWS_MAX)
    assert len(invented.rows) >= ROWS_MAX
    held = {row.code: row.balance for row in invented.rows}
    assert truth(invented).balances == {
        code: Fraction(atoms, 10 ** coins()[code].decimals) for code, atoms in held.items()
    }


def test_a_moved_account_is_the_same_account_at_another_time():
    first = account()
    before = 1_900_000_000 * SECOND
    later = moved(first, before)
    shift = later.rows[0].time - first.rows[0].time
    assert before - 86_400 * SECOND < later.end <= before
    assert shift % (86_400 * SECOND) == 0
    assert [row._replace(time=row.time - shift) for row in later.rows] == first.rows
    assert truth(later) == truth(first)
    at = first.rows[90].time
    for pair in list(pairs().values())[:9]:
        assert later.market.price(pair, at + shift) == first.market.price(pair, at)
    assert later.market.price(pairs()["XXBTZUSD"], at) != first.market.price(
        pairs()["XXBTZUSD"], at
    )
