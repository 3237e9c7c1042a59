"""The contract of `ports.PortfolioStore`: records read one by one, of every implementation."""

from decimal import Decimal

import pytest

from bursar.errors import BadChoice
from tests.contract.places import PLACES, opened
from tests.contract.samples import commit, flow, trade


@pytest.fixture(params=PLACES)
def store(request):
    with opened(request.param, request) as place:
        yield place.open()


def test_records_read_one_by_one_are_the_same_while_commits_go_on(store):
    head = store.commit(
        commit(
            store.head(),
            trades=tuple(trade(f"t{n}", n % 7, pair=f"P{n % 2}/USD") for n in range(1_100)),
            flows=tuple(flow(f"f{n}", n % 7) for n in range(1_100)),
        )
    )
    known = store.get_trades(), store.get_cash_flows()
    assert list(store.each_trade("P1/USD", 3)) == store.get_trades("P1/USD", 3)
    assert list(store.each_cash_flow("EUR", 3)) == store.get_cash_flows("EUR", 3)
    trades, flows = store.each_trade(), store.each_cash_flow()
    told = [next(trades)], [next(flows)]
    store.commit(commit(head, trades=(trade("t1", pnl_base=Decimal(9)),), flows=(flow("new"),)))
    assert ([*told[0], *trades], [*told[1], *flows]) == known
    with pytest.raises(BadChoice):
        list(store.each_trade(None, -1))
