"""Round trips go where the coins go: into other coins, names, units and accounts, and out."""

from decimal import Decimal

import pytest

from bursar.ledger import audit, golden, instant
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio import kept
from tests.unit.measure.samples import DAY, HOUR, day
from tests.unit.portfolio.events.told import hearing, trade_closed, trade_opened
from tests.unit.portfolio.places import NOON, opened

SHORTS = Terms(base="EUR", accounts=(Account("s", FactSource.EVENTS, may_short=True),))


def on(number, words, options="", *, account="k"):
    """A line of noon of a day in January."""
    return f"{instant.show(day(number))} {words} #{account}:{number} {options}"


def priced(number, words):
    """A line of a day on which a bitcoin was worth 50000."""
    return on(number, words, f"rate=XBT|EUR|50000|candle|{instant.show(day(number))}")


def told(*lines, terms=None):
    portfolio = opened(*lines, terms=terms)
    made = kept.trips(portfolio)
    pnl = sum(trip.pnl for trip in made.trips)
    assert pnl - made.open_fees + made.flowed == audit.totals(portfolio.book()).realized
    return made


def said(made):
    """Of each trip: the coin, what it made, its fees, how many days it was held."""
    return [(t.asset, t.pnl, t.fees, None if t.held is None else t.held / DAY) for t in made.trips]


BOUGHT = on(1, "buy 1 XBT @ 40000 EUR fee 40 EUR")
SWAPPED = priced(3, "buy 10 ETH @ 0.05 XBT fee 10 EUR")


def test_a_coin_that_pays_for_another_ends_its_trip_and_the_others_begins():
    made = told(
        BOUGHT,
        SWAPPED,
        priced(4, "sell 10 ETH @ 0.06 XBT fee 0.1 XBT worth 5000"),
        on(9, "sell 1 XBT @ 50000 EUR"),
    )
    assert said(made) == [
        ("XBT", 4980, 20, 2),  # 25000 − 20000, half of 40
        ("ETH", -10, 5010, 1),  # 30000 − 25000, 5000, and 10 of when it was bought
        ("XBT", 4980, 20, 6.5),
    ]
    assert (made.open_fees, [trip.pair for trip in made.trips]) == (
        0,
        ["ETH/XBT", "ETH/XBT", "XBT/EUR"],
    )
    assert made.trips[0].cost == 20000


def test_what_pays_a_fee_takes_along_what_it_cost_to_come_by():
    made = told(
        on(1, "buy 10 BNB @ 300 EUR fee 30 EUR"),
        on(2, "buy 1 ETH @ 2000 EUR fee 1 BNB worth 300"),
        on(3, "sell 1 ETH @ 3000 EUR fee 1 BNB worth 300"),
        on(4, "sell 8 BNB @ 300 EUR"),
    )
    assert said(made) == [("ETH", 394, 606, 1), ("BNB", -24, 24, 3)]


def test_a_fee_in_the_coin_that_pays_is_off_it():
    made = told(
        on(1, "buy 1 XBT @ 50000 EUR fee 10 EUR"),
        priced(2, "buy 9.9 ETH for 0.99 XBT fee 0.01 XBT worth 500"),
    )
    assert (said(made), made.open_fees) == ([("XBT", -10, 10, 1)], 500)


def test_a_conversion_ends_the_trip_of_each_coin_it_takes():
    made = told(
        on(1, "buy 1 ADA @ 10 EUR fee 1 EUR"),
        on(2, "buy 1 ETH @ 20 EUR fee 2 EUR"),
        on(3, "convert 1 ADA worth 15 + 1 ETH worth 15 into 0.1 BNB worth 30"),
        on(4, "sell 0.1 BNB @ 400 EUR"),
    )
    assert said(made) == [("ADA", 4, 1, 2), ("ETH", -7, 2, 1), ("BNB", 10, 0, 1)]


