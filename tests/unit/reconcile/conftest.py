"""One busy account, for every test that only looks at it."""

import pytest

from tests.unit.reconcile.venues import K, busy


@pytest.fixture(scope="session")
def venue():
    return busy()


@pytest.fixture(scope="session")
def trade(venue):
    """The two legs of a purchase of bitcoin in the middle of it all."""
    groups = [row.group for row in venue.rows if row.kind is K.TRADE and row.asset == "XBT"]
    return [row for row in venue.rows if row.group == groups[len(groups) // 2]]
