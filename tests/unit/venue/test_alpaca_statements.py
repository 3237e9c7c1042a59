"""What a row of Alpaca's activities states."""

from decimal import Decimal

import msgspec
import pytest

from bursar.ledger.entries import (
    CashFlow,
    Fill,
    FlowKind,
    Movement,
    MovementKind,
    Rate,
    Side,
    Source,
    decode,
    encode,
)
from bursar.ledger.instant import parse, show
from bursar.venue.alpaca import days
from bursar.venue.alpaca.rows import Row
from bursar.venue.alpaca.statements import statements

D = Decimal
DAY = parse("2025-01-08")
OPTION = "AAPL250117C00150000"


def row(type_, **named):
    numbers = {"quantity", "price", "amount", "per_share", "filled"} & named.keys()
    named.update({name: D(named[name]) for name in numbers})
    named.setdefault("id", "1::x")
    named.setdefault("at", DAY)
    return Row(type=type_, **named)


def stated(type_, **named):
    said = statements(row(type_, **named))
    for each in said:
        assert decode(encode(each)) == each
        assert each.source >= Source.LEDGER
        assert each.account == "alpaca:main"
        assert each.id.startswith("alpaca:main:1::x")
    return said


def only(type_, **named):
    (said,) = stated(type_, **named)
    return said


def test_an_execution():
    at = parse("2025-01-06T14:30:00.214535Z")
    said = only("FILL", at=at, symbol="AAPL", side="buy", quantity="3", price="250.10", filled="3")
    assert said == Fill(
        id="alpaca:main:1::x",
        account="alpaca:main",
        source=Source.LEDGER,
        executed_at=at,
        sequence=3_000_000_000,
        pair="AAPL/USD",
        base="AAPL",
        quote="USD",
        side=Side.BUY,
        quantity=D(3),
        price=D("250.10"),
    )


def test_an_execution_of_a_pair_in_another_account():
    told = row("FILL", symbol="ETH/BTC", side="sell", quantity="2", price="0.05", order_id="o")
    (said,) = statements(told, account="alpaca:paper")
    assert isinstance(said, Fill)
    assert (said.id, said.account) == ("alpaca:paper:1::x", "alpaca:paper")
    assert (said.base, said.quote, said.pair, said.side) == ("ETH", "BTC", "ETH/BTC", Side.SELL)
    assert said.order_id == "o"


def test_a_dividend_is_paid_in_money_or_in_shares():
    told = only("DIV", symbol="SBS", quantity="0.0027", price="0")
    assert (told.kind, told.asset, told.amount) == (MovementKind.DIVIDEND, "SBS", D("0.0027"))
    assert told.rates == ()
    too_little = only("DIV", symbol="SBS", quantity="0.0001", per_share="0.25")
    assert (too_little.asset, too_little.amount) == ("USD", 0)
    paid = only("DIV", symbol="SBS", quantity="10", amount="2.5")
    assert (paid.asset, paid.amount) == ("USD", D("2.5"))


def test_a_sub_type_says_whether_a_dividend_was_paid_in_money_or_in_shares():
    told = only("DIV", sub_type="SDIV", symbol="SBS", quantity="0.0027", per_share="1.03")
    assert (told.kind, told.asset, told.amount) == (MovementKind.DIVIDEND, "SBS", D("0.0027"))
    for sub_type in ("CDIV", "ROC", "SPD"):
        # Less than half a cent; the quantity is that of the shares that were entitled to it.
        said = only("DIV", sub_type=sub_type, symbol="SBS", quantity="10", amount="0")
        assert (said.kind, said.asset, said.amount) == (MovementKind.DIVIDEND, "USD", 0)


def test_a_short_sale_is_a_sale():
    assert only("FILL", symbol="X", side="sell_short", quantity="1", price="5").side is Side.SELL


def test_an_execution_of_an_option_counts_a_hundred_shares():
    said = only("FILL", symbol=OPTION, side="buy", quantity="2", price="0.31")
    assert (said.base, said.quantity, said.price) == (OPTION, 2, 31)


def test_fills_of_one_instant_stand_in_the_order_of_their_order():
    ranks = [
        only("FILL", symbol="X", side="buy", quantity="1", price="5", filled=filled).sequence
        for filled in ("0.000000001", "2", "99999999999999999999.999999999999999999")
    ]
    assert ranks == [1, 2 * 10**9, 2**62]


