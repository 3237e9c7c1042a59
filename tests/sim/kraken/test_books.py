"""What the fake venue tells, booked by the ledger: it comes to the truth, to the last digit."""

from decimal import Decimal
from fractions import Fraction

import msgspec
import pytest

from bursar.exact import money
from bursar.ledger.entries import Side
from bursar.ledger.planning import folded
from bursar.ledger.terms import Terms
from bursar.sim.kraken import Flow, truth
from bursar.sim.kraken.listing import pairs
from bursar.venue.kraken.assets import coin
from bursar.venue.kraken.chain import verify
from bursar.venue.kraken.ledger_rows import movements
from bursar.venue.kraken.pairs import pair
from bursar.venue.kraken.rows import LedgerRow, TradeRow
from bursar.venue.kraken.trade_rows import fills
from tests.sim.kraken.places import account, every, fake


def rows_of(venue):
    """The ledger as the wire tells it, oldest first."""
    found = every(venue, "Ledgers", "ledger")
    return [
        LedgerRow(
            txid=name,
            refid=row["refid"],
            executed_at=int(row["time"] * 10**9),
            type=row["type"],
            subtype=row["subtype"],
            code=row["asset"],
            wallet="",
            amount=Decimal(row["amount"]),
            fee=Decimal(row["fee"]),
            balance=Decimal(row["balance"]),
        )
        for name, row in reversed(found.items())
    ]


def trades_of(venue):
    found = every(venue, "TradesHistory", "trades", ledgers="true", consolidate_taker="false")
    return [
        TradeRow(
            txid=name,
            pair=each["pair"],
            executed_at=int(each["time"] * 10**9),
            side=Side(each["type"]),
            volume=Decimal(each["vol"]),
            cost=Decimal(each["cost"]),
            fee=Decimal(each["fee"]),
            margin=Decimal(each["margin"]),
            price=Decimal(each["price"]),
            misc=each["misc"],
            order_type=each["ordertype"],
            position=each["postxid"],
            position_status=each.get("posstatus", ""),
            order_id=each["ordertxid"],
            ledgers=tuple(each["ledgers"]),
        )
        for name, each in reversed(found.items())
    ]


def swept(rows):
    """The references under which staked coins were gathered: both rows of each are `staking`."""
    return {row.refid for row in rows if row.type == "staking" and row.amount < 0}


def owned(account_truth):
    """What the owner has by asset; what lies in the futures wallet is his too."""
    sums: dict[str, Fraction] = {}
    for code, amount in account_truth.balances.items():
        sums[coin(code).asset] = sums.get(coin(code).asset, Fraction(0)) + amount
    for (flow, code), amount in account_truth.flows.items():
        if flow is Flow.FUTURES:
            sums[coin(code).asset] -= amount
    return {asset: amount for asset, amount in sums.items() if amount}


@money
def booked(said):
    held: dict[str, Fraction] = {}
    for (_, asset), holding in folded(Terms(base="USD"), said).book.holdings.items():
        held[asset] = held.get(asset, Fraction(0)) + Fraction(holding.quantity)
    return {asset: amount for asset, amount in held.items() if amount}


@pytest.mark.parametrize(
    "seed,size,on_margin", [(1, 100, False), (2, 2500, False), (3, 2500, True)]
)
def test_the_book_of_what_is_told_is_the_truth(seed, size, on_margin):
    venue = fake(account(seed, size, on_margin))
    rows = rows_of(venue)
    chain = verify(rows)
    assert chain.breaks == ()
    gathered = swept(rows)
    told = [
        said
        for said, row in zip(movements(rows, chain.ranks), rows, strict=True)
        if row.refid not in gathered
    ]
    assert booked([*told, *fills(trades_of(venue))]) == owned(truth(venue.house.account))


def test_staked_coins_that_are_gathered_are_no_income():
    venue = fake(account(2, 2500))
    rows = rows_of(venue)
    assert swept(rows)
    said = movements(rows, verify(rows).ranks)
    assert booked([*said, *fills(trades_of(venue))]) == owned(truth(venue.house.account))


def open_positions(venue):
    """What is open by pair, signed: what was opened and that nothing closed or settled."""
    trades = [each for each in venue.house.account.trades if each.opens or each.position]
    ended = {each.position for each in trades}
    sums: dict[str, Fraction] = {}
    for each in trades:
        if each.opens and each.id not in ended:
            size = Fraction(each.volume, 10 ** pairs()[each.pair].lot_decimals)
            name = str(pair(each.pair))
            sums[name] = sums.get(name, Fraction(0)) + (size if each.is_buy else -size)
    return {name: size for name, size in sums.items() if size}


@money
@pytest.mark.parametrize("seed", range(4, 10))
@pytest.mark.parametrize("without", [(), ("position", "position_status", "order_type")])
def test_the_book_has_the_positions_that_are_open(seed, without):
    venue = fake(account(seed, 1500, on_margin=True))
    rows = rows_of(venue)
    trades = [
        msgspec.structs.replace(each, **dict.fromkeys(without, "")) for each in trades_of(venue)
    ]
    said = [*movements(rows, verify(rows).ranks), *fills(trades)]
    margins = folded(Terms(base="USD"), said).book.margins
    held = {name: each.quantity for (_, name), each in margins.items() if each.quantity}
    assert held == open_positions(venue)
    assert not any(each.unseen for each in margins.values())
