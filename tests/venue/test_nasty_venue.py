"""The nasty cases of Kraken's answers, by their numbers in docs/ACCEPTANCE.md: what is on the wire
goes wrong, and the figures stay right, or say that they are not known.
"""

import asyncio
from decimal import Decimal

import pytest

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.portfolio.service import Rules
from bursar.reconcile import Kind, Limits
from bursar.venue.region import profile
from tests.venue.kraken_model import reply
from tests.venue.loopback import Reply
from tests.venue.telling import Told, flows, held, made
from tests.venue.test_kraken_client import DOCUMENTED

D = Decimal


def account():
    """1,000 dollars, of which 400 became a hundredth of a coin that is now worth 500."""
    told = Told(XXBT="50000")
    told.deposit("ZUSD", "1000")
    told.row("T1", "trade", "ZUSD", "-400")
    told.row("T1", "trade", "XXBT", "0.01", after=0)
    return told


def followed(told, folder, *steps, **options):
    """Sync once, then do each step and sync again; return the service and the last summary."""

    async def run():
        async with told.following(folder, **options) as service:
            done = await service.initialize()
            for step in steps:
                step(told, service)
                done = await service.sync()
            return service, done

    return asyncio.run(run())


class Spoiled:
    """Answers of an endpoint are something else from now on."""

    def __init__(self, endpoint, answer):
        self.endpoint, self.answer = endpoint, answer

    def __call__(self, told, service):
        inner, cls = told.__call__, type(told)

        async def call(model, asked):
            if asked.endpoint == self.endpoint:
                model.asked.append(asked.endpoint)
                return self.answer
            return await inner(asked)

        told.__class__ = type("Spoiled", (cls,), {"__call__": call})


# 15
def test_pending_rows_of_an_old_export_are_counted_and_never_booked(tmp_path):
    told = account()
    (path, *_) = told.exported(tmp_path)
    header, first, *rest = path.read_text().splitlines()
    pending = first.replace("L00000", "").rpartition(",")[0] + ","
    path.write_text("\n".join([header, pending, first, *rest]) + "\n")

    async def run():
        async with told.following(tmp_path) as service:
            report = service.portfolio.import_files(path)
            return service, report

    service, report = asyncio.run(run())
    assert report.files[0].pending == 1
    assert held(service) == {"USD": "600", "XBT": "0.01"}
    assert flows(service) == [("deposit", "USD", "1000")]


# 34
def test_what_open_orders_hold_is_inside_the_balance_and_never_computed(tmp_path):
    told = account()
    told.balances = {
        "ZUSD": {"balance": "600", "hold_trade": "250.5"},
        "XXBT": {"balance": "0.01", "hold_trade": "0"},
    }
    service, done = followed(told, tmp_path)
    dollars, coins = service.get_balances()
    assert (dollars.asset, dollars.free, dollars.reserved) == ("USD", D("349.5"), D("250.5"))
    assert (dollars.total, coins.free, coins.reserved) == (600, D("0.01"), ZERO)
    assert not done.drift_detected
    assert service.get_equity().cash_base == 600


def test_a_partial_fill_holds_less(tmp_path):
    told = account()
    told.balances = {"ZUSD": {"balance": "600", "hold_trade": "200"}, "XXBT": {"balance": "0.01"}}

    def half(told, _):
        told.row("T2", "trade", "ZUSD", "-100")
        told.row("T2", "trade", "XXBT", "0.0025", after=0)
        told.balances = {
            "ZUSD": {"balance": "500", "hold_trade": "100"},
            "XXBT": {"balance": "0.0125", "hold_trade": None},
        }

    service, done = followed(told, tmp_path, half)
    assert not done.drift_detected
    (dollars,) = [each for each in service.get_balances() if each.asset == "USD"]
    assert (dollars.free, dollars.reserved) == (400, 100)


# 36
def test_balances_told_as_numbers_of_many_digits_are_exact(tmp_path):
    told = Told()
    told.row("D1", "deposit", "XXBT", "1234567890.123456789012345678")
    told.balances = {"XXBT": {"balance": D("1234567890.123456789012345678"), "hold_trade": D(0)}}
    service, done = followed(told, tmp_path)
    assert held(service) == {"XBT": "1234567890.123456789012345678"}
    assert done.accounts[0].drift_detected is False
    assert ", 0 unexplained" in done.certificates[0]


# 37
@pytest.mark.parametrize(
    "answer",
    [
        Reply(b""),
        Reply(b'{"error":[],"result":{"ZUSD":{"bal'),
        Reply(b"<html>Bad gateway</html>", 502),
        Reply(b'{"error":[]}'),
        Reply(b'{"error":[],"result":null}'),
        Reply(b'{"error":[],"result":{"ZUSD":{"balance":null}}}'),
    ],
)
@pytest.mark.parametrize("endpoint", ["BalanceEx", "Ledgers"])
def test_a_broken_answer_leaves_the_old_numbers_and_says_so(tmp_path, endpoint, answer):
    service, done = followed(account(), tmp_path, Spoiled(endpoint, answer))
    assert done.accounts[0].failure is not None
    assert done.accounts[0].drift_detected is None
    assert held(service) == {"USD": "600", "XBT": "0.01"}
    equity = service.get_equity()
    assert (equity.equity_base, equity.drift_flag) == (1100, False)


