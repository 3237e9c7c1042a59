"""The private side: who is let in, how often, and how histories are paged."""

import json
import os
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import pytest

from bursar.sim.kraken import ERRORS, FakeKraken, Key, Request, Tier, invent, truth
from bursar.sim.kraken.account import Account
from bursar.sim.kraken.listing import coins, pairs
from bursar.sim.kraken.market import Market
from tests.sim.kraken.places import SECOND, Hands, account, ask, decoded, every, fake, signed, told

ROOT = Path(__file__).parents[3]
SHARED = Path(os.environ.get("BURSAR_SHARED", ROOT.parent / "shared"))
OWN = SHARED / "venues" / "kraken" / "own-made"
ahead = pytest.mark.skipif(
    not OWN.is_dir(), reason=f"NOT RUN: recorded Kraken data is not at {OWN} (BURSAR_SHARED)"
)


@ahead
def test_the_published_example_is_signed_as_it_says():
    said = json.loads((OWN / "sign-vector.json").read_text())
    key = Key("", said["private_key"])
    assert key.signature(said["path"], said["nonce"], said["body"].encode()) == said["api_sign"]


@ahead
def test_every_documented_error_can_be_had():
    said = json.loads((OWN / "errors.json").read_text())["errors"]
    words = {each["body"]["error"][0].partition(": ")[0] for each in said}
    assert words == set(ERRORS)


def test_a_form_and_a_json_body_are_both_taken():
    venue = fake()
    one, other = signed(venue, "Balance"), signed(venue, "Balance", as_json=True)
    assert decoded(venue.answer(one)) == decoded(venue.answer(other))
    assert decoded(venue.answer(one))["error"] == ["EAPI:Invalid nonce"]


def test_only_a_known_key_that_signs_well_is_let_in():
    venue = fake()
    assert ask(venue, "Balance", key="someone")["error"] == ["EAPI:Invalid key"]
    assert ask(venue, "Balance", secret="a2V5")["error"] == ["EAPI:Invalid signature"]
    request = signed(venue, "Balance")
    spoilt = Request("POST", request.path, "", request.headers, request.body + b"&a=1")
    assert decoded(venue.answer(spoilt))["error"] == ["EAPI:Invalid signature"]
    got = Request("GET", request.path, "", request.headers, request.body)
    assert decoded(venue.answer(got))["error"] == ["EGeneral:Invalid arguments"]
    assert decoded(venue.answer(request))["error"] == []


def test_a_nonce_only_grows():
    venue = fake()
    good = ["EAPI:Invalid nonce"]
    assert ask(venue, "Balance", nonce=100)["error"] == []
    assert ask(venue, "Balance", nonce=100)["error"] == good
    assert ask(venue, "Balance", nonce=99)["error"] == good
    assert ask(venue, "Balance", nonce=101)["error"] == []
    assert ask(venue, "Balance", nonce=2**64 - 1)["error"] == []
    for wrong in (2**64, -1, "1.5", "x", ""):
        assert ask(venue, "Balance", nonce=wrong)["error"] == good


def test_a_window_takes_a_late_nonce_once():
    venue = fake()
    venue.admit(Key("wide", venue.secret, nonce_window=10))
    said = [
        ask(venue, "Balance", key="wide", nonce=nonce)["error"]
        for nonce in (100, 95, 95, 91, 90, 101)
    ]
    bad = ["EAPI:Invalid nonce"]
    assert said == [[], [], bad, [], bad, []]


def test_ten_refusals_in_a_row_lock_out_for_a_quarter_of_an_hour():
    venue = fake(step=0)
    for _ in range(10):
        ask(venue, "Balance", secret="a2V5")
    assert ask(venue, "Balance")["error"] == ["EGeneral:Temporary lockout"]
    venue.house.clock.move(899)
    assert ask(venue, "Balance")["error"] == ["EGeneral:Temporary lockout"]
    venue.house.clock.move(1)
    assert ask(venue, "Balance")["error"] == []


