"""What takes a walk over all of the past is worked out once while nothing has changed."""

from decimal import Decimal

import msgspec
import pytest

from bursar.portfolio import agreement
from bursar.reconcile import Limits, Verdict, reconcile
from tests.unit.portfolio.test_service import followed, synced

D = Decimal
LIMITS = Limits()


@pytest.fixture
def walks(monkeypatch):
    """The walks over all rows, as they are made."""
    made = []

    def counted(*args, **named):
        made.append(args)
        return reconcile(*args, **named)

    monkeypatch.setattr("bursar.portfolio.agreement.reconcile", counted)
    return made


def test_what_agrees_is_reconciled_once_whatever_the_prices_do(walks):
    service, venue = followed()
    synced(service)
    portfolio = service.portfolio
    first = agreement.reconciled(portfolio, "k", LIMITS)
    venue.worth = {"XBT": D(61000)}
    portfolio.told_version += 1
    assert agreement.reconciled(portfolio, "k", LIMITS) is first
    assert (first.is_clean, len(walks)) == (True, 1)
    agreement.reconciled(portfolio, "k", LIMITS, is_whole=True)
    agreement.reconciled(portfolio, "k", msgspec.structs.replace(LIMITS, asset=D(2)))
    assert len(walks) == 3


def test_what_differs_is_weighed_anew_when_a_price_is_told(walks):
    service, venue = followed()
    venue.holdings = {"EUR": D("43987"), "XBT": D(2)}
    synced(service)
    portfolio = service.portfolio
    first = agreement.reconciled(portfolio, "k", LIMITS)
    assert agreement.reconciled(portfolio, "k", LIMITS) is first
    portfolio.told_version += 1
    assert agreement.reconciled(portfolio, "k", LIMITS) is not first
    assert (first.verdict, len(walks)) == (Verdict.DRIFT, 2)


def test_a_new_statement_and_a_new_entry_are_looked_at(walks):
    service, venue = followed()
    synced(service)
    agreement.reconciled(service.portfolio, "k", LIMITS)
    venue.holdings = {"EUR": D("43987"), "XBT": D(2)}
    synced(service)
    assert not agreement.reconciled(service.portfolio, "k", LIMITS).is_clean
    venue.lines.append("2026-06-01T10:00:01Z deposit 0.5 XBT #k:9")
    synced(service)
    assert agreement.reconciled(service.portfolio, "k", LIMITS).is_clean
    assert len(walks) == 3


def test_a_heatmap_reads_the_records_once_while_the_book_stands(monkeypatch):
    service, venue = followed()
    synced(service)
    portfolio, read = service.portfolio, []
    store = portfolio.desk.store
    whole = store.get_trades

    def counted(*args, **named):
        read.append(args)
        return whole(*args, **named)

    monkeypatch.setattr(store, "get_trades", counted)
    assert portfolio.heatmap("day") is portfolio.heatmap("day")
    portfolio.heatmap("month")
    assert len(read) == 2
    venue.lines.append("2026-06-01T10:30:00Z sell 0.5 XBT @ 50000 EUR #k:9")
    venue.holdings = {"EUR": D("68987"), "XBT": D(1)}
    synced(service)
    before = len(read)
    assert portfolio.heatmap("day").total == D(9987)
    assert len(read) == before + 1
