"""The contract's snapshot of a book."""

from datetime import UTC, datetime

import msgspec

from bursar.value.snapshot import AssetValuation, PortfolioSnapshot, snapshot
from bursar.value.worth import Options
from tests.unit.value.books import EXAMPLE, D, valued


def test_a_snapshot_holds_what_the_valuation_says():
    text = EXAMPLE + "2026-02-02T00:00:00Z deposit 1 ETH #k:9 value=5\n"
    made = snapshot(*valued(text, XBT_EUR="30000", EUR_USD="2"))
    assert made == PortfolioSnapshot(
        timestamp=datetime(2026, 3, 1, 12, tzinfo=UTC),
        equity_base=D(134987),
        cash_base=D(44987),
        asset_valuations=(
            AssetValuation("ETH", D(1), None),
            AssetValuation("USD", D(44987), D(44987)),
            AssetValuation("XBT", D("1.5"), D(90000), "XBT/EUR → EUR/USD"),
        ),
        realized_pnl_base_total=D(4987),
        unrealized_pnl_base_total=D(30000),
        realized_pnl_base_by_pair={"XBT/USD": D(4987)},
        unrealized_pnl_base_by_pair={"XBT/USD": D(30000)},
        unvalued=("ETH",),
    )


def test_a_snapshot_reads_back_with_what_the_view_leaves_out():
    options = Options(exclude_assets=frozenset({"XBT"}))
    made = snapshot(*valued(EXAMPLE, options=options, XBT_USD="60000"))
    assert made.excluded_value == 90000
    assert msgspec.json.decode(msgspec.json.encode(made), type=PortfolioSnapshot) == made
