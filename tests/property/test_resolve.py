"""The short way through the commonest group says what the long one says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import describe, facts, openings
from bursar.ledger.entries import (
    Fee,
    Fill,
    Flag,
    Movement,
    MovementKind,
    Rate,
    Side,
    Source,
    StagedChange,
    StagedLine,
)
from bursar.ledger.state import Line

CASH = frozenset({"EUR", "USDT"})
NUMBERS = st.integers(-3, 3).map(Decimal)


@st.composite
def rows(draw):
    """Rows of trades, mostly of one reference; now and then one of another kind or told twice."""
    made = []
    for number in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from([MovementKind.TRADE] * 9 + [MovementKind.REWARD]))
        made.append(
            Movement(
                id=f"k:L{draw(st.integers(0, 9)) if draw(st.booleans()) else 10 + number}",
                group=draw(st.sampled_from(["k:T", "k:T", "k:T", "k:U", None])),
                account="k",
                source=Source.LEDGER,
                executed_at=draw(st.integers(0, 2)),
                sequence=draw(st.integers(0, 1)),
                kind=kind,
                asset=draw(st.sampled_from(["EUR", "USDT", "XBT", "ETH"])),
                amount=draw(NUMBERS),
                fee=draw(NUMBERS),
                pocket=draw(st.sampled_from([None, None, "staked"])),
                label=draw(st.sampled_from([None, None, None, "settled"])),
                worth=draw(st.none() | NUMBERS),
                worth_asset=draw(st.sampled_from([None, "EUR", "USD"])),
                rates=draw(st.sampled_from([(), (Rate("XBT", "EUR", Decimal(2), "said"),)])),
            )
        )
    return made


@given(rows())
def test_the_rows_of_one_trade_make_what_a_sifted_group_makes(told):
    short = facts.resolve(told, CASH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "rows_of_one_trade", lambda _: [])
        assert short == facts.resolve(told, CASH)


@st.composite
def executions(draw):
    """What a trade history says of a trade, or of another one."""
    base, quote = draw(st.sampled_from([("XBT", "EUR"), ("ETH", "XBT"), ("EUR", "XBT")]))
    return Fill(
        id=draw(st.sampled_from(["k:T", "k:T", "k:T", "k:V"])),
        group="k:T",
        account="k",
        source=Source.TRADES,
        executed_at=draw(st.sampled_from([0, 1, 10**9, 10**9 + 5])),
        sequence=draw(st.integers(0, 1)),
        base=base,
        quote=quote,
        side=draw(st.sampled_from(Side)),
        quantity=Decimal(2),
        amount=draw(st.none() | NUMBERS),
        fees=draw(st.sampled_from([(), (Fee("EUR", Decimal(1)),)])),
        flags=draw(st.sampled_from([(), (Flag.UNPRICED,)])),
        rates=draw(st.sampled_from([(), (Rate("XBT", "EUR", Decimal(2), "said"),)])),
        value=draw(st.none() | NUMBERS),
        order_id="O",
    )


@given(
    st.permutations(["first", "second", "told"]),
    executions(),
    st.tuples(NUMBERS, NUMBERS),
    st.tuples(st.sampled_from([0, 10**9]), st.sampled_from([0, 0, 0, 10**9])),
    st.sampled_from([("XBT", "EUR"), ("EUR", "XBT"), ("XBT", "ETH"), ("XBT", "XBT")]),
)
def test_an_execution_and_its_rows_make_what_a_sifted_group_makes(
    order, told, amounts, times, assets
):
    first, second = (
        Movement(
            id=f"k:L{number}",
            group="k:T",
            account="k",
            source=Source.LEDGER,
            executed_at=times[0] + times[1] * number,
            kind=MovementKind.TRADE,
            asset=assets[number],
            amount=amounts[number],
            fee=amounts[number - 1],
        )
        for number in range(2)
    )
    group = [{"first": first, "second": second, "told": told}[name] for name in order]
    short = facts.resolve(group, CASH)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "booked_trade", lambda *_: None)
        assert short == facts.resolve(group, CASH)


@given(
    st.sampled_from([Side.BUY, Side.SELL]),
    st.lists(st.builds(Fee, st.sampled_from(["EUR", "XBT", "USDT"]), NUMBERS, st.none() | NUMBERS)),
    st.none() | NUMBERS,
    st.sampled_from(["EUR", "ETH"]),
    st.sampled_from([(), (Flag.PROVISIONAL, Flag.UNPRICED)]),
)
def test_the_record_of_a_plain_trade_is_what_any_record_is(side, fees, amount, quote, flags):
    fill = Fill(
        id="k:1",
        executed_at=10**18,
        account="k",
        base="XBT",
        quote=quote,
        side=side,
        quantity=Decimal("1.50"),
        amount=amount,
        fees=tuple(fees),
        flags=flags,
    )
    line = Line("trade", ("k", "XBT", f"XBT/{quote}", "manual", ""), Decimal("-2.0"), Decimal(7))
    (short,) = describe.trade_records(fill, [line], CASH)
    assert short == describe._record(fill, "trade", [line], CASH, is_first=True)
    assert str(short) == str(describe._record(fill, "trade", [line], CASH, is_first=True))


@given(
    st.sampled_from(["XBT/USD", "none"]).flatmap(lambda pair: st.lists(st.just(pair))),
    st.sampled_from([None, "grid"]),
)
def test_the_record_of_a_staged_change_is_what_any_record_is(pairs, strategy):
    change = StagedChange(
        id="m:1",
        executed_at=10**18,
        account="m",
        lines=tuple(StagedLine("XBT", Decimal(1), Decimal(2), strategy) for _ in pairs),
    )
    lines = [
        Line("staged", ("m", "XBT", pair, "manual", ""), Decimal("-2.0"), Decimal(7))
        for pair in pairs
    ]
    (short,) = describe.trade_records(change, lines, CASH)
    assert str(short) == str(describe._record(change, "staged", lines, CASH, is_first=True))


@given(
    st.lists(st.tuples(st.sampled_from("SB"), NUMBERS, st.lists(st.sampled_from(["EUR", "XBT"]))))
)
def test_a_fill_is_followed_as_its_changes_are(told):
    fills = [
        Fill(
            id=f"k:{number}",
            executed_at=number,
            account="k",
            base="XBT",
            quote="XBT" if number % 7 == 6 else "EUR",
            side=Side.BUY if way == "B" else Side.SELL,
            quantity=Decimal("0.5"),
            amount=None if number % 5 == 4 else abs(amount),
            fees=tuple(Fee(asset, amount) for asset in charged),
        )
        for number, (way, amount, charged) in enumerate(told)
    ]
    followed = openings.Prefixes("EUR", CASH).follow(fills, frozenset())
    moved = openings.Prefixes("EUR", CASH)
    for fill in fills:
        moved._began.setdefault("k", fill.executed_at)
        for place, change in openings._net(openings.deltas(fill)):
            moved._move(place, change, (fill.executed_at, fill.sequence))
    assert str(followed.walked()) == str(moved.walked())