def test_prices_that_no_longer_come_grow_stale_and_say_so(tmp_path):
    def later(_, service):
        service.portfolio.desk.clock.at += instant.DAY

    service, _ = followed(account(), tmp_path, Spoiled("Ticker", Reply(b"", 502)), later)
    equity = service.get_equity()
    assert (equity.equity_base, equity.stale) == (1100, ("XBT",))


# 38
def test_a_warning_beside_a_balance_is_shown_and_the_balance_counts(tmp_path):
    told = account()
    warned = reply(
        {
            "error": ["WDatabase:replica lag"],
            "result": {"ZUSD": {"balance": "600"}, "XXBT": {"balance": "0.01"}},
        }
    )
    service, done = followed(told, tmp_path, Spoiled("BalanceEx", warned))
    assert done.is_whole
    assert done.accounts[0].drift_detected is False
    notices = service.venues[0].client.notices
    assert ("BalanceEx", "WDatabase:replica lag") in {(n.endpoint, n.text) for n in notices}


# 41
def test_a_key_without_the_ledger_right_claims_nothing(tmp_path):
    told = account()
    told.errors["Ledgers"] = ["EGeneral:Permission denied"]
    service, done = followed(told, tmp_path)
    assert "Query ledger entries" in done.accounts[0].failure
    assert (done.is_whole, done.certificates) == (False, ())
    assert service.get_equity().unreconciled == ("kraken:main",)


# 42
@pytest.mark.parametrize("broken", ["offline", "empty"])
def test_without_a_market_there_is_no_price_and_the_total_is_partial(tmp_path, broken):
    told = Told(XXBT="50000")
    told.deposit("ZUSD", "600")
    told.deposit("XXBT", "0.01")
    if broken == "empty":
        told.quotes["XXBTZUSD"] = ("XXBT", "ZUSD", "0")
    else:
        told.quotes.clear()
    service, _ = followed(told, tmp_path)
    equity = service.get_equity()
    assert (equity.equity_base, equity.unvalued, equity.is_complete) == (600, ("XBT",), False)
    (coins,) = [each for each in service.get_asset_exposure() if each.asset == "XBT"]
    assert (coins.value_base, coins.percentage_of_equity) == (None, None)


def test_where_only_an_old_trade_tells_a_price_the_value_is_stale(tmp_path):
    told = account()
    told.quotes.clear()
    service, _ = followed(told, tmp_path)
    equity = service.get_equity()
    assert (equity.equity_base, equity.stale, equity.unvalued) == (1000, ("XBT",), ())


# 58
@pytest.mark.parametrize("off", ["0.0000000001", "-0.0000000001"])
def test_a_difference_in_the_last_place_is_shown_and_never_plugged(tmp_path, off):
    told = account()
    told.balances = {
        "ZUSD": {"balance": "600", "hold_trade": "0"},
        "XXBT": {"balance": f"{D('0.01') + D(off):f}", "hold_trade": "0"},
    }
    service, done = followed(told, tmp_path)
    assert not done.drift_detected, "it is worth far less than the tolerance"
    (found,) = service.get_drift()
    (line,) = found.comparison.differing
    assert (line.asset, line.difference) == ("XBT", D(off))
    assert held(service)["XBT"] == "0.01"
    assert [each.kind for each in found.breaks] == [Kind.ROUNDING]


def test_a_difference_beyond_the_tolerance_is_drift_until_it_is_gone(tmp_path):
    told = account()
    told.balances = {
        "ZUSD": {"balance": "600", "hold_trade": "0"},
        "XXBT": {"balance": "0.02", "hold_trade": "0"},
    }

    def healed(told, service):
        assert service.get_equity().drift_flag
        told.balances["XXBT"]["balance"] = "0.01"

    service, done = followed(told, tmp_path, healed)
    assert not done.drift_detected
    assert not service.get_equity().drift_flag


def test_the_tolerance_is_the_portfolios_own(tmp_path):
    told = account()
    told.balances = {"ZUSD": {"balance": "590"}, "XXBT": {"balance": "0.01"}}
    rules = Rules(limits=Limits(asset=D(10), total=D(10)))
    _, within = followed(told, tmp_path, rules=rules)
    assert not within.drift_detected
    told.balances["ZUSD"]["balance"] = "589.99"
    _, beyond = followed(told, tmp_path, rules=rules)
    assert beyond.drift_detected


