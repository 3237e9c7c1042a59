"""What looks like two ends of one transfer between accounts is pointed out, and only that."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bursar.ledger.records import CashFlowRecord
from bursar.portfolio.journeys import journeys

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def flow(name, amount, account, *, asset="XBT", hours=0, type_=None):
    moved = Decimal(amount)
    return CashFlowRecord(
        id=name,
        time=NOON + timedelta(hours=hours),
        asset=asset,
        amount=moved,
        type=type_ or ("deposit" if moved > 0 else "withdrawal"),
        account=account,
    )


OUT = flow("out", "-0.5", "kraken:main")


def named(*flows):
    return [(each.withdrawal.id, each.deposit.id) for each in journeys(flows)]


@pytest.mark.parametrize(
    "came",
    [
        {},
        {"asset": "BTC"},
        {"amount": "0.45"},
        {"hours": 72},
        {"hours": -1},
        {"type_": "transfer"},
        {"account": "kraken:second"},
    ],
)
def test_what_may_be_what_left_is_pointed_out(came):
    told = {"amount": "0.5", "account": "binance:main"} | came
    assert named(flow("in", **told), OUT) == [("out", "in")]


@pytest.mark.parametrize(
    "came",
    [
        {"asset": "ETH"},
        {"amount": "0.44"},
        {"amount": "0.51"},
        {"hours": 73},
        {"hours": -2},
        {"type_": "reward"},
        {"account": "kraken:main"},
    ],
)
def test_what_cannot_be_is_not(came):
    told = {"amount": "0.5", "account": "binance:main"} | came
    assert named(OUT, flow("in", **told)) == []


def test_what_could_be_paired_in_two_ways_is_paired_in_none():
    ins = [flow(name, "0.5", "binance:main", hours=1) for name in ("a", "b")]
    apart = flow("other", "-7", "kraken:main", hours=2), flow("c", "7", "binance:main", hours=2)
    assert named(OUT, *ins, *apart) == [("other", "c")]
    assert named(OUT, flow("twin", "-0.49", "alpaca:main"), ins[0]) == [("out", "a")]
    assert named(OUT, flow("twin", "-0.52", "alpaca:main"), ins[0]) == []
