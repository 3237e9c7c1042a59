"""Trades that closed a leveraged position and opened nothing, whatever was known to be open."""

from decimal import Decimal

from bursar.ledger.entries import MarginFill
from tests.unit.measure.test_positions import bought, folded, result, sold, told

LENT = {"kind": MarginFill, "pair": "XBT/USD"}


def test_what_opened_nothing_ends_what_is_known_and_opens_no_other():
    (trade,) = folded(
        bought(1, "a", 1, **LENT), sold(2, "b", 3, closes=True, settled=Decimal(9), **LENT)
    )
    assert (told(trade), result(trade)) == (("a", "LONG", 3, 0, 2, ("a", "b")), (9, 0))


def test_what_nobody_saw_opened_is_a_trade_that_only_ended():
    (trade,) = folded(sold(2, "b", 3, closes=True, settled=Decimal(9), **LENT))
    assert (told(trade), result(trade)) == (("b/closed", "LONG", 3, 0, 2, ("b",)), (9, 0))
    assert (trade.opened_at, trade.entry_price, trade.exit_price) == (None, None, 10)


def test_what_is_open_on_the_same_side_is_left_alone():
    (trade,) = folded(
        sold(1, "a", 2, **LENT), sold(2, "b", 3, closes=True, settled=Decimal(9), **LENT)
    )
    assert (told(trade), result(trade)) == (("a", "SHORT", 2, 2, None, ("a", "b")), (9, 0))
