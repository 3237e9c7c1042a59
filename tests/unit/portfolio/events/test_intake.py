"""What a portfolio makes of what it hears, and that it does so once."""

import asyncio
from decimal import Decimal

import pytest
from msgspec.structs import replace

from bursar.errors import KeyReused, Malformed, OutOfBounds, UnknownAsset
from bursar.events.catalog import KINDS
from bursar.ledger import audit, instant
from bursar.ledger.entries import Tag
from bursar.ledger.terms import Account, FactSource, Terms
from bursar.portfolio.events.facts import Believed, Family
from bursar.portfolio.events.intake import INBOX, prune
from tests.unit.portfolio.events.told import (
    event,
    hearing,
    order_filled,
    trade_closed,
    trade_opened,
)
from tests.unit.portfolio.places import MINUTE, NOON

ORDERS = Believed({"events:main": Family.ORDER})


def realized(intake):
    return audit.totals(intake.portfolio.book()).realized


def entries(intake):
    return [row.entry() for row in intake.portfolio.journal()]


def margins(intake):
    return {
        pair: (each.quantity, each.notional)
        for (_, pair), each in intake.portfolio.book().margins.items()
    }


def test_a_trade_opened_and_closed_settles_what_the_event_says():
    intake = hearing()
    heard = intake.take([trade_opened(leverage=5, fee="1.5", strategy="trend", regime="bull")])
    assert (heard.booked, margins(intake)) == (1, {"BTC/USDT": (Decimal("0.2"), Decimal(8400))})
    assert realized(intake) == Decimal("-1.5")
    intake.take([trade_closed(fee="1.5")])
    assert margins(intake) == {"BTC/USDT": (0, 0)}
    assert realized(intake) == Decimal("145.23")
    assert intake.portfolio.balances()[0].total == Decimal("145.23")
    assert not audit.breaches(intake.portfolio.book())


def test_a_short_gains_when_the_price_falls_and_the_book_derives_what_is_not_said():
    intake = hearing()
    intake.take(
        [
            trade_opened(side="SHORT", entry_price=100, quantity=3),
            trade_closed(side="SHORT", exit_price=90, quantity=1, realized_pnl=None, close_id="a"),
            trade_closed(side="SHORT", exit_price=120, quantity=2, realized_pnl=None, name="c"),
        ]
    )
    assert (margins(intake), realized(intake)) == ({"BTC/USDT": (0, 0)}, Decimal(10 - 40))


def test_two_trades_that_stand_against_each_other_settle_only_when_they_close():
    intake = hearing()
    intake.take(
        [
            trade_opened(1, entry_price=100, quantity=1),
            trade_opened(2, side="SHORT", entry_price=110, quantity=1),
        ]
    )
    assert realized(intake) == 0
    intake.take(
        [
            trade_closed(1, exit_price=120, quantity=1, realized_pnl=20),
            trade_closed(2, side="SHORT", exit_price=105, quantity=1, realized_pnl=5),
        ]
    )
    assert (realized(intake), margins(intake)["BTC/USDT"]) == (25, (0, 0))
    assert not audit.breaches(intake.portfolio.book())


def test_a_filled_order_moves_coins_and_with_leverage_a_position():
    intake = hearing(believed=ORDERS)
    intake.take(
        [order_filled(fee="0.001", fee_asset="ETH"), order_filled(2, side="SELL", fill_id=7)]
    )
    held = {each.asset: each.total for each in intake.portfolio.balances()}
    assert held == {"ETH": Decimal("-0.001")}
    intake.take([order_filled(3, leverage=2), order_filled(4, side="SELL", leverage=2, price=1010)])
    assert margins(intake) == {"ETH/USDT": (0, 0)}
    assert {each.asset: each.total for each in intake.portfolio.balances()}["USDT"] == 20


def test_an_account_believes_one_family_and_never_an_executed_order():
    intake = hearing()
    told = [order_filled(), event("order.executed", order_id=1, symbol="BTCUSDT")]
    heard = intake.take(told)
    assert (heard.booked, heard.passed_over, entries(intake)) == (0, 2, [])
    orders = hearing(believed=ORDERS)
    heard = orders.take([trade_opened(), order_filled()])
    assert (heard.booked, heard.passed_over) == (1, 1)


def test_events_of_a_venues_account_wake_it_and_say_whose_trade_it_was():
    terms = Terms(accounts=(Account("binance:futures", FactSource.EVENTS),))
    intake = hearing(terms=terms)
    own = {"account": "kraken:main", "fill_id": "TX1", "strategy": "trend", "regime": "bull"}
    heard = intake.take(
        [
            trade_opened(**own),
            order_filled(account="kraken:main"),
            event("order.executed", account="kraken:other"),
            trade_opened(2, account="binance:futures"),
        ]
    )
    assert heard.woken == {"kraken:main", "kraken:other"}
    assert (heard.booked, heard.passed_over) == (2, 0)
    tag, fill = entries(intake)
    assert isinstance(tag, Tag)
    assert (tag.target, tag.strategy, tag.regime) == ("kraken:main:TX1", "trend", "bull")
    assert fill.account == "binance:futures"


def test_an_event_delivered_again_changes_nothing():
    intake = hearing()
    told = [trade_opened(), event("ess.tripped", "e"), event("nobody.knows", "n"), trade_closed()]
    first = intake.take(told)
    before = intake.portfolio.desk.head, intake.portfolio.desk.store.memos()
    again = intake.take([*told, *told])
    assert (first.booked, first.has_tripped, first.passed_over) == (2, True, 1)
    assert (again.booked, again.again, again.has_tripped) == (0, 8, False)
    assert (intake.portfolio.desk.head, intake.portfolio.desk.store.memos()) == before


