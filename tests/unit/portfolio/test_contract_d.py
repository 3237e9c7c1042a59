"""The contract of the engine, name by name: methods, their defaults, fields of records, settings.

The contract's types are plain numbers; ours are `Decimal`, and what may be unknown is `None`. Ours
may have more fields, arguments and methods than it asks for, never fewer or other ones.
"""

import inspect
from decimal import Decimal

import pytest

from bursar.config import PortfolioSettings, load
from bursar.errors import BursarError, PositionNotFoundError
from bursar.ledger.records import (
    AssetBalance,
    CashFlowRecord,
    RealizedPnLRecord,
    SpotPosition,
)
from bursar.ledger.terms import Method
from bursar.portfolio.service import PortfolioService, Rules
from bursar.portfolio.summaries import EquitySummary, PnLSummary, SyncSummary
from bursar.ports import PortfolioStore
from bursar.reconcile import Limits
from bursar.store import MemoryStore
from bursar.value.exposure import AssetExposure
from bursar.value.snapshot import AssetValuation, PortfolioSnapshot
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.market import MarketDataAPI
from bursar.venue.region import profile

SETTINGS = """\
portfolio:
  base_currency: "USD"
  valuation_pairs:
    BTC: "XBTUSD"
    ETH: "ETHUSD"
  include_assets: []
  exclude_assets: []
  cost_basis_method: "wac"
  track_manual_trades: true
  snapshot_retention_days: 30
  reconciliation_tolerance: 1.0
"""


def fields(record):
    return set(record.__struct_fields__)


@pytest.mark.parametrize(
    "record,names",
    [
        (AssetBalance, "asset free reserved total"),
        (
            SpotPosition,
            """pair base_asset quote_asset base_size avg_entry_price realized_pnl_base
            fees_paid_base unrealized_pnl_base current_value_base""",
        ),
        (
            RealizedPnLRecord,
            """trade_id order_id pair time side base_delta quote_delta fee_asset fee_amount
            pnl_quote strategy_tag""",
        ),
        (
            PortfolioSnapshot,
            """timestamp equity_base cash_base asset_valuations realized_pnl_base_total
            unrealized_pnl_base_total realized_pnl_base_by_pair unrealized_pnl_base_by_pair""",
        ),
        (AssetValuation, "asset amount value_base source_pair"),
        (CashFlowRecord, "id time asset amount type note"),
        (
            EquitySummary,
            "equity_base cash_base realized_pnl_base_total unrealized_pnl_base_total drift_flag",
        ),
        (PnLSummary, "realized_pnl_base_total unrealized_pnl_base_total parts"),
        (AssetExposure, "asset amount value_base percentage_of_equity"),
        (SyncSummary, "new_trades_count updated_pairs drift_detected"),
    ],
)
def test_a_record_has_the_contracts_fields(record, names):
    assert set(names.split()) <= fields(record)


@pytest.mark.parametrize(
    "method,arguments",
    [
        ("initialize", {}),
        ("sync", {}),
        ("get_equity", {}),
        ("get_pnl_summary", {"period": "all", "include_manual": None}),
        ("get_positions", {}),
        ("get_position", {"pair": inspect.Parameter.empty}),
        ("get_asset_exposure", {}),
        ("get_trade_history", {"pair": None, "limit": None, "include_manual": None}),
        ("get_fee_summary", {}),
        ("get_cash_flows", {"asset": None, "limit": None}),
        ("create_snapshot", {}),
        ("get_snapshots", {"since": None, "limit": None}),
    ],
)
def test_a_method_is_called_as_the_contract_calls_it(method, arguments):
    signature = inspect.signature(getattr(PortfolioService, method))
    given = [each for each in signature.parameters.values() if each.name != "self"]
    positional = given[: len(arguments)]
    assert {each.name: each.default for each in positional} == arguments
    assert all(each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for each in positional)
    assert all(each.default is not inspect.Parameter.empty for each in given[len(arguments) :])


@pytest.mark.parametrize("name", ["initialize", "sync"])
def test_only_what_goes_over_the_network_is_awaited(name):
    awaited = {
        each
        for each, member in inspect.getmembers(PortfolioService, inspect.iscoroutinefunction)
        if not each.startswith("_")
    }
    assert name in awaited
    assert not any(each.startswith("get_") for each in awaited)


@pytest.mark.parametrize(
    "name,arguments",
    [
        ("save_state", ["state"]),
        ("load_state", []),
        ("append_trades", ["trades"]),
        ("get_trades", ["pair", "limit", "since"]),
        ("save_cash_flows", ["records"]),
        ("get_cash_flows", ["asset", "limit", "since"]),
        ("save_snapshot", ["snapshot"]),
        ("get_snapshots", ["since", "limit"]),
        ("prune_snapshots", ["older_than_ts"]),
    ],
)
def test_a_store_is_asked_as_the_contract_asks_it(name, arguments):
    for owner in (PortfolioStore, MemoryStore):
        given = list(inspect.signature(getattr(owner, name)).parameters)
        assert given[1 : 1 + len(arguments)] == arguments


def test_every_default_is_the_contracts():
    settings = load().portfolio
    assert settings.base_currency == "USD"
    assert settings.cost_basis_method is Method.WAC
    assert settings.track_manual_trades is True
    assert settings.snapshot_retention_days == 30
    assert settings.reconciliation_tolerance == Decimal("1.0")
    assert (settings.include_assets, settings.exclude_assets) == ((), ())
    assert (Rules().tracks_manual, Rules().snapshot_days) == (True, 30)
    assert Limits().asset == 1


def test_the_contracts_own_file_is_read_and_says_the_defaults(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(SETTINGS)
    found, default = load(path).portfolio, load().portfolio
    assert found.valuation_pairs == {"BTC": "XBTUSD", "ETH": "ETHUSD"}
    rest = set(PortfolioSettings.model_fields) - {"valuation_pairs"}
    assert {each: getattr(found, each) for each in rest} == {
        each: getattr(default, each) for each in rest
    }


def test_the_region_of_the_contract_trades_spot_only():
    found = profile("US_CA")
    assert (found.code, found.supports_margin, found.supports_futures, found.default_quote) == (
        "US_CA",
        False,
        False,
        "USD",
    )


def test_earlier_phases_have_the_contracts_names():
    for name in ("get_universe", "get_pair_metadata", "get_latest_price", "get_ohlc"):
        assert inspect.iscoroutinefunction(getattr(MarketDataAPI, name))
    assert inspect.iscoroutinefunction(MarketDataAPI.get_data_status)
    assert list(inspect.signature(MarketDataAPI.get_ohlc).parameters)[1:] == [
        "pair",
        "timeframe",
        "lookback",
    ]
    for name in ("balance", "trade_balance", "open_orders", "closed_orders", "trades_history"):
        assert inspect.iscoroutinefunction(getattr(KrakenRESTClient, name))


def test_a_position_that_is_not_there_has_an_error_of_its_own():
    assert issubclass(PositionNotFoundError, BursarError)
    assert PositionNotFoundError is not BursarError