@pytest.mark.parametrize("account", ["k", "*"])
def test_a_trip_goes_on_over_a_split_and_ends_when_all_is_sold(account):
    made = told(
        on(1, "buy 3 ADA @ 100 EUR fee 6 EUR"),
        on(2, "split ADA 4 for 1", f"account={account}"),
        on(3, "sell 6 ADA @ 30 EUR"),
        on(5, "sell 6 ADA @ 30 EUR"),
        on(7, "buy 1 ADA @ 30 EUR"),
        on(8, "sell 1 ADA @ 31 EUR"),
    )
    assert said(made) == [("ADA", 27, 3, 2), ("ADA", 27, 3, 4), ("ADA", 1, 0, 1)]
    assert made.open_fees == 0


def test_what_a_split_leaves_nothing_of_is_neither_won_nor_lost():
    made = told(
        on(1, "buy 0.000000000000000001 ADA for 1 EUR fee 6 EUR"),
        on(2, "split ADA 1 for 10"),
    )
    assert (said(made), made.open_fees, made.flowed) == ([], 0, -7)


def test_a_trip_goes_on_under_the_new_name():
    made = told(
        on(1, "buy 10 MATIC @ 1 EUR fee 2 EUR"),
        on(2, "buy 10 POL @ 1 EUR fee 4 EUR"),
        on(4, "rename MATIC to POL"),
        on(5, "sell 20 POL @ 2 EUR"),
    )
    assert (said(made), made.open_fees) == ([("POL", 14, 6, 3.5)], 0)


def test_a_part_goes_on_under_the_new_name_and_the_rest_under_the_old():
    made = told(
        on(1, "buy 10 MATIC @ 1 EUR fee 10 EUR"),
        on(2, "rename 4 MATIC to POL"),
        on(3, "sell 4 POL @ 2 EUR"),
        on(4, "sell 6 MATIC @ 2 EUR"),
    )
    assert said(made) == [("POL", 0, 4, 2), ("MATIC", 0, 6, 3)]


def test_a_coin_that_becomes_money_is_gone_and_money_that_becomes_a_coin_has_come():
    made = told(
        on(1, "buy 10 ADA @ 1 EUR fee 10 EUR"),
        on(2, "rename 4 ADA to USDT"),
        on(3, "rename ADA to EUR"),
        on(4, "rename 5 EUR to ADA"),
        on(5, "sell 5 ADA @ 2 EUR"),
        terms=Terms(base="EUR", pegs=("USDT",)),
    )
    assert [trip[:2] for trip in said(made)] == [("ADA", 5)]
    assert (made.trips[0].held, made.open_fees) == (None, 0)


def test_a_trip_goes_on_in_another_account_of_ones_own():
    made = told(
        on(1, "buy 1 XBT @ 40000 EUR fee 40 EUR"),
        on(2, "transfer 0.5 XBT to b fee 0.1 XBT worth 4000"),
        on(3, "sell 0.5 XBT @ 50000 EUR", account="b"),
        on(4, "sell 0.4 XBT @ 50000 EUR"),
    )
    assert said(made) == [("XBT", 4980, 20, 2), ("XBT", 3984, 16, 3)]
    assert [trip.account for trip in made.trips] == ["b", "k"]
    assert (made.open_fees, made.flowed) == (0, -4)  # what was paid for coming by the fee


def test_coins_in_another_pocket_are_the_same_trip():
    made = told(
        BOUGHT,
        on(2, "transfer 1 XBT to k", "pocket=main to_pocket=staked"),
        on(3, "sell 1 XBT @ 50000 EUR"),
    )
    assert said(made) == [("XBT", 9960, 40, 2)]


def test_what_is_withdrawn_is_neither_won_nor_lost():
    made = told(
        BOUGHT,
        on(2, "withdrawal 0.25 XBT"),
        on(3, "sell 0.75 XBT @ 40000 EUR"),
        on(4, "deposit 0.25 XBT", "value=10000"),
        on(5, "sell 0.25 XBT @ 50000 EUR"),
    )
    assert said(made) == [("XBT", -30, 30, 2), ("XBT", 2500, 0, None)]
    assert (made.open_fees, made.flowed) == (0, -10)


