"""Binance's exports cell by cell: what is asked of each, and what becomes of a row."""

from decimal import Decimal

import pytest

from bursar.errors import BursarError, Malformed, UnknownAsset
from bursar.ledger.entries import Fee, MarginFill, Movement, MovementKind, Source
from bursar.venue.files import read

NEW = "Date(UTC),Pair,Side,Price,Executed,Amount,Fee"
OLD = "Date(UTC),Market,Type,Price,Amount,Total,Fee,Fee Coin"
HISTORY = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark"
FUTURES = "Date(UTC),type,Amount,Asset,Symbol,Transaction ID"
NEW_ROW = '2025-03-01 12:00:00,BTCUSDT,BUY,"60,000.01",0.006BTC,"1,360.00006USDT",0.00045BNB'
OLD_ROW = "2025-03-01 12:00:00,BTCUSDT,BUY,60000.01,0.0060,1360.00006000,0.000450,BNB"
HISTORY_ROW = "1,2025-03-01 12:00:00,Spot,Transaction Buy,BTC,0.006,"
FUTURES_ROW = "2025-03-09 10:00:00,REALIZED_PNL,0.50,USDT,BTCUSDT,77"


@pytest.fixture
def given(tmp_path):
    def write(header, *lines, name="export.csv"):
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    return write


def statements(path):
    return read(path).statements


def ids(path):
    return [said.id for said in read(path).statements]


@pytest.mark.parametrize(
    "header,row,change,column",
    [
        (NEW, NEW_ROW, ("2025-03-01 12:00:00", "yesterday"), "date(utc)"),
        (NEW, NEW_ROW, ("2025-03-01 12:00:00", "25-13-01 12:00:00"), "date(utc)"),
        (NEW, NEW_ROW, ("BUY", "HOLD"), "side"),
        (NEW, NEW_ROW, ('"60,000.01"', '"60,00.01"'), "price"),
        (NEW, NEW_ROW, ('"60,000.01"', "-60000"), "price"),
        (NEW, NEW_ROW, ("0.006BTC", "0.006ETH"), "executed"),
        (NEW, NEW_ROW, ("0.006BTC", "0.006"), "executed"),
        (NEW, NEW_ROW, ('"1,360.00006USDT"', "1360.00006"), "amount"),
        (NEW, NEW_ROW, ('"1,360.00006USDT"', '"1,3,60USDT"'), "amount"),
        (NEW, NEW_ROW, ("0.00045BNB", "0.00045"), "fee"),
        (NEW, NEW_ROW, ("0.00045BNB", "free"), "fee"),
        (OLD, OLD_ROW, ("BTCUSDT", "WHATEVER"), "market"),
        (OLD, OLD_ROW, ("BUY", ""), "type"),
        (OLD, OLD_ROW, ("0.0060", "-0.0060"), "amount"),
        (OLD, OLD_ROW, ("1360.00006000", "much"), "total"),
        (OLD, OLD_ROW, ("0.000450", "x"), "fee"),
        (OLD, OLD_ROW, (",BNB", ","), "fee coin"),
        (HISTORY, HISTORY_ROW, ("2025-03-01 12:00:00", "1/3/2025"), "utc_time"),
        (HISTORY, HISTORY_ROW, ("Spot", ""), "account"),
        (HISTORY, HISTORY_ROW, ("Transaction Buy", " "), "operation"),
        (HISTORY, HISTORY_ROW, ("BTC", ""), "coin"),
        (HISTORY, HISTORY_ROW, ("0.006", ""), "change"),
        (HISTORY, HISTORY_ROW, ("0.006", "NaN"), "change"),
        (HISTORY, HISTORY_ROW, ("0.006", '"0,006"'), "change"),
        (OLD, OLD_ROW, ("0.0060", '"0,006"'), "amount"),
        (FUTURES, FUTURES_ROW, ("REALIZED_PNL", ""), "type"),
        (FUTURES, FUTURES_ROW, ("0.50", "0.5O"), "amount"),
        (FUTURES, FUTURES_ROW, ("USDT,", ","), "asset"),
    ],
)
def test_a_bad_cell_is_named(given, header, row, change, column):
    good = row.replace("12:00:00", "11:00:00").replace("10:00:00", "09:00:00")
    path = given(header, good, row.replace(*change, 1))
    with pytest.raises(BursarError) as caught:
        read(path)
    context = caught.value.context
    assert (context["file"], context["line"], context["column"]) == ("export.csv", 3, column)
    assert caught.value.message.startswith(
        "export.csv, line 3, column {column}: {value}, expected ".format(**context)
    )
    assert isinstance(caught.value, UnknownAsset if column == "market" else Malformed)


