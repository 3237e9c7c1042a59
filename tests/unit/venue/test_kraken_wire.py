"""Objects of answers, read digit for digit, each fault with its row and field."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice, RegionDenied, VenueGarbled
from bursar.ledger.entries import Side
from bursar.venue.kraken.tags import TagRules, tags
from bursar.venue.kraken.wire import (
    Object,
    closed_order,
    ledger_row,
    open_order,
    page,
    trade_row,
)
from bursar.venue.region import GLOBAL, PROFILES, US_CA, profile

LEDGER = {
    "refid": "TJKLXF-PGMUI-4NTLXU",
    "time": Decimal("1688464484.1787"),
    "type": "trade",
    "subtype": "",
    "aclass": "currency",
    "asset": "ZGBP",
    "amount": "-24.5000",
    "fee": "0.0490",
    "balance": "459567.9171",
}
TRADE = {
    "ordertxid": "OQCLML-BW3P3-BUCMWZ",
    "pair": "XXBTZUSD",
    "time": Decimal("1688667796.8802475"),
    "type": "buy",
    "ordertype": "limit",
    "price": "30010.00000",
    "cost": "600.20000",
    "fee": "0.00000",
    "vol": "0.02000000",
    "margin": "0.00000",
    "misc": "",
}
ORDER = {
    "refid": "None",
    "userref": 36493663,
    "cl_ord_id": "KRKKD:trend_v1",
    "opentm": Decimal("1688148493.7708"),
    "closetm": Decimal("1688148610.0477"),
    "descr": {"pair": "XBTEUR", "leverage": "none"},
    "trades": ["T1", "T2"],
}


def read(how, said, **changes):
    return how("ID", Object("ID", {**said, **changes}))


def test_a_ledger_row():
    row = read(ledger_row, LEDGER)
    assert row.executed_at == 1688464484178700000
    assert (row.txid, row.code, row.subtype, row.wallet) == ("ID", "ZGBP", "", "")
    assert (str(row.amount), str(row.fee), str(row.balance)) == (
        "-24.5000",
        "0.0490",
        "459567.9171",
    )


@pytest.mark.parametrize(
    "time,at",
    [
        (1688464484, 1688464484 * 10**9),
        ("1688464484.5", 1688464484500000000),
        (Decimal("1688464484.123456789"), 1688464484123456789),
        (Decimal("1688464484.1234567890"), 1688464484123456789),
    ],
)
def test_times_are_numbers_or_texts(time, at):
    assert read(ledger_row, LEDGER, time=time).executed_at == at


@pytest.mark.parametrize(
    "field,value",
    [
        ("time", "yesterday"),
        ("time", -1),
        ("time", True),
        ("time", None),
        ("time", Decimal("1.1234567891")),
        ("time", Decimal("1E+40")),
        ("amount", None),
        ("amount", "1,5"),
        ("amount", "NaN"),
        ("amount", True),
        ("amount", [1]),
        ("amount", "1" * 21),
        ("fee", ""),
        ("balance", None),
        ("asset", ""),
        ("asset", None),
        ("type", ""),
        ("type", 5),
    ],
)
def test_a_ledger_row_that_is_none_is_garbled_by_name(field, value):
    with pytest.raises(VenueGarbled, match="ID") as caught:
        read(ledger_row, LEDGER, **{field: value})
    assert caught.value.context["field"] == field


def test_what_may_be_absent_is():
    row = read(ledger_row, LEDGER, refid=None, subtype=None)
    assert (row.refid, row.subtype) == ("", "")


def test_a_trade():
    row = read(trade_row, TRADE, ledgers=["L1", "L2"])
    assert row.executed_at == 1688667796880247500
    assert (row.side, row.volume, row.order_id) == (
        Side.BUY,
        Decimal("0.02"),
        "OQCLML-BW3P3-BUCMWZ",
    )
    assert row.ledgers == ("L1", "L2")
    assert read(trade_row, TRADE, margin=None, misc=None, price=None).price is None
    assert read(trade_row, TRADE, margin=None).margin is None


@pytest.mark.parametrize(
    "field,value",
    [("type", "hold"), ("vol", "-1"), ("cost", None), ("ledgers", "L1"), ("ledgers", [1])],
)
def test_a_trade_that_is_none_is_garbled(field, value):
    with pytest.raises(VenueGarbled):
        read(trade_row, TRADE, **{field: value})


@pytest.mark.parametrize(
    "userref,found", [(0, None), (None, None), ("0", None), ("7", 7), (-3, -3)]
)
def test_an_orders_reference(userref, found):
    assert read(closed_order, ORDER, userref=userref).userref == found


def test_an_order():
    order = read(closed_order, ORDER)
    assert order.executed_at == 1688148610047700000
    assert order.opened_at == read(open_order, ORDER).executed_at == 1688148493770800000
    assert (order.client_id, order.trades, order.is_margin) == (
        "KRKKD:trend_v1",
        ("T1", "T2"),
        False,
    )
    leveraged = read(closed_order, ORDER, descr={"leverage": "5:1"})
    assert leveraged.is_margin
    with pytest.raises(VenueGarbled):
        read(closed_order, ORDER, userref="1.5")


def test_a_page_and_what_is_none():
    found = page({"ledger": {"A": LEDGER}, "count": 5}, "ledger", ledger_row)
    assert (len(found.rows), found.count) == (1, 5)
    wrong: list[object] = [
        {"ledger": {"A": LEDGER}},
        {"ledger": {"A": LEDGER}, "count": 0},
        {"ledger": {"A": LEDGER}, "count": "x"},
        {"ledger": {"A": LEDGER}, "count": "1.5"},
        {"ledger": [], "count": 0},
        {"count": 0},
        [],
    ]
    for broken in wrong:
        with pytest.raises(VenueGarbled):
            page(broken, "ledger", ledger_row)
    assert page({"ledger": {}, "count": "0"}, "ledger", ledger_row).rows == ()


# Tags


def order(**changes):
    return read(closed_order, ORDER, **changes)


def test_the_first_rule_that_applies_names_the_strategy():
    rules = TagRules(
        userrefs={36493663: "by userref"},
        client_ids={"KRKKD:trend_v1": "by id"},
        patterns=["KRKKD:(?P<strategy>[a-z0-9_]+)"],
    )
    assert rules.strategy(order()) == "by id"
    assert rules.strategy(order(cl_ord_id="KRKKD:grid_2")) == "grid_2"
    assert rules.strategy(order(cl_ord_id="other")) == "by userref"
    assert rules.strategy(order(cl_ord_id=None)) == "by userref"
    assert rules.strategy(order(cl_ord_id=None, userref=0)) is None
    assert rules.strategy(order(cl_ord_id="KRKKD:Trend", userref=1)) is None


def test_each_execution_gets_a_tag_and_a_leveraged_one_its_own_target():
    rules = TagRules(userrefs={36493663: "grid"})
    told = tags([order(), order(trades=["T3"], descr={"leverage": "2"}), order(userref=1)], rules)
    assert [(tag.target, tag.strategy) for tag in told] == [
        ("kraken:main:T1", "grid"),
        ("kraken:main:T2", "grid"),
        ("kraken:main:T3/margin", "grid"),
    ]
    assert len({tag.id for tag in told}) == 3


def test_an_order_that_is_seen_open_and_closed_says_the_same():
    rules = TagRules(userrefs={36493663: "grid"})
    assert tags([read(open_order, ORDER)], rules) == tags([order()], rules)


@pytest.mark.parametrize("pattern", ["(", "KRKKD:(.*)", "(?P<strategy>x)" + "y" * 200])
def test_a_pattern_without_a_strategy_is_refused(pattern):
    with pytest.raises(BadChoice):
        TagRules(patterns=[pattern])


def test_no_rules_are_false():
    assert not TagRules()
    assert TagRules(userrefs={1: "a"})


# Regions


def test_the_table_of_regions_is_closed():
    assert profile("US_CA") is US_CA
    assert set(PROFILES) >= {"GLOBAL", "US_CA"}
    with pytest.raises(BadChoice, match="MARS"):
        profile("MARS")


def test_what_california_refuses():
    assert not US_CA.supports_margin
    assert not US_CA.supports_futures
    assert US_CA.default_quote == "USD"
    for refuse in (US_CA.allow_margin, US_CA.allow_futures):
        with pytest.raises(RegionDenied, match="L1"):
            refuse("L1")
    GLOBAL.allow_margin("L1")
    GLOBAL.allow_futures("L1")