def test_a_fact_told_by_another_event_is_known_even_when_the_inbox_was_cut():
    intake = hearing()
    intake.take([trade_opened()])
    store, clock = intake.portfolio.desk.store, intake.portfolio.desk.clock
    assert prune(store, clock.now()) == 0
    assert prune(store, clock.now() + 31 * instant.DAY) == 1
    heard = intake.take([trade_opened(), trade_opened(name="another")])
    assert (heard.booked, heard.again, len(entries(intake))) == (0, 2, 1)
    assert len(store.memos(INBOX)) == 2


def test_the_same_trade_in_other_words_is_a_conflict_and_the_first_stands():
    intake = hearing()
    intake.take([trade_opened()])
    heard = intake.take([trade_opened(name="again", quantity=3)])
    assert (heard.conflicts, margins(intake)["BTC/USDT"][0]) == (1, Decimal("0.2"))


def test_an_id_that_stood_for_another_event_is_refused():
    intake = hearing()
    intake.take([trade_opened()])
    with pytest.raises(KeyReused, match=r"another trade\.opened under the id 'o1'"):
        intake.take([trade_opened(quantity=3)])


def test_senders_and_ids_that_join_to_the_same_text_are_different_events():
    intake = hearing()
    one, other = trade_opened(), trade_opened(2)
    intake.take([replace(one, source="a", id="b c")])
    assert intake.take([replace(other, source="a b", id="c")]).booked == 1


def test_ids_that_join_to_the_same_text_are_different_trades():
    intake = hearing()
    intake.take([trade_closed("7:8", "a"), trade_closed("7", "b", close_id="8")])
    assert len({each.id for each in entries(intake)}) == 2


def test_a_batch_lands_whole_or_not_at_all():
    intake = hearing()
    intake.take([trade_opened()])
    before = intake.portfolio.desk.head
    with pytest.raises(KeyReused):
        intake.take([trade_opened(2), event("ess.tripped", "e"), trade_opened(quantity=3)])
    assert intake.portfolio.desk.head == before == intake.portfolio.desk.store.head()
    assert len(intake.portfolio.desk.store.memos(INBOX)) == 1
    assert intake.take([trade_opened(2)]).booked == 1


def test_facts_come_in_any_order():
    told = [trade_opened(n, at=NOON + n * MINUTE) for n in range(6)]
    told += [trade_closed(n, at=NOON + (n + 9) * MINUTE) for n in range(6)]
    straight, turned = hearing(), hearing()
    straight.take(told)
    for each in reversed(told):
        turned.take([each])
    assert straight.portfolio.digest() == turned.portfolio.digest()


def test_a_tick_is_a_price_of_its_time_and_is_kept_nowhere():
    intake = hearing(believed=ORDERS)
    intake.take([order_filled()])
    heard = intake.take(
        [
            event("market.tick", "a", symbol="ETHUSDT", price="1100.5", at=NOON + 2),
            event("market.tick", "b", symbol="ETHUSDT", price="900", timestamp=instant.show(NOON)),
        ]
    )
    assert heard.marks["ETH/USDT"].price == Decimal("1100.5")
    assert intake.portfolio.valuation().unrealized == Decimal(201)
    assert set(intake.portfolio.desk.store.memos()) == {"fold", "inbox execution f1"}


def test_an_event_of_another_portfolio_is_passed_over():
    intake = hearing()
    heard = intake.take([trade_opened(_portfolio="other"), trade_opened(2, _portfolio="main")])
    assert (heard.passed_over, heard.booked) == (1, 1)


def test_the_listener_hears_what_a_batch_came_to():
    told: list = []
    intake = hearing(listener=told.append)
    asyncio.run(intake.handle([trade_opened()]))
    assert told[0].booked == 1


def test_the_message_of_a_commit_names_the_event_that_caused_it():
    intake = hearing()
    intake.take([trade_opened(_correlation_id="order 7")])
    (row,) = intake.portfolio.desk.store.outbox()
    assert '"event":"o1","correlation_id":"order 7"' in row.message.body


@pytest.mark.parametrize(
    "error, told",
    [
        (Malformed, trade_opened(quantity=0)),
        (Malformed, trade_opened(side="UP")),
        (Malformed, trade_opened(timestamp="yesterday")),
        (Malformed, trade_opened(leverage=-1)),
        (Malformed, trade_opened(_version=2)),
        (Malformed, event("trade.opened", trade_id=1)),
        (Malformed, event("market.tick", symbol="", price=1)),
        (OutOfBounds, event("market.tick", symbol="BTCUSDT", price=1e300)),
        (UnknownAsset, trade_opened(symbol="NOSUCH")),
        (UnknownAsset, event("market.tick", symbol="NOSUCH", price=1)),
    ],
)
def test_what_is_no_event_of_its_type_is_refused_before_anything_is_done(error, told):
    with pytest.raises(error):
        hearing().check(told)


@pytest.mark.parametrize("kind", ["ess.tripped", "order.executed", "portfolio.committed", "huh"])
def test_what_asks_for_nothing_is_let_in(kind):
    hearing().check(event(kind))


def test_every_type_of_the_contract_is_known():
    heard = {name for name, kind in KINDS.items() if kind.is_incoming}
    assert heard == {
        *("trade.opened", "trade.closed", "order.executed", "order.filled"),
        *("ess.tripped", "market.tick", "market.regime"),
    }
