"""The contract's snapshot of a book."""

from datetime import UTC, datetime

import msgspec
import pytest

from bursar.value.snapshot import AssetValuation, PortfolioSnapshot, capital, snapshot
from bursar.value.worth import Options
from tests.unit.value.books import EXAMPLE, D, book_of, valued


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
        realized_pnl_base_by_pair={"ETH/USD": D(0), "XBT/USD": D(4987)},
        unrealized_pnl_base_by_pair={"XBT/USD": D(30000)},
        unvalued=("ETH",),
        capital_base=D(100005),
    )


def test_a_snapshot_reads_back_with_what_the_view_leaves_out():
    options = Options(exclude_assets=frozenset({"XBT"}))
    made = snapshot(*valued(EXAMPLE, options=options, XBT_USD="60000"))
    assert made.excluded_value == 90000
    assert msgspec.json.decode(msgspec.json.encode(made), type=PortfolioSnapshot) == made


def test_capital_is_what_came_less_what_went_at_its_worth_then():
    text = EXAMPLE + "2026-02-02T00:00:00Z withdrawal 0.5 XBT #k:9 value=30000\n"
    text += "2026-02-03T00:00:00Z reward 1 ETH #k:10 value=5\n"
    assert capital(book_of(text)) == 70000  # a reward is income


@pytest.mark.parametrize(
    "line", ["deposit 1 ETH #k:9", "deposit 1 ETH #k:9 basis=7", "withdrawal 0.5 XBT #k:9"]
)
def test_capital_without_a_price_is_not_known(line):
    assert capital(book_of(f"{EXAMPLE}2026-02-02T00:00:00Z {line}\n")) is None


def test_capital_is_known_once_what_had_no_price_is_taken_back():
    text = EXAMPLE + "2026-02-02T00:00:00Z withdrawal 0.5 XBT #k:9\n"
    assert capital(book_of(text + "2026-02-03T00:00:00Z reverse k:9 #k:10\n")) == 100000


def test_income_without_a_price_leaves_capital_known():
    text = EXAMPLE + "2026-02-02T00:00:00Z deposit 1 ETH #k:9 value=5\n"
    assert capital(book_of(text + "2026-02-03T00:00:00Z reward 1 ETH #k:10\n")) == 100005
