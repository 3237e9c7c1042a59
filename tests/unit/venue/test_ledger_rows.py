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


@pytest.mark.parametrize(
    "amount,usd,value",
    [("-10", "-11", "1.1"), ("4", "5", "1.25"), ("8", "8", "1"), ("2", "10000", "5000")],
)
def test_a_stated_worth_that_divides_exactly_is_a_rate(amount, usd, value):
    (said,) = moved(row(amount=Decimal(amount), amount_usd=Decimal(usd)))
    (rate,) = said.rates
    assert (rate.asset, rate.quote, rate.value) == ("EUR", "USD", Decimal(value))
    assert (rate.source, rate.at) == ("column amountusd", 100 * SECOND)


@pytest.mark.parametrize("amount,usd", [("3", "1"), ("0", "1"), ("1", "0"), ("1", "-1")])
def test_a_stated_worth_that_does_not_is_none(amount, usd):
    assert moved(row(amount=Decimal(amount), amount_usd=Decimal(usd)))[0].rates == ()


def adjusted(txid, second, amount, code, refid=None):
    return row(
        txid=txid,
        refid=refid or f"R{txid}",
        type="adjustment",
        subtype="",
        executed_at=second * SECOND,
        amount=Decimal(amount),
        code=code,
    )


def test_a_forced_conversion_is_paired_by_time():
    said = moved(adjusted("LB", 100, "-5", "OLD"), adjusted("LA", 101, "5", "NEW"))
    assert {each.kind for each in said} == {MovementKind.CONVERSION}
    assert {each.group for each in said} == {"kraken:main:adjustment:LA"}


def test_the_pair_does_not_depend_on_the_order_of_rows():
    one, other = adjusted("LB", 100, "-5", "OLD"), adjusted("LA", 105, "5", "NEW")
    assert {each.group for each in moved(one, other)} == {each.group for each in moved(other, one)}


@pytest.mark.parametrize(
    "rows",
    [
        [("L1", 100, "-5", "OLD")],
        [("L1", 100, "-5", "OLD"), ("L2", 106, "5", "NEW")],
        [("L1", 100, "5", "OLD"), ("L2", 101, "5", "NEW")],
        [("L1", 100, "-5", "OLD"), ("L2", 101, "5", "OLD")],
        [("L1", 100, "-5", "OLD"), ("L2", 101, "5", "NEW"), ("L3", 102, "7", "NEW2")],
        [("L1", 100, "-5", "OLD"), ("L2", 101, "0", "NEW")],
    ],
    ids=["alone", "too far", "same sign", "same asset", "a third", "nothing moved"],
)
def test_an_unclear_pair_stays_apart(rows):
    said = moved(*(adjusted(*each) for each in rows))
    assert {each.kind for each in said} == {MovementKind.ADJUSTMENT}
    assert len({each.group for each in said}) == len(said)


def test_a_common_reference_pairs_whatever_the_time():
    said = moved(adjusted("L1", 100, "-5", "OLD", "RX"), adjusted("L2", 900, "5", "NEW", "RX"))
    assert {each.kind for each in said} == {MovementKind.CONVERSION}
    assert {each.group for each in said} == {"kraken:main:RX"}
