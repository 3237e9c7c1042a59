"""One ledger row, one movement; only the venue's own reference ties rows together."""

from decimal import Decimal
from typing import Any

import pytest

from bursar.ledger.entries import MovementKind, Rate, Source
from bursar.ledger.instant import SECOND
from bursar.venue.kraken.ledger_rows import movements
from bursar.venue.kraken.rows import LedgerRow


def row(txid="L1", **fields):
    base: dict[str, Any] = {
        "refid": "R1",
        "executed_at": 100 * SECOND,
        "type": "trade",
        "subtype": "tradespot",
        "code": "ZEUR",
        "wallet": "",
        "amount": Decimal("-10.00"),
        "fee": Decimal("0.10"),
        "balance": Decimal("89.90"),
    }
    return LedgerRow(txid=txid, **(base | fields))


def moved(*rows, account="kraken:main"):
    return movements(rows, range(len(rows)), account=account)


def test_every_field_of_a_row():
    (said,) = moved(row(code="DOT28.S", wallet="earn / bonded"), account="kraken:two")
    assert said.id == "kraken:two:L1"
    assert said.group == "kraken:two:R1"
    assert (said.account, said.source) == ("kraken:two", Source.LEDGER)
    assert (said.executed_at, said.sequence) == (100 * SECOND, 0)
    assert (said.asset, said.code, said.pocket) == ("DOT", "DOT28.S", "staked:28")
    assert (said.amount, said.fee, said.balance) == (
        Decimal("-10.00"),
        Decimal("0.10"),
        Decimal("89.90"),
    )
    assert (said.kind, said.label) == (MovementKind.TRADE, "trade/tradespot")
    assert (said.rates, said.rows) == ((), ())


@pytest.mark.parametrize("refid", ["", "0", "Unknown"])
def test_a_reference_that_says_nothing_ties_nothing(refid):
    assert moved(row(refid=refid))[0].group is None


def test_a_label_without_subtype():
    assert moved(row(type="deposit", subtype=""))[0].label == "deposit"
    assert moved(row(type="deposit", subtype=None))[0].label is None
    assert moved(row(type="newthing", subtype=None))[0].label == "newthing"


def test_fee_credits_are_not_money():
    (said,) = moved(row(code="KFEE", amount_usd=Decimal("1.30")))
    assert said.asset == "KFEE"
    assert said.rates == (Rate("KFEE", "*", Decimal(0), "fee credit: not money"),)


@pytest.mark.parametrize("usd", ["11.00", "0.22", "-3"])
def test_a_stated_worth_is_kept_as_it_stands(usd):
    (said,) = moved(row(amount_usd=Decimal(usd)))
    assert (said.worth, said.worth_asset, said.rates) == (Decimal(usd), "USD", ())


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": Decimal(0), "amount_usd": Decimal(1)},
        {"amount_usd": Decimal(0)},
        {"amount_usd": None},
        {"code": "ZUSD", "amount_usd": Decimal(10)},
        {"code": "KFEE", "amount_usd": Decimal(1)},
    ],
)
def test_a_worth_that_says_nothing_is_none(fields):
    (said,) = moved(row(**fields))
    assert (said.worth, said.worth_asset) == (None, None)


def test_adjustments_of_a_day_are_one_group_whatever_their_references():
    rows = [
        row(f"L{n}", refid=f"R{n}", type="adjustment", subtype="", executed_at=n * 43_200 * SECOND)
        for n in range(3)
    ]
    said = moved(*rows)
    assert {each.kind for each in said} == {MovementKind.ADJUSTMENT}
    days = ["1970-01-01", "1970-01-01", "1970-01-02"]
    assert [each.group for each in said] == [f"kraken:main:adjustment:{day}" for day in days]
