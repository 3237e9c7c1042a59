"""Leveraged positions of files that begin later: none that is not there."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.entries import Side
from bursar.ledger.planning import planned
from bursar.ledger.terms import Terms
from bursar.ledger.timeline import Timeline
from bursar.venue.kraken.ledger_rows import movements
from bursar.venue.kraken.rows import LedgerRow, TradeRow
from bursar.venue.kraken.trade_rows import fills

CHANCE = st.randoms(use_true_random=False)
PAIRS = ("XXBTZUSD", "XETHZUSD")
CLOSINGS = ("closing", "initiated,closing")
START = instant.parse("2024-01-01T00:00:00Z")


def history(chance, length):
    """Trades that open and close positions, and the ledger row of each: no trade does both. A few
    closings take liquidity, and state what had been put up.
    """
    sizes = dict.fromkeys(PAIRS, Decimal(0))
    trades, rows, at = [], [], START
    for number in range(length):
        at += chance.choice([0, 1, 3600]) * instant.SECOND
        pair = chance.choice(PAIRS)
        size, units = sizes[pair], Decimal(chance.randint(1, 40)) / 10
        closes = size and chance.random() < 0.5
        if closes:
            units, is_bought = min(units, abs(size)), size < 0
        else:
            is_bought = size > 0 if size else chance.random() < 0.5
        sizes[pair] += units if is_bought else -units
        price = Decimal(chance.randint(90, 110))
        trades.append(
            TradeRow(
                txid=f"T{number}",
                pair=pair,
                executed_at=at,
                side=Side.BUY if is_bought else Side.SELL,
                volume=units,
                cost=units * price,
                fee=Decimal("0.1"),
                margin=units * price / 2 if not closes or chance.random() < 0.5 else Decimal(0),
                price=price,
                misc=chance.choice(["", "initiated"] if not closes else CLOSINGS),
                ledgers=(f"L{number}",),
            )
        )
        made = Decimal(chance.randint(-50, 50)) if closes else Decimal(0)
        rows.append(
            LedgerRow(
                f"L{number}", f"T{number}", at, "margin", "", "ZUSD", "", made, Decimal("0.1")
            )
        )
    return trades, rows


@money
def book_of(trades, rows):
    timeline = Timeline(Terms(base="USD"))
    ranks = range(len(rows))
    timeline.land(planned(timeline, [*fills(trades), *movements(rows, ranks)]))
    return timeline.book


@given(CHANCE, st.integers(1, 20))
def test_files_that_begin_later_show_no_position_that_is_not_there(chance, length):
    trades, rows = history(chance, length)
    begin, has_rows = chance.randrange(length), chance.random() < 0.7
    whole = book_of(trades, rows)
    part = book_of(trades[begin:], rows[begin:] if has_rows else [])
    for place, position in part.margins.items():
        true = whole.margins[place].quantity
        assert position.quantity * true > 0 or not position.quantity
        assert abs(position.quantity) <= abs(true)
        assert position.unseen >= 0
    assert not any(position.unseen for position in whole.margins.values())
    closed = sum(position.unseen for position in part.margins.values())
    settled = sum((row.amount - row.fee for row in rows[begin:]), Decimal(0))
    if has_rows:
        assert part.held("kraken:main", "USD").quantity == settled
    is_unsettled = any(flag == "unsettled" for _, flag in part.gaps)
    assert is_unsettled is (bool(closed) and not has_rows)


@given(CHANCE, st.integers(1, 20))
def test_a_whole_history_is_the_same_whether_closings_are_told_so_or_not(chance, length):
    trades, rows = history(chance, length)
    silent = {"margin": Decimal(1), "misc": ""}
    untold = [
        TradeRow(**{name: getattr(each, name) for name in each.__struct_fields__} | silent)
        for each in trades
    ]
    told, other = book_of(trades, rows), book_of(untold, rows)
    for place, position in told.margins.items():
        known = other.margins[place]
        assert (position.quantity, position.notional) == (known.quantity, known.notional)
    assert told.cells == other.cells