@pytest.mark.parametrize("column", ["Side", "Fee", "Price"])
def test_a_column_that_is_missing_is_named(given, column):
    header = NEW.replace(f",{column}", ",Other", 1)
    with pytest.raises(Malformed, match=f"no column '{column.lower()}'"):
        read(given(header, NEW_ROW))


def test_both_trade_histories_say_the_same(given):
    (new,), (old,) = (statements(given(*each)) for each in ((NEW, NEW_ROW), (OLD, OLD_ROW)))
    assert new == old
    assert new.id == "binance:main:20250301T120000Z/BTC-USDT/buy/0.006/1360.00006/0.00045BNB#1"
    assert (new.source, new.group) == (Source.TRADES, "binance:main:trades/spot/2025-03-01T12")
    assert (new.pair, new.quantity, new.amount, new.price) == (
        "BTC/USDT",
        Decimal("0.006"),
        Decimal("1360.00006"),
        Decimal("60000.01"),
    )


def test_a_spreadsheets_trade_history_saved_as_csv_says_the_same(given):
    header = OLD.replace("Market", "Pair,Base Asset,Quote Asset")
    told = OLD_ROW.replace("BTCUSDT", "BTC/USDT,BTC,USDT")
    assert statements(given(header, told)) == statements(given(OLD, OLD_ROW))


def test_a_short_year_and_a_missing_fee(given):
    short = NEW_ROW.replace("2025-", "25-").replace("0.00045BNB", "-")
    (said,) = statements(given(NEW, short))
    assert (said.executed_at, said.fees) == (
        statements(given(NEW, NEW_ROW))[0].executed_at,
        (),
    )
    for fee in ("0.00000000,BNB", ",", "-,-", "0,"):
        (said,) = statements(given(OLD, OLD_ROW.replace("0.000450,BNB", fee)))
        assert said.fees == ()


@pytest.mark.parametrize("coin", ["BTC", "USDT", "BNB"])
def test_a_rebate_is_a_fee_below_zero(coin, given):
    for header, row, was, fee in (
        (NEW, NEW_ROW, "0.00045BNB", f"-0.0001{coin}"),
        (OLD, OLD_ROW, "0.000450,BNB", f"-0.0001,{coin}"),
    ):
        (said,) = statements(given(header, row.replace(was, fee)))
        assert said.fees == (Fee(coin, Decimal("-0.0001")),)


NAMED_BY_ZONE = [
    ("Binance-Transaction-History-202608242240(UTC+3)-part1-of1.csv", "25-03-01 15:00:00"),
    ("history(UTC--6)_abcd.csv", "2025-03-01 06:00:00"),
    ("history(UTC-3:30) (1).csv", "25-03-01 08:30:00"),
    ("history(UTC+0).csv", "25-03-01 12:00:00"),
    ("history(UTC).csv", "25-03-01 12:00:00"),
    ("history(UTC+14).csv", "25-03-02 02:00:00"),
]


@pytest.mark.parametrize("name,time", NAMED_BY_ZONE)
@pytest.mark.parametrize(
    "header,row", [(HISTORY, HISTORY_ROW), (NEW, NEW_ROW), (FUTURES, FUTURES_ROW)]
)
def test_a_time_without_a_zone_is_in_that_of_the_files_name(given, name, time, header, row):
    utc = row.replace("2025-03-09 10:00:00", "2025-03-01 12:00:00")
    named = header.replace("User_ID,UTC_Time", "User ID,Time").replace("Date(UTC)", "Time")
    path = given(named, utc.replace("2025-03-01 12:00:00", time), name=name)
    assert statements(path) == statements(given(header, utc))


