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
from bursar.venue.kraken.pairs import pair
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


def closed_first(trades):
    """Return what each trade made, the oldest closed first, and what is open after the last."""
    lots: dict[str, list[list[Decimal]]] = {}
    told = []
    for trade in trades:
        own, left, made = lots.setdefault(trade.pair, []), trade.volume, Decimal(0)
        way = 1 if trade.side is Side.BUY else -1
        if "closing" not in trade.misc:
            own.append([way * trade.volume, trade.price])
            left = Decimal(0)
        while left:
            size, price = own[0]
            part = min(left, abs(size))
            made += part * (trade.price - price) * -way
            own[0][0] += way * part
            left -= part
            if not own[0][0]:
                own.pop(0)
        told.append(made)
    return told, lots


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


@given(CHANCE, st.integers(1, 20), st.sampled_from(["ZUSD", "USDC"]))
def test_what_is_left_was_entered_for_what_the_venue_has_not_closed(chance, length, code):
    """Kraken closes the oldest first; losses in a coin at par with the quote say so as well."""
    trades, rows = history(chance, length)
    made, lots = closed_first(trades)
    told = []
    for row, gained in zip(rows, made, strict=True):
        at, fee = row.executed_at, Decimal("0.1")
        lost = fee - gained
        if code != "ZUSD" and lost > 0:
            given = ("collateralconversion", "", "ZUSD", "", -lost, Decimal(0))
            taken = ("collateralconversion", "", code, "", lost, Decimal(0))
            told += [LedgerRow(f"{row.txid}a", row.refid, at, *given)]
            told += [LedgerRow(f"{row.txid}b", row.refid, at, *taken)]
            told += [LedgerRow(row.txid, row.refid, at, "margin", "", code, "", gained, fee)]
        else:
            told += [LedgerRow(row.txid, row.refid, at, "margin", "", "ZUSD", "", gained, fee)]
    book = book_of(trades, told)
    for (_, name), position in book.margins.items():
        left = next(own for pair_, own in lots.items() if str(pair(pair_)) == name)
        assert position.quantity == sum(size for size, _ in left)
        assert position.notional == sum(abs(size) * price for size, price in left)
