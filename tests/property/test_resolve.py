"""The short way through the commonest group says what the long one says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import facts
from bursar.ledger.entries import Movement, MovementKind, Rate, Source

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
        patch.setattr(facts, "_rows_of_one_trade", lambda _: [])
        assert short == facts.resolve(told, CASH)
