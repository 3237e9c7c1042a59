"""The nasty cases of Kraken's ledger, by their numbers in docs/ACCEPTANCE.md: told row by row,
asked over the wire and exported, and each way one right book, worked out by hand.
"""

from decimal import Decimal

import pytest

from tests.venue.telling import WAYS, Told, flows, held, made, pockets, traded


@pytest.fixture(params=WAYS)
def way(request):
    """The way by which the rows come in."""
    return request.param


# 2
def test_three_fills_of_one_order_in_one_instant_are_three_trades(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    for number, (volume, cost) in enumerate([("0.001", "40"), ("0.002", "80"), ("0.003", "120")]):
        txid = f"T{number}"
        told.row(txid, "trade", "ZUSD", f"-{cost}", after=60 if number == 0 else 0)
        told.row(txid, "trade", "XXBT", volume, after=0)
        told.trade(txid, "XXBTZUSD", "buy", volume, cost)
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "760", "XBT": "0.006"}
    assert traded(service) == [("trade", "XBT/USD", "buy")] * 3
    assert {each.order_id for each in service.get_trade_history()} == {"O1"}
    assert service.get_position("XBT/USD").avg_entry_price == 40_000


# 5
def test_a_fee_taken_in_coins_is_a_fee_in_coins_whatever_the_trade_says(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "10000")
    told.row("T1", "trade", "ZUSD", "-400", "0")
    told.row("T1", "trade", "XXBT", "0.01", "0.000026", after=0)
    told.trade("T1", "XXBTZUSD", "buy", "0.01", "400", fee="1.04")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "9600", "XBT": "0.009974"}
    assert made(service) == ("10000", "-1.04", "0", "0")  # 0.000026 × 40,000, expensed at once
    (trade,) = service.get_trade_history()
    assert (trade.fee_asset, f"{trade.fee_amount:f}") == ("XBT", "0.000026")
    assert {a: f"{v.normalize():f}" for a, v in service.get_fee_summary().by_asset.items()} == {
        "XBT": "1.04"
    }


# 6
def test_a_fee_in_fee_credits_costs_no_money(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "10000")
    told.deposit("KFEE", "200")
    told.row("T1", "trade", "ZUSD", "-400", "0")
    told.row("T1", "trade", "XXBT", "0.01", "0", after=0)
    told.row("T1", "trade", "KFEE", "0", "104", after=0)
    told.trade("T1", "XXBTZUSD", "buy", "0.01", "400", fee="1.04")
    service = told.booked(tmp_path, way)
    assert held(service) == {"KFEE": "96", "USD": "9600", "XBT": "0.01"}
    assert made(service) == ("10000", "0", "0", "0")
    assert service.get_fee_summary().total_base == 0
    assert service.get_equity({"XBT": "40000"}).equity_base == 10_000
    assert service.get_equity({"XBT": "40000"}).is_complete