@pytest.mark.parametrize(
    "type_,amount,kind",
    [
        ("CSD", "10", MovementKind.DEPOSIT),
        ("CSW", "-10", MovementKind.WITHDRAWAL),
        ("TRANS", "10", MovementKind.DEPOSIT),
        ("TRANS", "-10", MovementKind.WITHDRAWAL),
        ("ACATC", "10", MovementKind.DEPOSIT),
        ("DIV", "2.5", MovementKind.DIVIDEND),
        ("DIVNRA", "-0.75", MovementKind.DIVIDEND),
        ("INT", "1.37", MovementKind.INTEREST),
        ("INT", "-4", MovementKind.INTEREST),
        ("FEE", "-0.02", MovementKind.FEE),
        ("DIVFEE", "-0.02", MovementKind.FEE),
        ("PTC", "-1", MovementKind.FEE),
        ("PTR", "1", MovementKind.REBATE),
        ("SWP", "-3", MovementKind.UNCLASSIFIED),
        ("BRANDNEW", "3", MovementKind.UNCLASSIFIED),
    ],
)
def test_a_row_of_money(type_, amount, kind):
    said = only(type_, amount=amount, description="in words")
    assert (said.kind, said.asset, said.amount) == (kind, "USD", D(amount))
    assert (said.label, said.note, said.group) == (type_, "in words", None)
    assert said.executed_at == DAY


def test_a_row_in_another_currency():
    assert only("CSD", amount="10", currency="EUR").asset == "EUR"


def test_the_shares_of_a_dividend_stay_where_they_are():
    said = only("DIV", symbol="AAPL", quantity="10", amount="2.5", per_share="0.25")
    assert (said.asset, said.amount) == ("USD", D("2.5"))


def test_a_fee_in_coins_is_worth_its_price_and_comes_at_the_end_of_its_day():
    said = only("CFEE", symbol="BTCUSD", quantity="-0.000025", price="60000", amount="0")
    assert (said.kind, said.asset, said.amount) == (MovementKind.FEE, "BTC", D("-0.000025"))
    assert said.rates == (Rate("BTC", "USD", D(60000), "alpaca", DAY),)
    assert show(said.executed_at) == "2025-01-09T04:59:59.999999999Z"


def test_a_fee_of_a_coin_that_is_new():
    assert only("CFEE", symbol="NEWCOINUSD", quantity="-1").asset == "NEWCOIN"


def test_a_fee_in_money_though_it_names_a_coin():
    said = only("CFEE", symbol="BTCUSD", quantity="-1", amount="-0.25")
    assert (said.asset, said.amount) == ("USD", D("-0.25"))


@pytest.mark.parametrize("symbol", ["ETH", "ETHUSD", "ETH/USD"])
@pytest.mark.parametrize("quantity, kind", [("2", "DEPOSIT"), ("-2", "WITHDRAWAL")])
def test_coins_that_move_on_their_chain_are_the_owners(symbol, quantity, kind):
    said = only("OCT", symbol=symbol, quantity=quantity, amount="0")
    assert (said.asset, said.amount, said.kind) == ("ETH", D(quantity), MovementKind[kind])


def test_a_coin_whose_name_ends_as_a_quote_does_is_itself():
    assert only("OCT", symbol="WBTC", quantity="1").asset == "WBTC"


def test_coins_that_leave_on_their_chain_do_so_at_midnight():
    for symbol in ("ETH", "NEWCOINUSD"):
        assert only("OCT", symbol=symbol, quantity="-5").executed_at == days.ends(DAY)


def test_securities_that_come_free_of_payment_are_the_owners():
    said = only("FOPT", symbol="AAPL", quantity="5", price="200")
    assert (said.asset, said.amount, said.kind) == ("AAPL", D(5), MovementKind.DEPOSIT)


def test_a_bond_that_matures_goes_for_what_is_paid():
    said = only("FIMAT", symbol="912796ZZ0", quantity="-1000", amount="1000")
    assert (said.side, said.quantity, said.amount) == (Side.SELL, D(1000), D(1000))


def test_shares_that_come_count_just_after_a_split_of_the_day_and_those_that_go_before_the_next():
    come = only("ACATS", symbol="AAPL", quantity="5", price="200")
    went = only("ACATS", symbol="AAPL", quantity="-5")
    assert (come.kind, come.executed_at) == (MovementKind.DEPOSIT, days.starts(DAY) + 1)
    assert come.rates == (Rate("AAPL", "USD", D(200), "alpaca", DAY),)
    assert (went.kind, went.executed_at) == (MovementKind.WITHDRAWAL, days.closes(DAY))
    assert went.rates == ()


