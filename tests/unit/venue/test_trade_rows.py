"""One trade, one fill; a leveraged one never looks like a purchase."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.ledger.entries import Fee, Fill, MarginFill, Side, Source
from bursar.venue.kraken.rows import TradeRow
from bursar.venue.kraken.trade_rows import fills


def row(txid="T1", **fields):
    base: dict[str, Any] = {
        "pair": "XXBTZEUR",
        "executed_at": 7,
        "side": Side.BUY,
        "volume": Decimal("0.05000000"),
        "cost": Decimal("2000.00000"),
        "fee": Decimal("5.20000"),
        "margin": Decimal("0.00000"),
        "price": Decimal("40000.00000"),
        "order_id": "O1",
        "ledgers": ("L3", "L4"),
    }
    return TradeRow(txid=txid, **(base | fields))


def test_every_field_of_a_spot_trade():
    assert fills([row()], account="kraken:two") == [
        Fill(
            id="kraken:two:T1",
            group="kraken:two:T1",
            account="kraken:two",
            source=Source.TRADES,
            executed_at=7,
            rows=("kraken:two:L3", "kraken:two:L4"),
            pair="XBT/EUR",
            base="XBT",
            quote="EUR",
            side=Side.BUY,
            quantity=Decimal("0.05"),
            amount=Decimal(2000),
            price=Decimal(40000),
            fees=(Fee("EUR", Decimal("5.2")),),
            order_id="O1",
        )
    ]


def test_a_trade_without_fee_lists_none():
    assert fills([row(fee=Decimal("0.00000"))])[0].fees == ()


def test_trades_of_one_instant_are_counted():
    said = fills([row("T1"), row("T2"), row("T3", executed_at=8)])
    assert [each.sequence for each in said] == [0, 1, 0]


def test_a_leveraged_trade():
    (said,) = fills([row(margin=Decimal(1000), misc="initiated", side=Side.SELL)])
    assert said == MarginFill(
        id="kraken:main:T1/margin",
        group="kraken:main:T1",
        account="kraken:main",
        source=Source.TRADES,
        executed_at=7,
        pair="XBT/EUR",
        base="XBT",
        quote="EUR",
        side=Side.SELL,
        quantity=Decimal("0.05"),
        price=Decimal(40000),
        fees=(Fee("EUR", Decimal("5.2")),),
        leverage=Decimal(2),
        order_id="O1",
    )


@pytest.mark.parametrize(
    "misc, margin",
    [
        ("closing", "0"),
        ("closing,liquidated", "0"),
        ("stopped, closing", "0"),
        ("closing", None),
        ("initiated,closing", "0"),
        ("liquidated", "0"),
    ],
)
def test_the_words_alone_show_leverage(misc, margin):
    (said,) = fills([row(misc=misc, margin=None if margin is None else Decimal(margin))])
    assert isinstance(said, MarginFill)
    assert said.leverage is None


@pytest.mark.parametrize("margin", [Decimal(0), None])
def test_a_trade_that_was_initiated_without_a_margin_is_one_of_coins(margin):
    assert fills([row(misc="initiated", margin=margin)]) == fills([row()])


@pytest.mark.parametrize("status", ["open", "closed"])
def test_a_trade_that_opened_a_position_is_leveraged(status):
    (said,) = fills([row(position_status=status)])
    assert isinstance(said, MarginFill)


@pytest.mark.parametrize("misc", ["", "stopped", "touched", "partial", "amended"])
def test_other_words_do_not(misc):
    assert isinstance(fills([row(misc=misc)])[0], Fill)


def test_a_leverage_that_is_not_whole_is_not_stated():
    (said,) = fills([row(margin=Decimal(999))])
    assert isinstance(said, MarginFill)
    assert said.leverage is None


@pytest.mark.parametrize(
    "misc,margin,closes",
    [
        ("closing", "0.00000", True),
        ("stopped, closing", "0", True),
        ("closing,liquidated", "0", True),
        ("closing", "1000", True),  # of what it closed
        ("closing", None, True),
        ("initiated,closing", "1000", True),
        ("initiated", "1000", None),
        ("", "1000", None),
        ("liquidated", "0", None),
    ],
)
def test_what_closed_and_opened_no_position_of_its_own_says_so(misc, margin, closes):
    (said,) = fills([row(misc=misc, margin=None if margin is None else Decimal(margin))])
    assert isinstance(said, MarginFill)
    assert said.closes is closes


def test_what_closed_one_position_and_opened_another_does_both():
    (said,) = fills([row(misc="closing", margin=Decimal(1000), position_status="open")])
    assert isinstance(said, MarginFill)
    assert said.closes is None


SETTLING = {"misc": "initiated,closing", "margin": Decimal(1000), "fee": Decimal(0)}


@pytest.mark.parametrize(
    "opened, fields",
    [
        ([row("T1", margin=Decimal(1000))], {"position": "T1"}),
        ([], {"order_type": "settle-position"}),
        ([], {"order_type": "settle position", "side": Side.SELL}),
    ],
)
def test_a_trade_that_settles_a_position_is_one_of_coins(opened, fields):
    said = fills([*opened, row("T2", **(SETTLING | fields))])[-1]
    assert isinstance(said, Fill)
    assert said.delivers
    assert said.id == "kraken:main:T2"


@pytest.mark.parametrize("opened", [[], [row("T1", margin=Decimal(1000), side=Side.SELL)]])
def test_a_trade_that_goes_against_the_opening_closes(opened):
    said = fills([*opened, row("T2", **SETTLING, position="T1")])[-1]
    assert isinstance(said, MarginFill)
    assert said.closes