def test_what_was_deposited_shares_the_fees_but_has_no_time():
    made = told(
        BOUGHT,
        on(2, "deposit 1 XBT", "value=40000"),
        on(3, "sell 1 XBT @ 40000 EUR"),
        on(4, "buy 0.5 XBT @ 40000 EUR"),
        on(5, "sell 1.5 XBT @ 40000 EUR"),
    )
    assert said(made) == [("XBT", -20, 20, 2), ("XBT", -20, 20, 2.5)]


def test_what_nobody_priced_of_a_deposit_is_said_of_the_trip_that_sells_it():
    made = told(on(1, "deposit 1 XBT"), on(2, "sell 1 XBT @ 40000 EUR"))
    assert made.trips[0].flags == ("unpriced",)


def test_two_ends_are_one_transfer_once_they_are_linked():
    lines = (
        BOUGHT,
        on(2, "withdrawal 1 XBT"),
        on(3, "deposit 1 XBT", "value=50000", account="b"),
        on(4, "sell 1 XBT @ 50000 EUR", account="b"),
    )
    assert said(told(*lines)) == [("XBT", 0, 0, None)]
    assert said(told(*lines, on(9, "link k:2 to b:3", account="u"))) == [("XBT", 9960, 40, 3)]


def test_a_flow_that_is_taken_back_leaves_a_trip_as_it_was():
    plain = [BOUGHT, on(6, "sell 1 XBT @ 50000 EUR")]
    rest = "source=ledger group=k:R"
    gone = [on(3, "row withdrawal -0.5 XBT", rest), on(4, "row withdrawal 0.5 XBT", rest)]
    assert told(*gone, *plain) == told(*plain)
    came = [on(3, "deposit 0.5 XBT", "value=20000"), on(4, "reverse k:3")]
    assert told(*came, *plain) == told(*plain)


def test_a_deposit_that_is_taken_back_after_all_was_sold_leaves_no_fee_behind():
    made = told(
        BOUGHT,
        on(2, "deposit 0.5 XBT", "value=20000"),
        on(3, "sell 1.2 XBT @ 40000 EUR"),
        on(4, "reverse k:2"),
        terms=Terms(base="EUR", accounts=(Account("k", FactSource.EVENTS),)),
    )
    assert (made.open_fees, made.flowed) == (0, -8)


def test_a_short_is_made_up_for_by_what_comes_and_made_by_what_goes():
    made = told(
        on(1, "sell 10 ACME @ 100 EUR fee 10 EUR", account="s"),
        on(2, "buy 5 ACME @ 90 EUR fee 10 EUR"),
        on(3, "transfer 5 ACME to s"),
        on(4, "withdrawal 5 ACME", account="s"),
        on(5, "buy 10 ACME @ 90 EUR", account="s"),
        terms=SHORTS,
    )
    assert said(made)[0][2:] == (5, 4)
    assert made.open_fees == 0


def test_what_a_short_sale_paid_goes_with_a_deposit_that_makes_up_for_it():
    made = told(
        on(1, "sell 10 ACME @ 50 EUR fee 2 EUR", account="s"),
        on(3, "deposit 4 ACME", "basis=160", account="s"),
        on(5, "buy 6 ACME @ 40 EUR", account="s"),
        terms=SHORTS,
    )
    # 300 − 240 less six tenths of 2; 200 − 160 less the rest of 2.
    assert said(made) == [("ACME", Decimal("58.8"), Decimal("1.2"), 4)]
    assert (made.flowed, made.open_fees) == (Decimal("39.2"), 0)


def test_a_withdrawal_that_went_short_and_is_taken_back_brings_all_fees_back():
    made = told(
        on(1, "buy 4 ACME @ 100 EUR fee 8 EUR", account="s"),
        on(2, "withdrawal 5 ACME", account="s"),
        on(3, "reverse s:2", account="s"),
        on(4, "sell 4 ACME @ 110 EUR", account="s"),
        terms=SHORTS,
    )
    assert said(made) == [("ACME", 32, 8, 3)]
    assert (made.open_fees, made.flowed) == (0, 0)


def test_a_leveraged_position_is_apart_from_coins_of_the_same_name():
    made = told(
        on(1, "buy 1 XBT @ 40000 EUR fee 40 EUR"),
        on(2, "margin buy 1 XBT @ 40000 EUR fee 7 EUR"),
        on(3, "margin sell 1 XBT @ 40100 EUR settled 100"),
        on(4, "sell 1 XBT @ 40000 EUR"),
    )
    assert said(made) == [("XBT", 93, 7, 1), ("XBT", -40, 40, 3)]