@pytest.mark.parametrize("type_", ["JNLS", "ACATS", "OPTRD", "OPEXP", "OPASN", "NEWS"])
def test_what_goes_on_the_eve_of_a_corporate_action_goes_before_it(type_):
    """New York's midnight is four hours after the next trading day has begun with its splits."""
    went = only(type_, symbol="AAPL", quantity="-5", amount="0")
    next_day = only("SPLIT", symbol="AAPL", quantity="-10", at=DAY + 86_400 * 10**9)
    assert went.executed_at == next_day.executed_at - 1


def test_coins_that_go_do_so_at_midnight_since_they_are_traded_until_then():
    for symbol in ("BTCUSD", "BTC/USD"):
        assert only("JNLS", symbol=symbol, quantity="-5").executed_at == days.ends(DAY)


def test_a_row_that_states_a_time_has_it():
    at = parse("2025-01-08T10:00:00Z")
    assert only("ACATS", symbol="AAPL", quantity="-5", at=at).executed_at == at


def test_coins_that_come_by_a_deposit():
    said = only("CSD", symbol="BTC/USD", quantity="0.5", amount="0")
    assert (said.asset, said.amount, said.kind) == ("BTC", D("0.5"), MovementKind.DEPOSIT)


@pytest.mark.parametrize(
    "type_,named,asset,amount",
    [
        ("JNLC", {"amount": "-7", "description": "to savings"}, "USD", "-7"),
        ("JNLC", {"amount": "7"}, "USD", "7"),
        ("JNLS", {"symbol": "AAPL", "quantity": "2", "price": "9"}, "AAPL", "2"),
        ("JNL", {"symbol": "AAPL", "quantity": "2"}, "AAPL", "2"),
    ],
)
def test_a_journal_is_a_transfer_of_capital(type_, named, asset, amount):
    said = only(type_, **named)
    assert isinstance(said, CashFlow)
    assert (said.kind, said.asset, said.amount) == (FlowKind.TRANSFER, asset, D(amount))
    assert said.note == named.get("description", type_)


@pytest.mark.parametrize("words", ["promotion", "Referral bonus", "your REWARD", "promo: 5 off"])
def test_a_gift_by_journal_is_no_capital(words):
    said = only("JNLC", amount="5", description=words)
    assert (said.kind, said.label, said.note) == (MovementKind.REWARD, "JNLC", words)


def test_words_that_only_begin_like_a_gift_are_none():
    assert isinstance(only("JNLC", amount="5", description="promoted to rewards desk"), CashFlow)


def test_the_rows_of_a_split_are_one_group_at_the_start_of_their_day():
    named = {"symbol": "ACME", "amount": "0", "price": "7"}
    old = only("SPLIT", quantity="-33", description="REMOVE, From QTY:33, To QTY:1.65", **named)
    new = only("SSP", quantity="1.65", **named)
    assert {old.kind, new.kind} == {MovementKind.SPLIT}
    assert old.group == new.group == "alpaca:main:split:2025-01-08:ACME"
    assert (old.label, new.label) == ("SPLIT/REMOVE", "SSP")
    assert show(old.executed_at) == show(new.executed_at) == "2025-01-08T01:00:00Z"


def test_the_rows_of_a_new_name_are_one_group():
    old = only("NC", symbol="OLD", quantity="-7")
    new = only("SC", symbol="NEW", quantity="7", description="add")
    assert old.group == new.group == "alpaca:main:rename:2025-01-08"
    assert (old.kind, new.label) == (MovementKind.RENAME, "SC/ADD")


def test_money_in_a_row_of_shares_is_seen():
    shares, money = stated("JNLS", symbol="X", quantity="2", amount="0.01")
    assert (shares.asset, money.asset, money.amount) == ("X", "USD", D("0.01"))
    units, stray = stated("SPLIT", symbol="X", quantity="2", amount="0.01")
    assert (units.kind, stray.kind) == (MovementKind.SPLIT, MovementKind.UNCLASSIFIED)
    assert (stray.group, stray.label) == (None, "SPLIT")
    assert len({units.id, stray.id}) == 2


def test_a_merger_for_money_in_one_row_is_an_exchange_of_its_own():
    money, shares = stated("MA", symbol="X", quantity="-2", amount="50")
    assert {money.kind, shares.kind} == {MovementKind.CONVERSION}
    assert money.group == shares.group == "alpaca:main:1::x/exchange"
    assert (money.id, shares.id) == ("alpaca:main:1::x", "alpaca:main:1::x/units")
    assert (money.amount, shares.amount) == (50, -2)
    assert money.executed_at == shares.executed_at