@pytest.mark.parametrize("name", ["history.csv", "history(UTC+3)(UTC+0).csv", "x(GMT+3).csv"])
def test_a_time_that_no_name_places_is_refused(given, name):
    header = HISTORY.replace("UTC_Time", "Time")
    with pytest.raises(Malformed, match=r"line 1, column time: .* the zone of its times") as caught:
        read(given(header, HISTORY_ROW, name=name))
    assert (caught.value.context["file"], caught.value.context["column"]) == (name, "time")


@pytest.mark.parametrize(
    "header,row", [(HISTORY, HISTORY_ROW), (NEW, NEW_ROW), (FUTURES, FUTURES_ROW)]
)
def test_a_column_of_times_may_be_called_utc_by_hand(given, header, row):
    said = header.replace("Date(UTC)", "UTC_Time")
    assert statements(given(said, row, name="of.csv")) == statements(given(header, row))


@pytest.mark.parametrize(
    "header,row,said",
    [
        (HISTORY, HISTORY_ROW, said)
        for said in (
            "Identifiant utilisateur,Durée,Compte,Opération,Jeton,Change,Remarque",
            "ID de usuario,Tiempo,Cuenta,Operación,Moneda,Cambio,Observación",
            "ID do Usuário,Tempo,Conta,Operação,Moeda,Alterar,Observação",
        )
    ]
    + [
        (NEW, NEW_ROW, "Durée,Paire,Côté,Prix,Exécuté,Montant,Frais"),
        (NEW, NEW_ROW, "Tiempo,Par,Lado,Precio,Ejecutado,Cantidad,Tarifa"),
    ],
)
def test_columns_may_be_named_in_the_language_of_who_exports(given, header, row, said):
    expected = statements(given(header, row))
    assert statements(given(said, row, name="of(UTC+0).csv")) == expected
    with pytest.raises(Malformed, match=r"here\.csv.*UTC_Time"):
        read(given(said, row, name="here.csv"))
    time = next(name for name in said.split(",") if name in {"Durée", "Tiempo", "Tempo"})
    assert statements(given(said.replace(time, "UTC_Time"), row)) == expected
    with pytest.raises(Malformed, match=f"column {time.casefold()}: 'soon'"):
        read(given(said, row.replace("2025-03-01 12:00:00", "soon"), name="of(UTC+0).csv"))


def test_equal_rows_are_counted_and_overlaps_join(given):
    two = ids(given(NEW, NEW_ROW, NEW_ROW))
    assert [each[-2:] for each in two] == ["#1", "#2"]
    assert ids(given(NEW, NEW_ROW)) == two[:1]
    rows = [HISTORY_ROW, HISTORY_ROW, HISTORY_ROW.replace("0.006", "0.0060")]
    three = ids(given(HISTORY, *rows))
    assert set(ids(given(HISTORY, *rows[:2]))) < set(three)
    assert len(set(three)) == 3


def test_equal_rows_in_two_files_are_as_many_as_the_fuller_file_has(given):
    """A file that is cut between two equal rows of one second cannot be told from an overlap."""
    full = ids(given(NEW, NEW_ROW, NEW_ROW, name="full.csv"))
    first, second = ids(given(NEW, NEW_ROW, name="1.csv")), ids(given(NEW, NEW_ROW, name="2.csv"))
    assert {*first, *second} == {full[0]}
    assert {*first, *full} == set(full)


def test_rows_of_equal_content_are_numbered_by_what_they_are_in_any_order(given):
    rows = [HISTORY_ROW, HISTORY_ROW.replace("Transaction Buy", "Distribution")]
    forward = {said.id: said.kind for said in statements(given(HISTORY, *rows))}
    back = {said.id: said.kind for said in statements(given(HISTORY, *rows[::-1]))}
    assert forward == back
    prices = [NEW_ROW, NEW_ROW.replace("60,000.01", "60,000.02")]
    forward = {said.id: said.price for said in statements(given(NEW, *prices))}
    back = {said.id: said.price for said in statements(given(NEW, *prices[::-1]))}
    assert forward == back
    assert len(back) == 2


