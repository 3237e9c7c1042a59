"""What a trades file calls leveraged, where the ledger booked coins."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.entries import Fee, Fill, Flag, MarginFill, Side, Source
from bursar.ledger.facts import resolve
from tests.unit.ledger.samples import START, Pen

D = Decimal
CASH = frozenset({"USD"})
GROUP = "kraken:main:T1"
LENT = MarginFill(
    id=f"{GROUP}/margin",
    group=GROUP,
    executed_at=START + 1,
    account="kraken:main",
    source=Source.TRADES,
    pair="XBT/USD",
    base="XBT",
    quote="USD",
    side=Side.BUY,
    quantity=D(2),
    price=D(50),
    fees=(Fee("USD", D("0.5")),),
    order_id="O1",
    strategy="trend",
)


def rows(*legs, kind="trade", label=None):
    named, pen = {"group": GROUP, "label": label, "executed_at": START}, Pen()
    return [
        pen.row(kind, amount, asset, sequence=place, fee=D(fee), **named)
        for place, (amount, asset, fee) in enumerate(legs)
    ]


BOUGHT = (("2", "XBT", "0"), ("-100", "USD", "0.4"))


def test_coins_that_the_ledger_traded_were_no_position():
    (made,) = resolve([LENT, *rows(*BOUGHT)], CASH)
    assert isinstance(made, Fill)
    assert (made.id, made.pair, made.order_id, made.strategy) == (GROUP, "XBT/USD", "O1", "trend")
    assert (made.quantity, made.amount, made.fees) == (D(2), D(100), (Fee("USD", D("0.4")),))
    assert not made.delivers
    assert Flag.PROVISIONAL not in made.flags


@pytest.mark.parametrize("side, sign", [(Side.BUY, 1), (Side.SELL, -1)])
def test_a_settlement_of_as_many_coins_is_the_trade_itself(side, sign):
    legs = ((D(2) * sign, "XBT", "0"), (D(-100) * sign, "USD", "0"))
    told = msgspec.structs.replace(LENT, side=side)
    (made,) = resolve([told, *rows(*legs, label="settled")], CASH)
    assert isinstance(made, Fill)
    assert made.delivers
    assert (made.side, made.quantity, made.amount) == (side, D(2), D(100))


@pytest.mark.parametrize(
    "legs",
    [
        (("1", "XBT", "0"), ("-50", "USD", "0")),  # a part of what was opened
        (("-2", "XBT", "0"), ("100", "USD", "0")),  # the other way
    ],
)
def test_a_settlement_of_others_stands_beside_the_trade(legs):
    made = {type(fact) for fact in resolve([LENT, *rows(*legs, label="settled")], CASH)}
    assert made == {Fill, MarginFill}


def test_a_trade_with_rows_of_its_own_stays_leveraged_when_its_position_is_settled():
    opened = rows(("0", "USD", "0.5"), kind="margin")
    settled = [
        msgspec.structs.replace(row, id=f"s{place}")
        for place, row in enumerate(rows(*BOUGHT, label="settled"))
    ]
    delivered, kept = resolve([LENT, *opened, *settled], CASH)
    assert isinstance(delivered, Fill)
    assert isinstance(kept, MarginFill)
    assert (delivered.delivers, kept.fees) == (True, (Fee("USD", D("0.5")),))


def test_a_settlement_of_another_time_is_of_another_trade():
    told = msgspec.structs.replace(LENT, executed_at=START - instant.SECOND)
    made = {type(fact) for fact in resolve([told, *rows(*BOUGHT, label="settled")], CASH)}
    assert made == {Fill, MarginFill}


def test_without_a_side_nobody_knows_which_coins_were_settled():
    told = msgspec.structs.replace(LENT, side=None, quantity=None)
    made = {type(fact) for fact in resolve([told, *rows(*BOUGHT, label="settled")], CASH)}
    assert MarginFill in made


def test_what_is_told_as_a_settlement_once_is_no_position_as_well():
    settled = Fill(
        id=GROUP,
        group=GROUP,
        executed_at=START + 1,
        account="kraken:main",
        source=Source.TRADES,
        base="XBT",
        quote="USD",
        side=Side.BUY,
        quantity=D(2),
        amount=D(100),
        delivers=True,
    )
    assert [type(fact) for fact in resolve([LENT, settled], CASH)] == [Fill]


@pytest.mark.parametrize(
    "coin, taken, made",
    [
        ("EURC", "5.2", D(-5)),  # one for one: what it lost in EURC it lost in the quote
        ("EURC", "5.3", None),
        ("USDC", "5.2", None),
    ],
)
def test_what_was_lost_in_a_coin_at_par_is_known_in_the_quote(coin, taken, made):
    told = msgspec.structs.replace(LENT, quote="EUR", pair="XBT/EUR", side=Side.SELL)
    pen, named = Pen(), {"group": GROUP, "executed_at": START}
    rows_ = [
        pen.row("conversion", "-5.2", "EUR", **named),
        pen.row("conversion", taken, "EURC", **named),
        pen.row("margin", "-5", coin, fee=D("0.2"), **named),
    ]
    (traded,) = (
        fact
        for fact in resolve([told, *rows_], frozenset({"EUR"}))
        if isinstance(fact, MarginFill) and fact.quantity
    )
    assert (traded.settled, traded.made, traded.is_elsewhere) == (D(0), made, True)


def test_a_charge_in_a_coin_at_par_says_that_nothing_was_made():
    told = msgspec.structs.replace(LENT, quote="EUR", pair="XBT/EUR")
    pen, named = Pen(), {"group": GROUP, "executed_at": START}
    rows_ = [
        pen.row("conversion", "-0.2", "EUR", **named),
        pen.row("conversion", "0.2", "EURC", **named),
        pen.row("margin", "0", "EURC", fee=D("0.2"), **named),
    ]
    (traded,) = (
        fact for fact in resolve([told, *rows_], frozenset({"EUR"})) if isinstance(fact, MarginFill)
    )
    assert (traded.settled, traded.made, traded.is_elsewhere) == (None, D(0), True)