def test_a_merger_in_several_rows_is_tied_by_its_group_or_its_day():
    out = only("MA", symbol="X", quantity="-2", group_id="g-1")
    assert (out.group, out.id) == ("alpaca:main:g-1", "alpaca:main:1::x")
    assert only("MA", symbol="Y", quantity="2").group == "alpaca:main:exchange:2025-01-08"
    assert only("REORG", amount="8.29").group == "alpaca:main:exchange:2025-01-08"


def test_a_quantity_that_goes_the_way_of_the_money_only_informs():
    said = only("CIL", symbol="X", quantity="0.5", amount="5")
    assert (said.asset, said.amount) == ("USD", 5)
    said = only("BRANDNEW", symbol="X", quantity="-10", amount="5", per_share="0.5")
    assert (said.asset, said.amount) == ("USD", 5)


def test_an_unknown_row_that_moves_shares():
    said = only("NEWS", symbol="NEW", quantity="0.2", price="0", amount="0")
    assert (said.kind, said.asset, said.amount) == (MovementKind.UNCLASSIFIED, "NEW", D("0.2"))
    assert said.rates == ()
    both = stated("BRANDNEW", symbol="X", quantity="-1", amount="5")
    assert [(each.asset, each.kind) for each in both] == [
        ("USD", MovementKind.UNCLASSIFIED),
        ("X", MovementKind.UNCLASSIFIED),
    ]


@pytest.mark.parametrize("type_", ["ACATS", "JNLS", "NEWS"])
def test_a_contract_that_comes_is_worth_a_hundred_times_its_price(type_):
    (units, *_) = stated(type_, symbol=OPTION, quantity="2", amount="0", price="0.19")
    assert [(rate.asset, rate.value) for rate in units.rates] == [(OPTION, 19)]


def test_a_fund_that_gives_out_its_gains_pays_a_dividend():
    for sub_type in ("LTCG", "STCG"):
        said = only("CGD", amount="45.86", quantity="0", price="0", sub_type=sub_type)
        assert (said.kind, said.asset, said.amount) == (MovementKind.DIVIDEND, "USD", D("45.86"))


@pytest.mark.parametrize(
    "type_,quantity,side", [("OPEXP", "-2", Side.SELL), ("OPASN", "2", Side.BUY)]
)
def test_an_option_ends_at_nothing(type_, quantity, side):
    said = only(type_, symbol=OPTION, quantity=quantity, amount="0", price="0")
    assert isinstance(said, Fill)
    assert (said.side, said.quantity, said.amount, said.value) == (side, D(2), D(0), D(0))
    assert show(said.executed_at) == "2025-01-09T00:59:59.999999999Z"


def test_the_trade_that_follows_an_option_is_at_what_was_paid():
    said = only("OPTRD", symbol="AAPL", quantity="200", amount="-30000", price="90")
    assert (said.side, said.quantity, said.amount, said.value) == (Side.BUY, 200, 30000, None)
    said = only("OPTRD", symbol="AAPL", quantity="-200", amount="0", price="150")
    assert (said.side, said.amount, said.price) == (Side.SELL, None, 150)


def test_an_option_row_that_makes_no_trade_is_unclassified():
    said = only("OPTRD", symbol="AAPL", quantity="200", amount="30000")
    assert isinstance(said, Movement)
    assert (said.kind, said.asset) == (MovementKind.UNCLASSIFIED, "USD")


@pytest.mark.parametrize("type_", ["CSW", "JNLC", "MA", "FILL"])
@pytest.mark.parametrize(
    "status,source", [("canceled", Source.CANCELLATION), ("correct", Source.CORRECTION)]
)
def test_what_a_venue_corrects_or_cancels_is_the_same_row_by_a_better_source(type_, status, source):
    row = {"symbol": "X", "quantity": "2", "amount": "-50", "price": "25", "side": "buy"}
    plain, said = stated(type_, **row), stated(type_, **row, status=status)
    assert [each.source for each in said] == [source] * len(plain)
    assert said == tuple(msgspec.structs.replace(each, source=source) for each in plain)


def test_a_status_that_nobody_knows_is_unclassified():
    said = only("CSD", amount="5", status="odd")
    assert (said.kind, said.label) == (MovementKind.UNCLASSIFIED, "CSD/odd")


def test_no_digit_is_lost_in_the_callers_context():
    wide = "12345678901234567890.123456789012345678"
    said = only("FILL", symbol=OPTION, side="buy", quantity="1", price="0." + "1" * 18)
    assert said.price == D("11." + "1" * 16)
    assert only("CSD", amount=wide).amount == D(wide)