def test_newest_first_is_turned_round(given):
    later = NEW_ROW.replace("12:00:00", "12:00:01")
    rows = [later, NEW_ROW.replace("0.006BTC", "0.007BTC"), NEW_ROW]
    said = statements(given(NEW, *rows))
    assert [each.sequence for each in said] == [0, 1, 0]
    assert said[0].executed_at < said[2].executed_at
    assert str(said[1].quantity) == "0.007"


def test_a_row_of_the_history(given):
    header = "Change,Coin,Operation,UTC_Time,Account"
    (said,) = read(
        given(header, "3.605E-05,LDUSDT,Something New,2025-03-01 12:00:00,Spot")
    ).statements
    assert isinstance(said, Movement)
    assert (said.kind, said.asset, said.code) == (MovementKind.UNCLASSIFIED, "USDT", "LDUSDT")
    assert (said.amount, said.pocket, said.label) == (
        Decimal("0.00003605"),
        "earn",
        "Something New",
    )
    assert (said.group, said.note, said.source) == (None, None, Source.LEDGER)


@pytest.mark.parametrize("kind,paid", [("Flexible", "Interest"), ("Locked", "Rewards")])
def test_what_simple_earn_earned_is_told_twice_and_counted_where_it_is_paid(given, kind, paid):
    earned = f"1,2026-03-10 12:00:00,Earn,Simple Earn {kind} - Rewards Income,USDC,2,Binance Earn"
    into = f"1,2026-03-10 13:00:00,Spot,Simple Earn {kind} {paid},USDC,2,"
    reading = read(given(HISTORY, earned, into))
    (said,) = reading.statements
    assert isinstance(said, Movement)
    assert (said.kind, said.amount, said.pocket) == (MovementKind.REWARD, Decimal(2), None)
    assert (reading.rows, reading.repeated, reading.unknown) == (2, 1, ())
    (alone,) = read(given(HISTORY, earned.replace(",Earn,", ",Spot,"))).statements
    assert isinstance(alone, Movement)
    assert alone.kind is MovementKind.REWARD


def test_what_nobody_knows_is_reported_by_name(given):
    odd = HISTORY_ROW.replace("Transaction Buy", "Something New")
    reading = read(given(HISTORY, HISTORY_ROW, odd, odd))
    assert reading.unknown == ("Something New 2×",)
    assert reading.rows == len(reading.statements) == 3


def test_fees_are_charges_and_swaps_have_groups_of_their_own(given):
    fee = "1,2025-03-01 12:00:00,Spot,Fee,BNB,-0.1,kept back"
    swap = "1,2025-03-01 12:00:00,Funding,Binance Convert,USDT,-5,"
    margin = "1,2025-03-01 12:00:00,Cross Margin,Buy,BTC,1,"
    charged, swapped, bought = statements(given(HISTORY, fee, swap, margin))
    assert (charged.amount, charged.fee, charged.note) == (0, Decimal("0.1"), "kept back")
    assert charged.group == "binance:main:trades/spot/2025-03-01T12"
    assert (swapped.group, swapped.pocket) == ("binance:main:convert/2025-03-01T12", "funding")
    assert bought.group == "binance:main:trades/cross margin/2025-03-01T12"