def test_coins_that_a_leveraged_position_settled_are_gone_also_where_only_the_book_says():
    lent = "rate=XBT|EUR|50000|candle|2026-01-01T12:00:00Z"
    made = told(
        BOUGHT,
        on(2, "margin buy 1 ETH @ 0.06 XBT", lent),
        on(3, "margin sell 1 ETH @ 0.05 XBT", lent),
        on(4, "sell 0.99 XBT @ 40000 EUR"),
    )
    (lost, sold), part = made.trips, Decimal("0.4")  # a hundredth of 40 was paid for what it took
    assert (lost.pnl, sold.pnl, made.open_fees) == (-400 - part, -40 + part, 0)


def test_a_leveraged_position_that_closes_in_parts_pays_its_fees_by_quantity():
    made = told(
        on(1, "margin buy 4 XBT @ 40000 EUR fee 8 EUR"),
        on(3, "margin sell 1 XBT @ 40100 EUR settled 100"),
        on(5, "margin sell 5 XBT @ 40000 EUR fee 4 EUR"),
        on(6, "margin buy 1 XBT @ 39990 EUR settled 10 fee 1 EUR"),
        on(7, "margin buy 1 XBT @ 39990 EUR"),
    )
    assert said(made) == [
        *(("XBT", 98, 2, 2), ("XBT", -10, 10, 4)),
        *(("XBT", 9, 1, 1), ("XBT", 10, 0, 2)),
    ]
    assert made.open_fees == 0


def test_a_leveraged_position_that_won_nothing_is_a_round_trip_too():
    made = told(
        on(1, "margin buy 1 XBT @ 40000 EUR fee 7 EUR"),
        on(2, "margin sell 1 XBT @ 40000 EUR fee 7 EUR"),
    )
    assert (said(made), made.open_fees) == ([("XBT", -14, 14, 1)], 0)


def test_what_a_leveraged_closing_settled_is_a_round_trip_where_no_opening_is_known():
    made = told(on(1, "margin sell 1 XBT @ 40000 EUR settled 50 fee 7 EUR"))
    assert (said(made), made.open_fees) == ([("XBT", 43, 7, None)], 0)


def test_a_senders_own_trade_opens_before_it_closes_and_is_apart_from_others():
    intake = hearing()
    intake.take(
        [
            trade_opened(8, fee=3, side="SHORT", at=NOON - 1),
            trade_opened(7, fee=1, at=NOON),
            trade_closed(7, fee=1, realized_pnl=0, at=NOON),
            trade_closed(8, realized_pnl=5, side="SHORT", at=NOON + 1),
        ]
    )
    made = kept.trips(intake.portfolio)
    assert results(made) == {"7": (-2, 2), "8": (2, 3)}
    assert made.open_fees == 0


def results(made):
    return {trip.id: (trip.pnl, trip.fees) for trip in made.trips}


def test_of_what_happened_at_once_a_purchase_comes_before_the_sale():
    lines = [
        on(1, "buy 1 XBT @ 40000 EUR fee 40 EUR").replace("#k:1", "#k:z"),
        on(1, "sell 1 XBT @ 41000 EUR").replace("#k:1", "#k:a"),
    ]
    assert said(told(*lines)) == [("XBT", 960, 40, 0)]
    portfolio = opened(lines[1])
    assert kept.trips(portfolio).trips
    portfolio.record(*golden.read([lines[0]]))
    assert kept.trips(portfolio) == told(*lines)


LATE = (
    SWAPPED,
    on(4, "split ETH 2 for 1"),
    on(5, "transfer 10 ETH to b"),
    on(6, "rename ETH to ETH2", account="b"),
    on(7, "sell 10 ETH2 @ 2600 EUR", account="b"),
    on(8, "withdrawal 2 ETH"),
    on(9, "sell 8 ETH @ 2600 EUR"),
)


