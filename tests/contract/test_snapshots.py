"""Snapshots' totals, from every store: what a curve is made of, however many there are."""

from datetime import datetime
from decimal import Decimal

import pytest

from bursar.errors import Malformed
from bursar.value.snapshot import SnapshotTotals
from tests.contract.places import PLACES, opened
from tests.contract.samples import at, snapshot


@pytest.fixture(params=PLACES)
def store(request):
    with opened(request.param, request) as place:
        yield place.open()


def test_the_totals_of_snapshots_come_oldest_first_page_by_page(store, monkeypatch):
    monkeypatch.setattr("bursar.store.sql._CHUNK", 2)
    for minutes in (0, 240, 60, 180, 120):
        store.save_snapshot(snapshot(minutes, stale=("ETH",), capital_base=Decimal("7.10")))
    told = list(store.snapshot_totals())
    assert [each.timestamp for each in told] == [at(60 * n) for n in range(5)]
    assert [each.timestamp for each in store.snapshot_totals(at(180))] == [at(180), at(240)]
    whole = store.get_snapshots()[::-1]
    for name in SnapshotTotals.__struct_fields__:
        assert [repr(getattr(e, name)) for e in told] == [repr(getattr(e, name)) for e in whole]


def test_a_time_without_a_zone_is_refused(store):
    naive = datetime(2026, 1, 5)  # noqa: DTZ001
    with pytest.raises(Malformed):
        store.get_snapshots(until=naive)
    with pytest.raises(Malformed):
        list(store.snapshot_totals(naive))