# 60
def test_a_way_over_another_coin_is_shown_and_a_missing_leg_is_no_price(tmp_path):
    told = Told(XXBT="50000")
    told.deposit("ATOM", "10")
    told.quotes["ATOMXBT"] = ("ATOM", "XXBT", "0.0002")
    service, _ = followed(told, tmp_path)
    assert service.get_equity().equity_base == 100  # 10 × 0.0002 × 50,000
    (valued,) = service.create_snapshot().asset_valuations
    assert valued.source_pair == "ATOM/XBT → XBT/USD"

    broken = Told()
    broken.deposit("ATOM", "10")
    broken.quotes["ATOMXBT"] = ("ATOM", "XXBT", "0.0002")
    service, _ = followed(broken, tmp_path)
    assert service.get_equity().unvalued == ("ATOM",)
    assert service.get_equity().equity_base == 0


# 13, 14
def test_a_withdrawal_that_fails_a_day_later_is_put_back_and_both_are_shown(tmp_path):
    told = account()
    told.row("FTw", "withdrawal", "XXBT", "-0.004", "0.0001")

    def fails(told, service):
        assert made(service) == ("840", "1", "0", "5")  # 160 of cost left; the fee: 5, of 4 cost
        told.row("FTw", "withdrawal", "XXBT", "0.004", "-0.0001", after=86_400)

    service, done = followed(told, tmp_path, fails)
    assert done.accounts[0].failure is None
    assert held(service) == {"USD": "600", "XBT": "0.0100"}
    assert made(service) == ("1000", "0", "0", "0")
    assert [each for each in flows(service) if each[1] == "XBT"] == [
        ("withdrawal", "XBT", "-0.004"),
        ("withdrawal", "XBT", "0.004"),
    ]
    assert sum(each.cost_base for each in service.get_cash_flows()) == 1000
    assert sum(each.fee_amount for each in service.get_cash_flows()) == 0
    assert service.get_pnl_summary().net_flows_base == 1000
    assert service.portfolio.verify().is_sound


# 27 and 57, where coins lie elsewhere
def test_a_forced_conversion_of_staked_coins_empties_their_pocket(tmp_path):
    told = Told(REP="10", REPV2="10")
    told.deposit("REP.S", "3")
    told.row("A1", "adjustment", "REP.S", "-3")
    told.row("A2", "adjustment", "REPV2.S", "3", after=1)
    service, _ = followed(told, tmp_path)
    (found,) = service.get_drift()
    assert (found.verdict.value, found.breaks) == ("equal", ())


def test_a_dust_sweep_of_staked_coins_empties_their_pocket(tmp_path):
    told = Told(XETH="2000", SOL="100")
    told.deposit("XETH", "0.001")
    told.deposit("SOL.F", "0.02")
    told.row("T1", "spend", "XETH", "-0.001", subtype="dustsweeping")
    told.row("T1", "spend", "SOL.F", "-0.02", subtype="dustsweeping", after=0)
    told.row("T1", "receive", "ZUSD", "3.9", subtype="dustsweeping", after=0)
    service, _ = followed(told, tmp_path)
    (found,) = service.get_drift()
    assert (found.verdict.value, found.breaks) == ("equal", ())


def test_an_instant_swap_of_coins_in_a_pocket_empties_it(tmp_path):
    told = Told(XETH="2000", SOL="100")
    told.deposit("SOL.F", "2")
    told.row("T1", "spend", "SOL.F", "-2", "0.01")
    told.row("T1", "receive", "ZUSD", "199", after=0)
    told.left["SOL.F"] += D("0.01")
    told.ledger["L00001"]["amount"] = "-1.99"
    told.ledger["L00001"]["balance"] = "0"
    service, _ = followed(told, tmp_path)
    (found,) = service.get_drift()
    assert (found.verdict.value, found.breaks) == ("equal", ())


# The documented errors


@pytest.mark.parametrize("endpoint", ["Ledgers", "BalanceEx", "Ticker", "Trades"])
@pytest.mark.parametrize("text", DOCUMENTED)
def test_an_error_of_kraken_ends_no_sync_with_a_wrong_number(tmp_path, endpoint, text):
    def more(told, service):
        told.errors[endpoint] = [text]
        told.now += 3600
        told.at = told.now - 120
        service.portfolio.desk.clock.at += 3600 * instant.SECOND
        told.row("R1", "reward", "XXBT", "0.01", subtype="welcomebonus")

    service, done = followed(account(), tmp_path, more)
    equity = service.get_equity()
    assert equity.equity_base == (1100 if endpoint == "Ledgers" else 1600)
    assert not equity.drift_flag
    (failure,) = [each.failure for each in done.accounts]
    is_denied_extended = endpoint == "BalanceEx" and text == "EAccount:Invalid permissions"
    assert is_denied_extended or text.partition(": 1")[0] in failure
    assert service.portfolio.verify().is_sound


def test_what_a_region_refuses_is_said_in_the_summary_and_hides_no_other_account(tmp_path):
    told = account()
    told.row("T2", "margin", "ZUSD", "0", "0.4")
    _, done = followed(told, tmp_path, region=profile("US_CA"))
    assert "L00003 is a margin entry, and US_CA has no margin trading" in done.accounts[0].failure