@pytest.mark.parametrize("order", [(*LATE, BOUGHT), (BOUGHT, *LATE[::-1])])
def test_however_a_book_came_about_its_trips_are_those_made_from_nothing(order):
    due, portfolio = told(BOUGHT, *LATE), opened()
    for line in order:
        portfolio.record(*golden.read([line]))
        kept.trips(portfolio)
    assert kept.trips(portfolio) == due
    portfolio.record(*golden.read([on(5, "sell 1 ETH @ 2600 EUR", account="late")]))
    assert kept.trips(portfolio) != due
    portfolio.record(*golden.read([f"{instant.show(day(30))} void late:5 #u:1"]))
    assert kept.trips(portfolio) == due
    assert portfolio.verify().is_sound


def test_trips_of_a_past_are_those_of_the_book_of_then():
    portfolio = opened(BOUGHT, *LATE)
    for count in range(1, len(LATE) + 2):
        then = portfolio.at(day(count if count == 1 else count + 1) + HOUR)
        assert kept.trips(then) == told(*(BOUGHT, *LATE)[:count])


def test_what_a_balance_says_of_a_name_that_a_rename_emptied_is_no_part_of_what_went():
    portfolio = opened(
        on(1, "buy 2 OLDC @ 100 EUR"),
        on(2, "rename OLDC to OTHR"),
        on(3, "row deposit 1 OLDC balance 4", "source=ledger"),
        on(4, "sell 2 OTHR @ 150 EUR"),
        on(5, "sell 4 OLDC @ 10 EUR"),
    )
    made = kept.trips(portfolio)
    assert said(made) == [("OTHR", 100, 0, 3), ("OLDC", 40, 0, None)]
    assert not any(each.quantity for each in portfolio.closings.book.coins.open.values())


def test_a_currency_pays_for_a_trade_and_has_no_trip_of_its_own():
    rate = "rate=USD|EUR|{}|candle|2026-01-0{}T12:00:00Z"
    made = told(
        on(1, "deposit 1000 USD", rate.format("0.8", 1)),
        on(2, "buy 10 ADA @ 50 USD fee 10 USD", rate.format("0.9", 2)),
        on(3, "sell 10 ADA @ 60 USD", rate.format("0.9", 3)),
        on(4, "convert 100 USD worth 90 into 1 BNB worth 90"),
    )
    # 600 − 500 dollars at 0.9, less the fee of 9; the 510 dollars paid had become dearer by 0.1.
    assert said(made) == [("ADA", 132, 9, 1)]


def test_what_each_strategy_made_of_its_own_coins_is_what_its_trips_made():
    portfolio = opened(
        on(1, "buy 1 XBT @ 40000 EUR fee 40 EUR", "strategy=trend"),
        on(1, "buy 10 ADA @ 1 EUR fee 2 EUR", "strategy=grid", account="b"),
        on(2, "split ADA 2 for 1", account="b"),
        on(3, "buy 10 ETH @ 0.1 XBT fee 10 EUR", "strategy=trend value=45000"),
        on(4, "transfer 20 ADA to c", account="b"),
        on(5, "sell 10 ETH @ 4000 EUR fee 5 EUR", "strategy=trend"),
        on(6, "sell 20 ADA @ 1 EUR fee 1 EUR", "strategy=grid", account="c"),
    )
    made: dict = {}
    for trip in kept.trips(portfolio).trips:
        made[trip.strategy] = made.get(trip.strategy, 0) + trip.pnl
    cells = portfolio.book().cells.items()
    due = {
        name: sum(cell.realized for key, cell in cells if key[3] == name)
        for name in ("trend", "grid")
    }
    assert made == due == {"trend": -55, "grid": 7}
    assert kept.trips(portfolio).open_fees == 0


def test_a_transaction_tells_its_fees_and_one_of_fees_alone_is_a_trip():
    made = told(
        on(1, "staged cash -40 fees 3 position 1 XBT @ 40"),
        on(2, "staged cash 50 fees 4 position -1 XBT @ 50"),
        on(3, "staged fees 5"),
        on(4, "staged cash 9"),
    )
    assert said(made) == [("XBT", 3, 7, 1), ("none", -5, 5, None)]
