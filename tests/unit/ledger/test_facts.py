"""What several statements of one fact add up to."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import MAIN as MAIN_POCKET
from bursar.ledger.entries import (
    TRANSIT,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
    Reversal,
    Side,
    Source,
    Tag,
    Transfer,
)
from bursar.ledger.facts import resolve
from tests.unit.ledger.samples import MAIN, START, Pen, fees

D = Decimal
CASH = frozenset({"USD", "USDT"})


def trade(*legs, group="kraken:main:t", fee="0"):
    pen = Pen()
    return [
        pen.row(
            "trade", amount, asset, group=group, sequence=place, fee=D(fee) if not place else D(0)
        )
        for place, (amount, asset) in enumerate(legs)
    ]


def statement(rows=(), **named):
    pen = Pen()
    named = {"id": "kraken:main:t", "source": Source.TRADES, "executed_at": START} | named
    return pen.buy(2, "XBT", 101, rows=tuple(row.id for row in rows), **named)


def resolved(entries):
    return resolve(entries, CASH)


def only(entries, kind):
    (fact,) = resolved(entries)
    assert isinstance(fact, kind)
    return fact


def test_two_rows_that_moved_in_opposite_directions_make_a_fill():
    fact = only(trade(("-100", "USD"), ("2", "XBT"), fee="0.26"), Fill)
    assert (fact.base, fact.quote, fact.side) == ("XBT", "USD", Side.BUY)
    assert (fact.quantity, fact.amount) == (2, 100)
    assert fact.fees == (Fee("USD", D("0.26")),)
    assert fact.flags == ()


@pytest.mark.parametrize(
    "given, taken, pair, side",
    [
        ("XBT", "USD", ("XBT", "USD"), Side.SELL),
        ("EUR", "USD", ("EUR", "USD"), Side.SELL),
        ("ETH", "XBT", ("ETH", "XBT"), Side.SELL),
        ("XBT", "ETH", ("ETH", "XBT"), Side.BUY),
        ("ADA", "SOL", ("SOL", "ADA"), Side.BUY),
        ("USDT", "XBT", ("XBT", "USDT"), Side.BUY),
    ],
)
def test_where_no_pair_is_stated_the_usual_quote_is_the_quote(given, taken, pair, side):
    fact = only(trade(("-1", given), ("3", taken)), Fill)
    assert ((fact.base, fact.quote), fact.side) == (pair, side)


def test_a_trade_statement_alone_is_provisional():
    assert only([statement()], Fill).flags == (Flag.PROVISIONAL,)
    event = msgspec.structs.replace(statement(), source=Source.EVENT)
    assert only([event], Fill).flags == ()


def test_the_ledger_decides_amounts_and_the_trade_tells_the_rest():
    rows = trade(("2", "XBT"), ("-100", "USD"), fee="0.01")
    fact = only([*rows, statement(rows, order_id="o", strategy="grid")], Fill)
    assert (fact.quantity, fact.amount, fact.order_id) == (2, 100, "o")
    assert fact.fees == (Fee("XBT", D("0.01")),)
    assert fact.rows == tuple(row.id for row in rows)
    assert fact.flags == ()


def test_with_half_of_the_rows_the_trade_still_fills_the_gap():
    rows = trade(("2", "XBT"), ("-100", "USD"))
    stated = statement(rows, fees=fees((1, "USD")))
    fact = only([rows[0], stated], Fill)
    assert (fact.quantity, fact.amount) == (2, 101)
    assert fact.fees == stated.fees
    assert fact.flags == (Flag.PROVISIONAL,)
    other = only([rows[1], stated], Fill)
    assert (other.quantity, other.amount, other.side) == (2, 100, Side.BUY)


def test_a_leg_that_rounded_to_nothing_is_complete_with_all_its_rows():
    rows = trade(("-0.01", "USD"))
    fact = only([*rows, statement(rows)], Fill)
    assert (fact.quantity, fact.amount, fact.side, fact.flags) == (0, D("0.01"), Side.BUY, ())


def test_a_statement_of_another_pair_lends_only_its_names():
    rows = trade(("2", "ETH"), ("-100", "USD"))
    fact = only([*rows, statement(rows, strategy="grid")], Fill)
    assert (fact.base, fact.strategy) == ("ETH", "grid")


def test_more_than_two_assets_are_a_conversion():
    rows = trade(("2", "XBT"), ("-100", "USD"), ("-1", "ETH"))
    fact = only(rows, Conversion)
    assert [leg.asset for leg in fact.given] == ["USD", "ETH"]
    assert [leg.asset for leg in fact.taken] == ["XBT"]


def test_a_lone_leg_waits_as_an_unpaired_flow():
    fact = only(trade(("2", "XBT")), CashFlow)
    assert (fact.kind, fact.flags) == (FlowKind.UNPAIRED, (Flag.UNPAIRED,))


def test_rows_that_cancel_each_other_did_not_move():
    rows = trade(("2", "XBT"), ("-2", "XBT"))
    assert {fact.kind for fact in resolved(rows)} == {FlowKind.UNPAIRED}


def test_rows_say_when_a_trade_was_booked_and_only_the_ledger_tells_it_finer():
    rows = trade(("2", "XBT"), ("-100", "USD"))
    rows = [msgspec.structs.replace(row, executed_at=START) for row in rows]
    fine = statement(rows, executed_at=START + 250_000_000)
    assert only([*rows, fine], Fill).executed_at == START
    own = msgspec.structs.replace(fine, source=Source.LEDGER)
    assert only([*rows, own], Fill).executed_at == START + 250_000_000


def test_of_several_sources_each_field_comes_from_the_most_authoritative():
    told = statement(strategy=None, regime=None)
    event = msgspec.structs.replace(
        told, source=Source.EVENT, strategy="grid", quantity=D(9), executed_at=START + 5
    )
    fact = only([event, told], Fill)
    assert (fact.quantity, fact.strategy, fact.executed_at) == (2, "grid", START + 5)


def test_instant_swaps_and_lone_legs_of_them():
    pen = Pen()
    rows = [
        pen.row("conversion", amount, asset, group="kraken:main:c", label="dust")
        for amount, asset in (("-1", "ADA"), ("-2", "SOL"), ("0.01", "BNB"))
    ]
    fact = only(rows, Conversion)
    assert (len(fact.given), len(fact.taken), fact.note) == (2, 1, "dust")
    assert {each.kind for each in resolved(rows[:2])} == {FlowKind.UNPAIRED}


def test_margin_rows_settle_the_stated_position():
    pen = Pen()
    rows = [
        pen.row("margin", "-5", "USD", group="kraken:main:m", fee=D("0.1")),
        pen.row("margin", "3", "EUR", group="kraken:main:m"),
    ]
    stated = pen.margin("buy", 2, 100, id="kraken:main:m/margin", source=Source.TRADES)
    stated = msgspec.structs.replace(stated, group="kraken:main:m")
    facts = {fact.id: fact for fact in resolved([*rows, stated])}
    position = facts["kraken:main:m/margin"]
    assert isinstance(position, MarginFill)
    assert (position.quantity, position.settled) == (D(2), D(-5))
    assert not position.flags
    assert position.fees == (Fee("USD", D("0.1")),)
    money = facts["kraken:main:m/margin/EUR"]
    assert (money.quantity, money.settled) == (None, 3)


def test_what_rows_charge_in_another_coin_is_not_charged_twice():
    pen = Pen()
    row = pen.row("margin", "0", "BNB", group="binance:main:m", fee=D("0.1"))
    stated = pen.margin("buy", 2, 100, id="binance:main:m/margin", source=Source.TRADES)
    named = {"group": "binance:main:m", "fees": (Fee("BNB", D("0.1")),)}
    stated = msgspec.structs.replace(stated, **named)
    assert only([stated], MarginFill).fees == (Fee("BNB", D("0.1")),)
    fact = only([row, stated], MarginFill)
    assert (fact.quantity, fact.fees, fact.flags) == (2, (Fee("BNB", D("0.1")),), ())
    paid = pen.row("margin", "7", "USD", group="binance:main:m")
    both = only([row, paid, stated], MarginFill)
    assert (both.id, both.settled, both.fees) == (stated.id, 7, (Fee("BNB", D("0.1")),))
    assert both.rows == (row.id, paid.id)


def test_a_position_that_is_settled_in_parts_is_delivered_in_parts():
    pen = Pen()
    told = {"group": "k:T", "label": "settled"}
    rows = []
    for paid, came in (("-12", "0.3"), ("-28", "0.7")):
        rows.append(pen.row("trade", paid, "USD", **told))
        at = rows[-1].executed_at
        rows.append(pen.row("trade", came, "XBT", **told, executed_at=at))
    later = "k:T/" + rows[2].id.removeprefix(f"{MAIN}:")
    parts = {fact.id: fact for fact in resolved(rows[::-1])}
    assert parts.keys() == {"k:T", later}
    assert [(parts[name].amount, parts[name].quantity) for name in ("k:T", later)] == [
        (12, D("0.3")),
        (28, D("0.7")),
    ]
    assert parts["k:T"].executed_at < parts[later].executed_at
    assert all(fact.delivers for fact in parts.values())
    half = {fact.id: fact for fact in resolved(rows[:3])}
    assert half["k:T"] == parts["k:T"]
    assert half[rows[2].id].flags == (Flag.UNPAIRED,)
    late = msgspec.structs.replace(rows[1], executed_at=rows[1].executed_at + 10**9)
    assert only([rows[0], late], Fill).quantity == D("0.3")


def test_a_charge_that_lies_in_another_pocket_stays_there():
    pen = Pen()
    row = pen.row("margin", "0", "BNB", group="k:T", fee=D("0.1"), pocket="futures")
    paid = pen.row("margin", "7", "USD", group="k:T")
    stated = pen.margin("buy", 2, 100, id="k:T/margin", group="k:T", source=Source.TRADES)
    facts = {fact.id: fact for fact in resolved([row, paid, stated])}
    assert facts["k:T/margin"].fees == ()
    assert facts["k:T/margin/BNB"].pocket == "futures"


def test_what_is_settled_in_another_coin_is_not_settled_in_the_quote_as_well():
    pen = Pen()
    row = pen.row("margin", "100", "USDC", group="k:T", fee=D("1.1"))
    stated = pen.margin("sell", 2, 100, id="k:T/margin", group="k:T", source=Source.TRADES)
    named = {"pair": "XBT/USD", "order_id": "O", "strategy": "s", "fees": (Fee("USD", D(1)),)}
    stated = msgspec.structs.replace(stated, **named)
    facts = {fact.id: fact for fact in resolved([row, stated])}
    trade, part = facts["k:T/margin"], facts["k:T/margin/USDC"]
    assert (trade.settled, trade.quantity, trade.fees, trade.flags) == (0, 2, (), ())
    assert (part.settled, part.quantity, part.fees) == (100, None, (Fee("USDC", D("1.1")),))
    assert (part.pair, part.order_id, part.strategy) == ("XBT/USD", "O", "s")
    told = msgspec.structs.replace(stated, settled=D(99))
    assert {fact.settled for fact in resolved([row, told])} == {0, 100}


def test_a_statement_that_only_names_a_market_is_no_fact():
    pen = Pen()
    row = pen.row("margin", "5", "USD", group="binance:main:m")
    stated = pen.margin("buy", 2, 100, id="binance:main:m/margin", source=Source.TRADES)
    bare = msgspec.structs.replace(stated, side=None, quantity=None, price=None, settled=None)
    bare = msgspec.structs.replace(bare, fees=())
    assert resolved([bare]) == []
    moved = msgspec.structs.replace(bare, group="binance:main:other")
    other = pen.row("margin", "5", "USD", group="binance:main:else")
    assert [fact.id for fact in resolved([other, moved])] == ["binance:main:else/margin/USD"]
    assert (
        only([row, msgspec.structs.replace(bare, group="binance:main:m")], MarginFill).settled == 5
    )


@pytest.mark.parametrize(
    "kind, amount, booked",
    [
        ("deposit", 5, FlowKind.DEPOSIT),
        ("deposit", -5, FlowKind.WITHDRAWAL),
        ("withdrawal", -5, FlowKind.WITHDRAWAL),
        ("withdrawal", 5, FlowKind.UNCLASSIFIED),
        ("financing", -5, FlowKind.FEE),
        ("airdrop", 5, FlowKind.AIRDROP),
    ],
)
def test_a_row_is_a_flow_of_its_kind_and_sign(kind, amount, booked):
    flow = only([Pen().row(kind, amount, "USD")], CashFlow)
    assert flow.kind is booked
    assert (Flag.UNCLASSIFIED in flow.flags) == (booked is FlowKind.UNCLASSIFIED)


def test_a_row_that_cancels_an_earlier_one_reverses_it():
    pen = Pen()
    rows = [
        pen.row("withdrawal", amount, "XBT", group="g", fee=D(fee))
        for amount, fee in ((-5, 1), (-5, 1), (5, -1), (5, -1), (5, -1))
    ]
    facts = resolved(rows)
    flows = [fact for fact in facts if isinstance(fact, CashFlow)]
    reversals = [fact for fact in facts if isinstance(fact, Reversal)]
    assert [flow.reversed_by for flow in flows] == [rows[2].id, rows[3].id, None]
    assert [each.target for each in reversals] == [rows[0].id, rows[1].id]
    assert flows[2].kind is FlowKind.UNCLASSIFIED


@pytest.mark.parametrize("change", [{"fee": D(2)}, {"asset": "ETH"}, {"amount": D(4)}])
def test_what_is_not_the_exact_opposite_reverses_nothing(change):
    pen = Pen()
    first = pen.row("withdrawal", -5, "XBT", group="g", fee=D(1))
    back = pen.row("withdrawal", 5, "XBT", group="g", fee=D(-1))
    facts = resolved([first, msgspec.structs.replace(back, **change)])
    assert [type(fact) for fact in facts] == [CashFlow, CashFlow]


def test_a_row_of_nothing_reverses_nothing():
    pen = Pen()
    rows = [pen.row("deposit", 0, "USD", group="g") for _ in range(2)]
    assert len([fact for fact in resolved(rows) if isinstance(fact, CashFlow)]) == 2


@pytest.mark.parametrize("amount, way", [(-3, (MAIN_POCKET, TRANSIT)), (3, (TRANSIT, MAIN_POCKET))])
def test_an_internal_row_passes_through_transit(amount, way):
    fact = only([Pen().row("internal", amount, "ETH")], Transfer)
    assert (fact.quantity, (fact.pocket, fact.to_pocket)) == (3, way)
    staked = only([Pen().row("internal", amount, "ETH", pocket="staked")], Transfer)
    assert "staked" in {staked.pocket, staked.to_pocket}


def test_a_note_is_no_fact():
    tag = Tag(id="n", executed_at=START, account=MAIN, target="x", strategy="s")
    assert resolved([tag]) == []


def test_other_facts_stand_for_themselves_beside_rows():
    pen = Pen()
    flow = pen.flow("deposit", 5, "USD", group="g")
    row = pen.row("deposit", 7, "USD", group="g")
    assert [fact.amount for fact in resolved([row, flow])] == [5, 7]


def test_a_trade_whose_rows_cancel_moved_nothing():
    rows = trade(("2", "XBT"), ("-2", "XBT"))
    fact = only([*rows, statement(rows)], Fill)
    assert (fact.quantity, fact.amount, fact.side) == (0, 0, Side.BUY)


def forced(*rows):
    """Adjustment rows of one group: (seconds, amount, asset)."""
    pen = Pen()
    return [
        pen.row("adjustment", amount, asset, group="g", executed_at=START + seconds * 10**9)
        for seconds, amount, asset in rows
    ]


def test_two_rows_near_each_other_are_a_forced_conversion():
    fact = only(forced((0, -5, "LUNA"), (1, 3, "USD")), Conversion)
    assert [leg.asset for leg in (*fact.given, *fact.taken)] == ["LUNA", "USD"]


@pytest.mark.parametrize(
    "rows",
    [
        [(0, -5, "LUNA")],
        [(0, -5, "LUNA"), (10**6, 3, "USD")],
        [(0, -5, "LUNA"), (1, -3, "USD")],
        [(0, -5, "LUNA"), (1, 5, "LUNA"), (1, 3, "USD")],
    ],
)
def test_rows_that_are_no_clear_pair_stay_apart(rows):
    assert not any(isinstance(fact, Conversion) for fact in resolved(forced(*rows)))


@pytest.mark.parametrize(
    "amount, asset, worth_asset, value",
    [
        (-5, "XBT", "USD", -70),
        (5, "XBT", "USD", 70),
        (5, "XBT", "EUR", None),
        (5, "USD", "USD", None),
    ],
)
def test_a_row_may_say_what_it_was_worth(amount, asset, worth_asset, value):
    row = Pen().row("deposit", amount, asset, worth=D(70), worth_asset=worth_asset)
    assert only([row], CashFlow).value == value


def test_dust_that_is_swept_up_is_shared_by_what_the_venue_says_it_was_worth():
    pen = Pen()

    def swept(*worths):
        rows = [
            pen.row("conversion", -n, asset, group="kraken:main:c", worth=worth, worth_asset="USD")
            for n, asset, worth in ((1, "ETH", worths[0]), (9, "XTZ", worths[1]))
        ]
        rows.append(pen.row("conversion", "3.9", "USD", group="kraken:main:c"))
        fact = only(rows, Conversion)
        return [leg.value for leg in fact.given]

    assert swept(D(3), D(1)) == [3, 1]
    assert swept(D(3), D(0)) == [3, None]  # dust that is rounded to nothing has a price


def test_what_is_settled_in_a_coin_has_the_worth_that_the_venue_says():
    pen = Pen()
    of = {"group": "kraken:main:m", "worth_asset": "USD"}
    told = pen.row("margin", "-0.01", "XBT", worth=D(900), **of)
    assert only([told], MarginFill).quote_rate == 90_000
    for other in (
        pen.row("margin", "-0.01", "XBT", worth=D(900), **(of | {"worth_asset": "EUR"})),
        pen.row("margin", "-0.01", "XBT", worth=D(0), **of),
        pen.row("margin", "0", "XBT", worth=D(5), fee=D(1), **of),
    ):
        assert only([other], MarginFill).quote_rate is None


def test_rows_of_a_conversion_in_one_asset_are_none():
    pen = Pen()
    rows = [
        pen.row("conversion", amount, "XBT", group="kraken:main:c") for amount in ("5", "-1", "-4")
    ]
    assert [type(fact) for fact in resolved(rows[:2])] == [CashFlow, CashFlow]
    assert all(Flag.UNPAIRED in fact.flags for fact in resolved(rows))
