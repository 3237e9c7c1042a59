"""What a service does for leveraged positions: their prices, and whether the venue has them too."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from bursar.app.live import Live
from bursar.ledger import instant
from bursar.portfolio import agreement
from bursar.portfolio.service import PortfolioService
from bursar.reconcile import Limits
from tests.unit.portfolio.places import Clock, opened
from tests.unit.portfolio.venues import Told

D = Decimal
HISTORY = (
    "2026-05-30T10:00:00Z deposit 100000 EUR #k:1",
    "2026-05-31T10:00:00Z margin buy 2 XBT @ 40000 EUR #k:2",
)


def followed(**open_):
    clock = Clock()
    venue = Told(clock, *HISTORY)
    venue.holdings = {"EUR": D(100000)}
    venue.worth = {"XBT": D(60000)}
    venue.open = {name.replace("_", "/"): held for name, held in open_.items()}
    return PortfolioService(opened(clock=clock), (venue,)), venue


def synced(service):
    (done,) = asyncio.run(service.sync()).accounts
    return done


def test_the_coins_of_a_position_lie_nowhere_and_have_their_price_from_the_venue_all_the_same():
    service, _ = followed(XBT_EUR=(D(2), D(80000)))
    synced(service)
    assert service.get_equity().equity_base == D(140000)  # 2 × (60,000 − 40,000), not at 40,000


def test_a_live_price_is_asked_for_what_is_leveraged():
    service, venue = followed(XBT_EUR=(D(2), D(80000)))
    synced(service)
    account: Any = SimpleNamespace(account=venue.account)
    live = Live(service, (account,))
    assert "XBT/EUR" in asyncio.run(live.priced_pairs(account))


def test_what_is_open_is_asked_for_once_something_has_happened():
    service, venue = followed(XBT_EUR=(D(2), D(80000)))
    assert synced(service).drift_detected is False
    assert venue.asked.count("leveraged") == 1
    synced(service)
    assert venue.asked.count("leveraged") == 1
    venue.lines.append("2026-06-01T10:00:00Z deposit 1 EUR #k:3")
    venue.holdings = {"EUR": D(100001)}
    synced(service)
    assert venue.asked.count("leveraged") == 2


def test_a_position_of_which_nobody_told_is_drift_until_it_is_there():
    service, venue = followed(XBT_EUR=(D(3), D(120000)))
    assert synced(service).drift_detected is True
    portfolio = service.portfolio
    (line,) = agreement.compared(portfolio, "k", Limits()).apart
    assert (line.pair, line.difference, line.worth) == ("XBT/EUR", D(1), D(60000))
    venue.lines.append("2026-05-31T11:00:00Z margin buy 1 XBT @ 40000 EUR #k:3")
    assert synced(service).drift_detected is False
    assert agreement.compared(portfolio, "k", Limits()).apart == ()


def test_a_venue_that_begins_to_say_what_is_open_is_asked_though_nothing_happened():
    service, venue = followed()
    venue.open = None
    synced(service)
    assert agreement.compared(service.portfolio, "k", Limits()).positions == ()
    venue.open = {}
    assert synced(service).drift_detected is True  # 2 XBT that the venue does not have
    (line,) = agreement.compared(service.portfolio, "k", Limits()).positions
    assert (line.booked, line.stated) == (D(2), D(0))


def test_one_that_the_book_never_had_is_asked_for_again():
    service, venue = followed(XBT_EUR=(D(2), D(80000)), ETH_EUR=(D(1), D(9)))
    synced(service)
    asked = venue.asked.count("leveraged")
    del venue.open["ETH/EUR"]
    assert synced(service).drift_detected is False
    assert venue.asked.count("leveraged") > asked


def test_what_was_told_stands_at_the_instant_of_a_sync_that_finds_nothing_new():
    service, venue = followed(XBT_EUR=(D(2), D(80000)))
    synced(service)
    venue.clock.at += instant.HOUR
    synced(service)
    stated = agreement.last_statement(service.portfolio, "k")
    assert stated is not None
    assert stated.leveraged_at == stated.as_of
    assert len(agreement.compared(service.portfolio, "k", Limits()).positions) == 1


def test_what_was_told_is_left_out_once_a_position_was_moved_and_the_venue_cannot_say():
    service, venue = followed(XBT_EUR=(D(2), D(80000)))
    synced(service)
    venue.open = None
    venue.clock.at += instant.HOUR
    venue.lines.append("2026-06-01T12:30:00Z deposit 1 EUR #k:3")
    venue.holdings = {"EUR": D(100001)}
    synced(service)
    assert len(agreement.compared(service.portfolio, "k", Limits()).positions) == 1
    venue.clock.at += instant.HOUR
    venue.lines.append("2026-06-01T13:30:00Z margin buy 1 XBT @ 40000 EUR #k:4")
    assert synced(service).drift_detected is False
    assert agreement.compared(service.portfolio, "k", Limits()).positions == ()
    stated = agreement.last_statement(service.portfolio, "k")
    assert stated is not None
    assert stated.leveraged_at is not None
    assert stated.leveraged_at < stated.as_of
