"""One name for two coins: which of them is meant."""

from decimal import Decimal

import pytest

from bursar.ledger import instant
from bursar.ledger.entries import CashFlow, Conversion, Fill, Rate
from bursar.ledger.homonyms import is_homonym, meant, understood
from bursar.ledger.planning import planned
from tests.unit.ledger.samples import Pen, fees, landed

OLD = instant.parse("2022-05-01T00:00:00Z")
NEW = instant.parse("2022-06-01T00:00:00Z")
BINANCE = "binance:main"


@pytest.mark.parametrize(
    "account,at,name",
    [(BINANCE, OLD, "LUNA"), (BINANCE, NEW, "LUNA2"), ("kraken:main", NEW, "LUNA")],
)
def test_a_name_is_understood_by_venue_and_date(account, at, name):
    flow = Pen().flow("deposit", 5, "LUNA", account=account, executed_at=at)
    told = understood(flow)
    assert isinstance(told, CashFlow)
    assert told.asset == meant("LUNA", account, at) == name
    assert meant("BTC", account, at) == "BTC"
    assert understood(understood(flow)) == understood(flow)


def test_every_place_where_a_name_stands_is_understood():
    pen, at = Pen(), {"account": BINANCE, "executed_at": NEW}
    rates = (Rate("LUNA", "USD", Decimal(9), "file"), Rate("ADA", "USD", Decimal(1), "file"))
    fill = pen.buy(
        2, "LUNA", 20, "USDT", pair="LUNA/USDT", fees=fees((1, "LUNA")), rates=rates, **at
    )
    told = understood(fill)
    assert isinstance(told, Fill)
    assert (told.base, told.quote, told.pair) == ("LUNA2", "USDT", "LUNA2/USDT")
    assert [fee.asset for fee in told.fees] == ["LUNA2"]
    assert [rate.asset for rate in told.rates] == ["LUNA2", "ADA"]
    swap = understood(pen.convert([(1, "ADA")], [(3, "LUNA")], **at))
    assert isinstance(swap, Conversion)
    legs = (*swap.given, *swap.taken)
    assert [leg.asset for leg in legs] == ["ADA", "LUNA2"]
    other = pen.buy(2, "ADA", 20, "USDT", **at)
    assert understood(other) is other


def test_a_staged_change_speaks_the_names_of_the_book():
    lines = [("LUNA", 1, 9)]
    staged = Pen().staged(lines=lines, cash=-9, fees=1, account=BINANCE, executed_at=NEW)
    assert understood(staged) is staged


def test_what_is_told_again_under_the_old_name_is_told_twice():
    pen = Pen()
    flow = pen.flow("deposit", 5, "LUNA", account=BINANCE, executed_at=NEW)
    line = landed([flow, flow])
    (made,) = [fact for fact in line if isinstance(fact, CashFlow)]
    assert (made.asset, made.amount) == ("LUNA2", Decimal(5))
    assert planned(line, [flow]).is_empty


def test_which_names_are_two_coins():
    assert is_homonym("LUNA", BINANCE)
    assert not is_homonym("LUNC", BINANCE)
    assert not is_homonym("LUNA", "kraken:main")