def test_a_key_does_only_what_it_may():
    venue = fake()
    venue.admit(Key("narrow", venue.secret, permissions=("query-funds",)))
    assert ask(venue, "Balance", key="narrow")["error"] == []
    for endpoint in ("Ledgers", "TradesHistory", "OpenOrders", "ClosedOrders", "QueryOrders"):
        assert ask(venue, endpoint, key="narrow")["error"] == ["EGeneral:Permission denied"]
    info = told(venue, "GetApiKeyInfo", key="narrow")
    assert info["permissions"] == ["query-funds"]
    assert venue.secret not in repr((info, venue.door.keys, venue.asked))


def test_a_key_sees_only_its_stretch_of_time():
    invented = account()
    low, high = (invented.rows[place].time // SECOND for place in (200, 400))
    venue = fake()
    venue.admit(Key("part", venue.secret, query_from=low * SECOND, query_to=high * SECOND))
    rows = every(venue, "Ledgers", "ledger", key="part")
    assert set(rows) == {
        row.id for row in invented.rows if low * SECOND <= row.time <= high * SECOND
    }
    info = told(venue, "GetApiKeyInfo", key="part")
    assert (info["query_from"], info["query_to"]) == (str(low), str(high))


def exact_level(venue):
    return Fraction(*venue.counter.level)


def test_the_rate_counter_is_arithmetic_on_the_clock():
    venue = fake(step=0)
    for endpoint, level in (("Ledgers", 2), ("Balance", 3), ("TradesHistory", 5), ("Balance", 6)):
        told(venue, endpoint)
        assert exact_level(venue) == level
    venue.house.clock.move(2)
    assert exact_level(venue) == 6 - Fraction(66, 100)
    venue.house.clock.move(3600)
    assert exact_level(venue) == 0
    assert [ask(venue, "Balance")["error"] for _ in range(16)] == 15 * [[]] + [
        ["EAPI:Rate limit exceeded"]
    ]
    assert exact_level(venue) == 15  # a refused one does not count
    venue.house.clock.move(3)
    assert ask(venue, "Balance")["error"] == ["EAPI:Rate limit exceeded"]
    venue.house.clock.move(1)
    assert ask(venue, "Balance")["error"] == []


@pytest.mark.parametrize("tier,most,seconds", [(Tier.INTERMEDIATE, 20, 4), (Tier.PRO, 20, 2)])
def test_a_higher_tier_may_ask_more(tier, most, seconds):
    venue = fake(step=0, tier=tier)
    assert sum(not ask(venue, "Ledgers")["error"] for _ in range(12)) == most // 2
    venue.house.clock.move(seconds)
    assert ask(venue, "Ledgers")["error"] == []
    assert ask(venue, "Ledgers")["error"] != []


def test_the_counter_belongs_to_the_account_and_not_to_the_key():
    venue = fake(step=0)
    venue.admit(Key("other", venue.secret))
    said = [ask(venue, "Balance", key=key)["error"] for key in [venue.key, "other"] * 8]
    assert said[15] == ["EAPI:Rate limit exceeded"]


@pytest.mark.parametrize("endpoint,name", [("Ledgers", "ledger"), ("TradesHistory", "trades")])
def test_pages_give_every_row_once_newest_first(endpoint, name):
    venue = fake(account(5, 20_000)) if endpoint == "Ledgers" else fake(account(3, 5000))
    rows = venue.house.account.rows if endpoint == "Ledgers" else venue.house.account.trades
    assert any(len(list(same)) > 50 for _, same in groupby(rows, key=lambda row: row.time))
    found = every(venue, endpoint, name, consolidate_taker="false")
    assert list(found) == [row.id for row in rows][::-1]


def test_a_page_after_the_last_is_empty_and_still_counts():
    venue = fake()
    rows = venue.house.account.rows
    said = told(venue, "Ledgers", ofs=len(rows) + 1)
    assert said == {"ledger": {}, "count": len(rows)}
    assert "count" not in told(venue, "Ledgers", without_count="true")
    assert ask(venue, "Ledgers", ofs="x")["error"] == ["EGeneral:Invalid arguments:ofs"]


def exact_seconds(nanoseconds):
    return format(Decimal(nanoseconds).scaleb(-9), "f")


def test_start_is_exclusive_and_end_inclusive_by_time_and_by_id():
    venue = fake()
    rows = venue.house.account.rows
    for low, high in ((30, 60), (100, 100), (0, 40)):
        start, end = rows[low], rows[high]
        by_id = told(venue, "Ledgers", start=start.id, end=end.id)
        assert list(by_id["ledger"]) == [row.id for row in rows[low + 1 : high + 1]][::-1][:50]
        bounds = exact_seconds(start.time), exact_seconds(end.time)
        by_time = told(venue, "Ledgers", start=bounds[0], end=bounds[1])
        within = [row.id for row in rows if start.time < row.time <= end.time]
        assert list(by_time["ledger"]) == within[::-1][:50]
        assert by_time["count"] == len(within)
    whole = told(venue, "Ledgers", end=rows[90].time // SECOND)  # a fraction later is later
    assert rows[90].id not in whole["ledger"] or rows[90].time % SECOND == 0
    assert ask(venue, "Ledgers", start="NONE")["error"] == ["EGeneral:Invalid arguments:start"]


def test_the_ledger_is_filtered_by_type_and_asset():
    venue = fake()
    rows = venue.house.account.rows
    found = every(venue, "Ledgers", "ledger", type="deposit")
    assert set(found) == {row.id for row in rows if row.type == "deposit"}
    for name in ("XBT", "XXBT", "XXBT,ZUSD"):
        codes = {"XXBT", "ZUSD"} if "," in name else {"XXBT"}
        found = every(venue, "Ledgers", "ledger", asset=name)
        assert set(found) == {row.id for row in rows if row.code in codes}
    middle = next(row for row in rows[200:] if row.code == "XXBT")
    found = every(venue, "Ledgers", "ledger", asset="XBT", start=middle.id)
    place = rows.index(middle)
    late = {row.id for row in rows[place + 1 :] if row.code == "XXBT" and row.time > middle.time}
    assert set(found) == late
    assert told(venue, "Ledgers", aclass="tokenized_asset")["count"] == 0
    assert ask(venue, "Ledgers", asset="NONE")["error"] == ["EQuery:Unknown asset"]


def test_rows_are_written_as_the_venue_writes_them():
    venue = fake()
    raw = venue.answer(signed(venue, "Ledgers")).body.decode()
    row = venue.house.account.rows[-1]
    said = decoded(venue.answer(signed(venue, "Ledgers")))["result"]["ledger"][row.id]
    assert said["amount"] == format(Decimal(row.amount).scaleb(-coins()[row.code].decimals), "f")
    assert isinstance(said["time"], Decimal)
    assert 4 <= len(str(said["time"]).partition(".")[2]) <= 9
    assert said["time"] == Decimal(row.time).scaleb(-9)
    assert f'"time":{said["time"]}' in raw
    assert '"count":' in raw


def test_taker_fills_of_one_order_are_merged_unless_told_otherwise():
    venue = fake(account(3, 5000))
    trades = venue.house.account.trades
    merged = every(venue, "TradesHistory", "trades", ledgers="true")
    assert len(merged) < len(trades)
    groups = {
        key: list(same)
        for key, same in groupby(trades, key=lambda each: (each.order, each.time, each.is_maker))
    }
    for (_, _, is_maker), same in groups.items():
        if not is_maker and len(same) > 1:
            said = merged[same[0].id]
            decimals = pairs()[same[0].pair].lot_decimals
            volume = sum(each.volume for each in same)
            assert Decimal(said["vol"]) == Decimal(volume).scaleb(-decimals)
            assert said["ledgers"] == [name for each in same for name in each.rows]
            assert not {each.id for each in same[1:]} & set(merged)


def test_trades_are_filtered_by_position():
    venue = fake(account(2, 3000, on_margin=True))
    trades = venue.house.account.trades
    spot = every(venue, "TradesHistory", "trades", type="no position", consolidate_taker="false")
    assert set(spot) == {each.id for each in trades if not (each.margin or each.position)}
    held = every(venue, "TradesHistory", "trades", type="any position", consolidate_taker="false")
    assert set(held) == {each.id for each in trades if each.margin or each.position}
    opened = {name: each for name, each in held.items() if "posstatus" in each}
    assert all(Decimal(each["margin"]) > 0 for each in opened.values())
    closed = [each for each in held.values() if "closing" in each["misc"]]
    assert len(opened) + len(closed) == len(held)
    ended = {each["postxid"] for each in closed}
    assert ended == {name for name, each in opened.items() if each["posstatus"] == "closed"}
    assert not ended & set(spot)
    refused = ask(venue, "TradesHistory", type="none such")["error"]
    assert refused == ["EGeneral:Invalid arguments:type"]


def test_rows_trades_and_orders_are_found_by_id_so_many_at_a_time():
    venue = fake()
    invented = venue.house.account
    for endpoint, field, rows, most in (
        ("QueryLedgers", "id", invented.rows, 20),
        ("QueryTrades", "txid", invented.trades, 20),
        ("QueryOrders", "txid", invented.orders, 50),
    ):
        names = [row.id for row in rows[: most + 1]]
        assert list(told(venue, endpoint, **{field: ",".join(names[:most])})) == names[:most]
        too_many = ask(venue, endpoint, **{field: ",".join(names)})
        assert too_many["error"] == ["EGeneral:Invalid arguments"]
        assert ask(venue, endpoint, **{field: "NONE"})["error"]
        assert ask(venue, endpoint)["error"] == ["EGeneral:Invalid arguments"]


def test_balances_are_the_truth_at_any_instant():
    invented = account()
    for place in (10, 300, len(invented.rows) - 1):
        venue = fake(until=invented.rows[place].time)
        told_truth = truth(invented, invented.rows[place].time).balances
        found = told(venue, "Balance")
        assert {code: Fraction(amount) for code, amount in found.items()} == told_truth
        extended = told(venue, "BalanceEx")
        assert {code: each["balance"] for code, each in extended.items()} == found
        for each in extended.values():
            assert Decimal(0) <= Decimal(each["hold_trade"]) <= Decimal(each["balance"])


def test_open_orders_hold_coins_and_one_is_filled_in_part():
    venue = fake()
    orders = told(venue, "OpenOrders", trades="true")["open"]
    assert orders
    assert any(
        Decimal(0) < Decimal(each["vol_exec"]) < Decimal(each["vol"]) for each in orders.values()
    )
    held = [Decimal(each["hold_trade"]) for each in told(venue, "BalanceEx").values()]
    assert sum(amount > 0 for amount in held) >= 2
    assert all(each["refid"] in (None, "None") for each in orders.values())
    assert "+50.0000%" in [each["descr"]["price"] for each in orders.values()]


def test_an_order_is_open_until_it_is_closed():
    invented = account()
    order = next(o for o in invented.orders if o.closed and o.closed - o.opened > 60 * SECOND)
    venue = fake(until=(order.opened + order.closed) // 2, step=0)
    assert told(venue, "OpenOrders")["open"][order.id]["status"] == "open"
    assert order.id not in every(venue, "ClosedOrders", "closed")
    venue = fake(until=order.closed)
    assert order.id not in told(venue, "OpenOrders")["open"]
    said = told(venue, "ClosedOrders")["closed"][order.id]
    assert said["status"] == order.status
    assert said["closetm"] == Decimal(order.closed).scaleb(-9)


def test_closed_orders_bear_what_their_strategy_put_on_them():
    venue = fake(account(3, 5000))
    orders = {order.id: order for order in venue.house.account.orders if order.closed is not None}
    found = every(venue, "ClosedOrders", "closed")
    assert set(found) == set(orders)
    for name, said in found.items():
        order = orders[name]
        assert said["userref"] in ({order.userref} if order.userref else {0, None})
        assert said.get("cl_ord_id") == order.cl_ord_id
        assert len(said.get("cl_ord_id", "")) in (*range(19), 36)
    closed = [said["closetm"] for said in found.values()]
    assert closed == sorted(closed, reverse=True)
    mine = every(venue, "ClosedOrders", "closed", userref=1001)
    assert set(mine) == {name for name, order in orders.items() if order.userref == 1001}
    client = next(order for order in orders.values() if order.cl_ord_id)
    one = told(venue, "ClosedOrders", cl_ord_id=client.cl_ord_id)["closed"]
    assert list(one) == [client.id]
    by_opening = every(venue, "ClosedOrders", "closed", closetime="open")
    assert set(by_opening) == set(orders)
    opened = [said["opentm"] for said in by_opening.values()]
    assert opened == sorted(opened, reverse=True)


def test_deposits_and_withdrawals_tell_also_of_what_never_came():
    venue = fake(account(3, 5000))
    passages = venue.house.account.passages
    found = told(venue, "DepositStatus")
    assert [each["refid"] for each in found] == [p.refid for p in passages if p.is_deposit][::-1][
        :50
    ]
    for each in told(venue, "WithdrawStatus", asset="XBT"):
        assert each["asset"] == "XBT"
    assert {"Success", "Failure"} <= {each["status"] for each in told(venue, "WithdrawStatus")}


def test_the_trade_balance_is_what_all_is_worth():
    venue = fake(step=0)
    market = Market(venue.house.account.seed)
    worth = sum(
        amount * market.worth(coins()[code], venue.house.now) // 10 ** coins()[code].decimals
        for code, amount in venue.house.balances().items()
    )
    said = Decimal(told(venue, "TradeBalance")["eb"])
    assert abs(said - Decimal(worth).scaleb(-12)) < Decimal("0.01")
    assert Decimal(told(venue, "TradeBalance", asset="XBT")["eb"]) < said
    assert ask(venue, "TradeBalance", asset="NONE")["error"] == ["EQuery:Unknown asset"]


def test_history_that_the_venue_has_forgotten_is_not_shown_and_still_counts():
    venue = fake()
    rows = venue.house.account.rows
    balances = told(venue, "Balance")
    venue.house.forgets_before = rows[300].time
    found = every(venue, "Ledgers", "ledger")
    assert set(found) == {row.id for row in rows if row.time >= rows[300].time}
    assert told(venue, "Balance") == balances
    assert ask(venue, "QueryLedgers", id=rows[0].id)["error"] == ["EGeneral:Invalid arguments"]


def test_an_account_without_extended_balances_says_so():
    venue = fake()
    venue.has_balance_ex = False
    assert ask(venue, "BalanceEx")["error"] == ["EAccount:Invalid permissions"]
    assert ask(venue, "Balance")["error"] == []


def test_an_empty_account_has_nothing():
    nothing = Account(seed=1, rows=(), trades=(), orders=(), passages=())
    venue = FakeKraken(nothing, clock=Hands(10**18))
    assert told(venue, "Balance") == {}
    assert told(venue, "Ledgers") == {"ledger": {}, "count": 0}


def test_what_was_asked_is_remembered_without_secrets():
    venue = fake()
    told(venue, "Ledgers", ofs=50)
    assert [(each.endpoint, each.fields) for each in venue.asked] == [("Ledgers", {"ofs": "50"})]


def test_one_seed_is_one_wire():
    answers = []
    for _ in range(2):
        venue = FakeKraken(invent(4, 300), clock=Hands(account(4, 300).end))
        answers.append([venue.answer(signed(venue, name)).body for name in ("Ledgers", "Balance")])
    assert answers[0] == answers[1]