@pytest.mark.parametrize(
    "symbol,pair",
    [
        ("BTCUSD_PERP", "BTC/USD:BTC"),
        ("BNBUSD_PERP", "BNB/USD:BTC"),
        ("BNBUSD_250926", "BNB/USD:BTC-250926"),
        ("BTCUSD_250926", "BTC/USD:BTC-250926"),
    ],
)
def test_a_history_of_coin_margined_futures_is_of_their_wallet(given, symbol, pair):
    rows = (
        "2025-03-09 09:00:00,TRANSFER,1,BTC,,76",
        f"2025-03-09 10:00:00,REALIZED_PNL,0.01,BTC,{symbol},77",
    )
    arrived, moved, market = statements(given(FUTURES, *rows))
    assert arrived.pocket == moved.pocket == market.pocket == "coin-m futures"
    assert market.pair == pair
    # The transaction history tells the same movements, so they are told once.
    wallet = "1,2025-03-09 09:00:00,Coin-M Futures,Transfer Between Spot and Futures,BTC,1,"
    settled = "1,2025-03-09 10:00:00,Coin-M Futures,Realized Profit and Loss,BTC,0.01,"
    assert ids(given(HISTORY, wallet, settled)) == [arrived.id, moved.id]


@pytest.mark.parametrize("symbol", ["BTCUSDT_250926", "BTCBUSD_210129", "ETHBUSD"])
def test_a_term_in_dollar_coins_is_of_usd_m(given, symbol):
    rows = (
        "2025-03-09 09:00:00,TRANSFER,1,BNB,,76",
        f"2025-03-09 10:00:00,COMMISSION,-0.01,BNB,{symbol},77",
    )
    assert {said.pocket for said in statements(given(FUTURES, *rows))} == {"usd-m futures"}


def test_of_two_wallets_in_one_file_only_rows_of_a_coins_market_are_of_the_coins(given):
    rows = (
        "2025-03-09 09:00:00,TRANSFER,1,BTC,,76",
        "2025-03-09 10:00:00,FUNDING_FEE,-0.01,BTC,BTCUSD_PERP,77",
        "2025-03-09 11:00:00,FUNDING_FEE,-0.01,USDT,BTCUSDT,78",
    )
    told = [said.pocket for said in statements(given(FUTURES, *rows))]
    assert told == ["usd-m futures", "coin-m futures", "usd-m futures"]


def test_the_futures_history_names_the_market(given):
    moved, market = statements(given(FUTURES, FUTURES_ROW))
    assert isinstance(moved, Movement)
    assert isinstance(market, MarginFill)
    assert (market.id, market.group) == (f"{moved.id}/margin", moved.id)
    assert (market.pair, market.base, market.quote) == ("BTC/USDT:USDT", "BTC", "USDT")
    assert moved.pocket == market.pocket == "usd-m futures"
    dated = FUTURES_ROW.replace("BTCUSDT", "BTCUSDT_250926").replace("USDT,", "BNB,", 1)
    assert statements(given(FUTURES, dated))[1].pair == "BTC/USDT:BNB-250926"
    for symbol in ("", "NOBODYKNOWS"):
        unnamed = FUTURES_ROW.replace("BTCUSDT", symbol)
        assert len(statements(given(FUTURES, unnamed))) == 1
    transfer = FUTURES_ROW.replace("REALIZED_PNL", "TRANSFER")
    assert len(statements(given(FUTURES, transfer))) == 1


def test_a_transaction_id_is_one_row_of_its_type_asset_and_market(given):
    fee = FUTURES_ROW.replace("REALIZED_PNL", "COMMISSION")
    bare = FUTURES_ROW.replace(",77", ",")
    reading = read(given(FUTURES, FUTURES_ROW, fee, FUTURES_ROW, bare, bare))
    assert (reading.rows, reading.repeated) == (5, 1)
    moved = [said for said in reading.statements if isinstance(said, Movement)]
    assert len({said.id for said in moved}) == 4
    other = FUTURES_ROW.replace(",77", ",78")
    assert len(ids(given(FUTURES, FUTURES_ROW, other))) == 4


def test_a_row_of_both_histories_is_one(given):
    history = "1,2025-03-09 10:00:00,USD-M Futures,Realized Profit and Loss,USDT,0.5,"
    assert ids(given(HISTORY, history))[0] == ids(given(FUTURES, FUTURES_ROW))[0]


@pytest.mark.parametrize("header", [NEW, OLD, HISTORY, FUTURES])
def test_a_file_without_rows_says_nothing(given, header):
    reading = read(given(header))
    assert (reading.rows, reading.statements, reading.unknown) == (0, (), ())