# 9
def test_spend_and_receive_of_one_reference_are_one_trade(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T1", "spend", "ZUSD", "-100", "1")
    told.row("T1", "receive", "XXBT", "0.0025", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "899", "XBT": "0.0025"}
    assert traded(service) == [("trade", "XBT/USD", "buy")]
    assert made(service) == ("1000", "-1", "0", "0")


# 10
def test_fees_on_both_legs_of_an_instant_buy_are_both_booked(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T1", "spend", "ZUSD", "-100", "1.5")
    told.row("T1", "receive", "XETH", "0.05", "0.0001", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"ETH": "0.0499", "USD": "898.5"}
    assert made(service) == ("1000", "-1.7", "0", "0")  # 1.50 and 0.0001 × 2,000
    fees = service.get_fee_summary().by_asset
    assert {asset: f"{fee.normalize():f}" for asset, fee in fees.items()} == {
        "ETH": "0.2",
        "USD": "1.5",
    }


# 11
def test_a_trade_whose_other_leg_rounds_to_nothing_is_still_a_trade(tmp_path, way):
    told = Told()
    told.deposit("XXDG", "10")
    told.row("T1", "trade", "XXDG", "-0.00000100")
    told.trade("T1", "XDGUSD", "sell", "0.00000100", "0.00000000")
    service = told.booked(tmp_path, way)
    assert held(service) == {"XDG": "9.99999900"}
    assert traded(service) == [("trade", "XDG/USD", "sell")]
    assert flows(service) == [("deposit", "XDG", "10")]


# 12
def test_a_hundred_of_one_for_a_hundred_of_another_is_a_trade(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T1", "trade", "ZUSD", "-100")
    told.row("T1", "trade", "ONDO", "100", after=0)
    told.row("T2", "spend", "ZUSD", "-100")
    told.row("T2", "receive", "ONDO", "100", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"ONDO": "200", "USD": "800"}
    assert traded(service) == [("trade", "ONDO/USD", "buy")] * 2
    assert made(service) == ("1000", "0", "0", "0")


# 13
@pytest.mark.parametrize("code,asset", [("ZUSD", "USD"), ("XXBT", "XBT")])
def test_a_withdrawal_that_failed_has_no_effect_and_shows_both_rows(tmp_path, way, code, asset):
    told = Told(XXBT="50000")
    told.deposit("ZUSD", "100000")
    told.row("T1", "trade", "ZUSD", "-40000")
    told.row("T1", "trade", "XXBT", "1", after=0)
    before = told.left.copy()
    told.row("FTw", "withdrawal", code, "-0.5", "0.09")
    told.row("FTw", "withdrawal", code, "0.5", "-0.09", after=3600)
    assert told.left == before
    service = told.booked(tmp_path, way)
    assert {asset: Decimal(each) for asset, each in held(service).items()} == {
        "USD": 60_000,
        "XBT": 1,
    }
    assert made(service) == ("100000", "0", "0", "0")
    assert service.portfolio.why("cost", "XBT").value == 40_000
    assert [each for each in flows(service) if each[1] == asset and each[0] != "deposit"] == [
        ("withdrawal", asset, "-0.5"),
        ("withdrawal", asset, "0.5"),
    ]
    assert sum(each.cost_base for each in service.get_cash_flows()) == 100_000
    assert service.get_pnl_summary().net_flows_base == 100_000


# 14
def test_a_withdrawal_on_its_way_is_no_loss(tmp_path, way):
    told = Told(XXBT="50000")
    told.deposit("ZUSD", "100000")
    told.row("T1", "trade", "ZUSD", "-40000")
    told.row("T1", "trade", "XXBT", "1", after=0)
    told.row("FTw", "withdrawal", "XXBT", "-0.5", "0.001")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "60000", "XBT": "0.499"}
    contributed, realized, income, expenses = made(service)
    # The half leaves at cost, 20,000; the fee leaves at its worth, 50, of which it cost 40.
    assert (contributed, realized, income, expenses) == ("80000", "10", "0", "50")


# 16
def test_a_move_to_staking_under_two_references_is_only_a_move(tmp_path, way):
    told = Told(DOT="5")
    told.deposit("DOT", "100")
    told.row("B1", "transfer", "DOT", "-40", subtype="spottostaking")
    told.row("R1", "transfer", "DOT.S", "40", subtype="stakingfromspot", after=26)
    service = told.booked(tmp_path, way)
    assert held(service) == {"DOT": "100"}
    assert pockets(service) == {("DOT", "staked"): "40"}
    assert made(service) == ("500", "0", "0", "0")
    assert flows(service) == [("deposit", "DOT", "100")]


# 17, 18
def test_a_reward_is_income_of_the_coin_itself_where_it_lies_less_commission(tmp_path, way):
    told = Told(DOT="10")
    told.row("S1", "staking", "DOT.S", "0.2")
    told.row("E1", "earn", "DOT.S", "0.35", "0.105", subtype="reward")
    service = told.booked(tmp_path, way)
    assert held(service) == {"DOT": "0.445"}
    assert pockets(service) == {("DOT", "staked"): "0.445"}
    assert flows(service) == [("reward", "DOT", "0.2"), ("reward", "DOT", "0.35")]
    assert made(service) == ("0", "0", "5.5", "1.05")  # 2 + 3.50 gross; 0.105 × 10


# 19
@pytest.mark.parametrize("references", [("S3", "S3"), ("S3", "S4")])
def test_rewards_that_are_swept_together_are_counted_once(tmp_path, way, references):
    told = Told(XETH="2000", ETH2="2000")
    told.row("S1", "staking", "ETH2.S", "0.01")
    told.row("S2", "staking", "ETH2.S", "0.02")
    told.row(references[0], "staking", "ETH2.S", "-0.03")
    told.row(references[1], "staking", "ETH2", "0.03", after=20)
    service = told.booked(tmp_path, way)
    assert held(service) == {"ETH2": "0.03"}
    assert made(service) == ("0", "0", "60", "0")


def test_a_reward_that_is_swept_on_its_own_day_is_counted_once(tmp_path, way):
    told = Told(XETH="2000", ETH2="2000")
    told.row("S1", "staking", "ETH2.S", "0.01")
    told.row("S2", "staking", "ETH2.S", "-0.01", after=60)
    told.row("S3", "staking", "ETH2", "0.01", after=20)
    service = told.booked(tmp_path, way)
    assert held(service) == {"ETH2": "0.01"}
    assert pockets(service) == {}
    assert made(service) == ("0", "0", "20", "0")


# 20
def test_rows_under_unknown_have_nothing_to_do_with_each_other(tmp_path, way):
    told = Told(DOT="10")
    told.deposit("DOT", "1")
    told.row("B", "transfer", "DOT", "-1", subtype="spottostaking")
    told.row("R", "transfer", "DOT.S", "1", subtype="stakingfromspot", after=20)
    told.row("Unknown", "earn", "DOT.S", "-1", subtype="migration")
    told.row("Unknown", "earn", "DOT", "1", subtype="migration", after=0)
    told.row("Unknown", "earn", "DOT", "0.2", subtype="reward")
    service = told.booked(tmp_path, way)
    assert held(service) == {"DOT": "1.2"}
    assert pockets(service) == {}
    assert made(service) == ("10", "0", "2", "0")


# 21
@pytest.mark.parametrize(
    "code,asset,pocket",
    [
        ("DOT28.S", "DOT", "staked:28"),
        ("SOL03.S", "SOL", "staked:03"),
        ("ETH2.S", "ETH2", "staked"),
        ("XBT.F", "XBT", "auto-earn"),
        ("XBT.M", "XBT", "rewards"),
        ("EUR.HOLD", "EUR", "hold"),
    ],
)
def test_a_suffix_is_a_place_and_never_another_coin(tmp_path, way, code, asset, pocket):
    told = Told()
    told.deposit(code, "2")
    service = told.booked(tmp_path, way)
    assert held(service) == {asset: "2"}
    assert pockets(service) == {(asset, pocket): "2"}


# 22
@pytest.mark.parametrize("code", ["ZETA", "ZEUS", "ZORA", "XTZ", "ZRX", "XCN", "ZK"])
def test_a_name_is_never_cut(tmp_path, way, code):
    told = Told()
    told.deposit(code, "2")
    assert held(told.booked(tmp_path, way)) == {code: "2"}


# 23
@pytest.mark.parametrize(
    "pair,codes,name",
    [
        ("DOGEUR", ("DOG", "ZEUR"), "DOG/EUR"),
        ("XDGEUR", ("XXDG", "ZEUR"), "XDG/EUR"),
        ("EURTUSD", ("EURT", "ZUSD"), "EURT/USD"),
        ("MONAUSD", ("MON", "AUSD"), "MON/AUSD"),
        ("ETH2.SETH", ("ETH2.S", "XETH"), "ETH2/ETH"),
        ("XBTPYUSD", ("XXBT", "PYUSD"), "XBT/PYUSD"),
    ],
)
def test_a_pair_is_what_the_venues_list_says(tmp_path, way, pair, codes, name):
    base, quote = codes
    told = Told()
    told.deposit(quote, "100")
    told.row("T1", "trade", quote, "-10")
    told.row("T1", "trade", base, "5", after=0)
    told.trade("T1", pair, "buy", "5", "10")
    service = told.booked(tmp_path, way)
    assert traded(service) == [("trade", name, "buy")]


# 26
def test_a_transfer_without_a_word_is_an_airdrop_of_unknown_worth(tmp_path, way):
    told = Told()
    told.row("R1", "transfer", "SGB", "10")
    service = told.booked(tmp_path, way)
    assert held(service) == {"SGB": "10"}
    assert flows(service) == [("airdrop", "SGB", "10")]
    assert made(service) == ("0", "0", "0", "0")
    assert [(gap.asset, gap.flag) for gap in service.portfolio.gaps()] == [("SGB", "unpriced")]
    assert service.get_equity().unvalued == ("SGB",)
    assert not service.get_equity().is_complete


# 27
@pytest.mark.parametrize("kind,subtype", [("adjustment", ""), ("transfer", "delistingconversion")])
def test_a_forced_conversion_under_two_references_is_one_conversion(tmp_path, way, kind, subtype):
    told = Told(REP="10", REPV2="10")
    told.deposit("REP", "3")
    told.row("A1", kind, "REP", "-3", subtype=subtype)
    told.row("A2", kind, "REPV2", "3", subtype=subtype, after=1)
    service = told.booked(tmp_path, way)
    assert held(service) == {"REPV2": "3"}
    assert flows(service) == [("deposit", "REP", "3")]
    assert [kind for kind, _, _ in traded(service)] == ["conversion"]
    assert made(service) == ("30", "0", "0", "0")


# 28
def test_a_leveraged_position_moves_no_coins(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T1", "margin", "ZUSD", "0", "0.4")
    told.trade("T1", "XXBTZUSD", "buy", "0.01", "400", fee="0.4", margin="80", misc="initiated")
    told.row("T1", "rollover", "ZUSD", "0", "0.08", after=4 * 3600)
    told.row("T2", "margin", "ZUSD", "1.75", "0.41")
    told.trade("T2", "XXBTZUSD", "sell", "0.01", "401.75", fee="0.41", margin="80", misc="closing")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "1000.86"}  # 1,000 − 0.40 − 0.08 + 1.75 − 0.41
    assert {kind for kind, _, _ in traded(service)} == {"margin"}
    assert made(service) == ("1000", "0.94", "0", "0.08")  # 1.75 − 0.40 − 0.41; the rollover


# 29
def test_a_liquidation_is_a_realised_loss_of_each_asset(tmp_path, way):
    told = Told(XXBT="50000", ZEUR="1.1")
    told.deposit("ZUSD", "100")
    told.deposit("ZEUR", "100")
    told.deposit("XXBT", "1")
    told.row("T9", "margin", "ZUSD", "-10")
    told.row("T9", "margin", "ZEUR", "-20", after=0)
    told.row("T9", "margin", "XXBT", "-0.01", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"EUR": "80", "USD": "90", "XBT": "0.99"}
    assert made(service) == ("50210", "-532", "0", "0")  # 10 + 20 × 1.1 + 0.01 × 50,000
    assert {kind for kind, _, _ in traded(service)} == {"margin"}


# 30
def test_a_settled_position_is_coins_bought_at_its_price(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T1", "margin", "ZUSD", "0", "0.4")
    told.trade("T1", "XXBTZUSD", "buy", "0.01", "400", fee="0.4", margin="80", misc="initiated")
    told.row("T1", "settled", "ZUSD", "-400", after=3600)
    told.row("T1", "settled", "XXBT", "0.01", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "599.6", "XBT": "0.01"}
    assert service.portfolio.why("cost", "XBT").value == 400
    assert made(service) == ("1000", "-0.4", "0", "0")
    assert service.get_equity({"XBT": "50000"}).equity_base == Decimal("1099.6")
    assert service.get_equity({"XBT": "50000"}).unrealized_pnl_base_total == 100


# 30, as Kraken's exports of 2026 have it: a trade of its own, the same way, at the same price
@pytest.mark.parametrize("side, sign", [("buy", 1), ("sell", -1)])
def test_a_position_that_a_trade_of_its_own_settles_is_gone(tmp_path, way, side, sign):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.deposit("XXBT", "1")
    told.row("T1", "margin", "ZUSD", "0", "0.4")
    told.trade("T1", "XXBTZUSD", side, "0.01", "400", fee="0.4", margin="80", posstatus="closed")
    told.row("T2", "settled", "ZUSD", f"{-400 * sign}", after=3600)
    told.row("T2", "settled", "XXBT", f"{sign * 0.01}", after=0)
    misc = "initiated,closing"
    told.trade("T2", "XXBTZUSD", side, "0.01", "400", margin="80", misc=misc, postxid="T1")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": f"{599.6 if sign > 0 else 1399.6}", "XBT": f"{1 + sign * 0.01}"}
    assert [each for each in service.portfolio.book().margins.values() if each.quantity] == []
    assert {kind for kind, _, _ in traded(service)} == {"margin", "trade"}


# 28, of a position that was opened before all that is told
def test_a_closing_with_a_margin_opens_nothing(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("T2", "margin", "ZUSD", "1.75", "0.41")
    told.trade("T2", "XXBTZUSD", "sell", "0.01", "401.75", fee="0.41", margin="80", misc="closing")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "1001.34"}
    (position,) = service.portfolio.book().margins.values()
    assert (position.quantity, position.unseen) == (0, Decimal("0.01"))


# 31
def test_collateral_is_turned_at_par_and_its_fee_is_paid_in_what_it_became(tmp_path, way):
    told = Told(ZEUR="1.1", EURC="1.1")
    told.deposit("ZEUR", "100")
    told.row("T1", "collateralconversion", "ZEUR", "-2")
    told.row("T1", "collateralconversion", "EURC", "2", after=0)
    told.row("T1", "margin", "EURC", "0", "2", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"EUR": "98"}
    assert made(service) == ("110", "-2.2", "0", "0")


# 32
def test_a_dust_sweep_is_no_free_money(tmp_path, way):
    told = Told(XETH="2000", SOL="100")
    told.deposit("XETH", "0.001")
    told.deposit("SOL", "0.02")
    told.row("T1", "spend", "XETH", "-0.001", subtype="dustsweeping")
    told.row("T1", "spend", "SOL", "-0.02", subtype="dustsweeping", after=0)
    told.row("T1", "receive", "ZUSD", "3.9", subtype="dustsweeping", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "3.9"}
    assert made(service) == ("4", "-0.1", "0", "0")  # 2 + 2 came in, 3.90 is left
    assert [kind for kind, _, _ in traded(service)] == ["conversion"]


# 33
def test_a_tokenised_stock_is_sold_once_and_its_settlement_cancels(tmp_path, way):
    told = Told(TSLAx="300")
    told.deposit("TSLAx", "1")
    told.row("T1", "trade", "TSLAx", "-1")
    told.row("T1", "trade", "ZUSD", "310", "0.5", after=0)
    told.row("T1", "trade", "ZUSD", "-310", after=0)
    told.row("T1", "trade", "ZUSD", "310", after=0)
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "309.5"}
    assert traded(service) == [("trade", "TSLAx/USD", "sell")]
    assert made(service) == ("300", "9.5", "0", "0")


# 57
def test_what_nobody_knows_counts_and_is_shown(tmp_path, way):
    told = Told(XXBT="50000")
    told.row("X1", "quantumshuffle", "XXBT", "0.5")
    told.row("X2", "quantumshuffle", "NEWCOIN", "7")
    service = told.booked(tmp_path, way)
    assert held(service) == {"NEWCOIN": "7", "XBT": "0.5"}
    assert flows(service) == [("unclassified", "XBT", "0.5"), ("unclassified", "NEWCOIN", "7")]
    assert [each.note for each in service.get_cash_flows()] == ["quantumshuffle"] * 2
    shown = [gap for gap in service.portfolio.gaps() if gap.flag == "unclassified"]
    assert [(gap.asset, gap.count) for gap in shown] == [("NEWCOIN", 1), ("XBT", 1)]
    assert made(service)[0] == "25000"


# 59
def test_money_in_the_futures_wallet_is_still_the_owners_and_in_transit(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("F1", "transfer", "ZUSD", "-300", subtype="spottofutures")
    service = told.booked(tmp_path, way)
    assert held(service)["USD"] == "1000"
    assert pockets(service) == {("USD", "in transit"): "300"}
    assert made(service) == ("1000", "0", "0", "0")
    assert service.get_equity().equity_base == 1000


# 24
def test_what_two_venues_call_by_one_name_is_not_added_up(tmp_path):
    told = Told()
    told.deposit("LUNA", "1000000")  # at Kraken the old coin, LUNC
    service = told.booked(tmp_path)
    at = "2026-01-06T00:00:00Z"
    service.portfolio.add("deposit", "5", "LUNA", account="binance:main", time=at)
    assert held(service) == {"LUNA": "1000000", "LUNA2": "5"}
    service.portfolio.add("deposit", "7", "LUNC", account="binance:main", time=at)
    assert held(service) == {"LUNA": "1000007", "LUNA2": "5"}


def test_at_kraken_the_old_and_the_new_coin_of_one_name_stay_apart(tmp_path, way):
    told = Told()
    told.deposit("LUNA", "1000000")
    told.deposit("LUNA2", "5")
    assert held(told.booked(tmp_path, way)) == {"LUNA": "1000000", "LUNA2": "5"}


# 59
def test_what_the_futures_wallet_made_is_the_owners_once_it_is_back(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    told.row("F1", "transfer", "ZUSD", "-300", subtype="spottofutures")
    told.row("F2", "transfer", "ZUSD", "350", subtype="spotfromfutures")
    service = told.booked(tmp_path, way)
    assert held(service) == {"USD": "1050"}
    assert pockets(service) == {}
    assert service.get_equity().equity_base == 1050
    assert made(service) == ("1050", "0", "0", "0")  # assumed to have been there: named as such
    (opened,) = service.portfolio.desk.timeline.openings.values()
    assert (opened.asset, opened.amount, opened.pocket) == ("USD", 50, "in transit")


def test_what_goes_to_the_futures_wallet_again_is_there_and_what_it_made_stays(tmp_path, way):
    told = Told()
    told.deposit("ZUSD", "1000")
    for number, amount in enumerate(("-300", "350", "-100", "90", "70")):
        name = "spotfromfutures" if number in {1, 3, 4} else "spottofutures"
        told.row(f"F{number}", "transfer", "ZUSD", amount, subtype=name)
    told.row("W1", "withdrawal", "ZUSD", "-1110")
    service = told.booked(tmp_path, way)  # 50 and then 60 more than had gone there
    assert held(service) == {}
    assert made(service) == ("0", "0", "0", "0")


def test_coins_that_are_credited_from_the_futures_wallet_are_held(tmp_path, way):
    told = Told(ETHW="10")
    told.row("F2", "transfer", "ETHW", "1", subtype="spotfromfutures")
    assert held(told.booked(tmp_path, way)) == {"ETHW": "1"}
