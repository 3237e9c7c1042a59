"""A service that follows the fake Binance: the book equals the venue's truth, and what does not is
found.
"""

import csv
from fractions import Fraction
from functools import cache
from random import Random

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.entries import Fill
from bursar.ledger.names import canonical
from bursar.ledger.openings import is_opening
from bursar.portfolio.agreement import last_certificate
from bursar.reconcile import Verdict
from bursar.reconcile.certificate import sentence
from bursar.sim.binance import Fault, Planting, invent, plant, truth
from bursar.sim.binance.account import (
    CONVERSIONS,
    EARN,
    FUNDING,
    FUTURES,
    INCOME,
    MS,
    TRADES,
    Row,
)
from bursar.sim.binance.market import MARKETS, UNIT, text
from bursar.venue.binance.history import Options
from tests import figures
from tests.venue.following import at_binance

SEED = figures.SEED
ACCOUNTS = 3
LONG_AGO = instant.parse("2021-01-01")


@pytest.fixture
def follower():
    """Make a service that is to follow an account."""
    made = []

    def make(account, **options):
        made.append(at_binance(account, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def followed(follower):
    """Make a service that follows an account, and let it do its first sync."""

    def make(account, **options):
        following = follower(account, **options)
        following.done = following.initialize()
        return following

    return make


@cache
def undisturbed():
    """A small account, the digest of its book where nothing goes wrong, and how many requests."""
    account = invent(SEED, 32)
    following = at_binance(account)
    assert following.initialize().is_whole
    digest = following.service.portfolio.digest()
    following.close()
    return account, digest, len(following.fake.asked)


def held(following):
    balances = following.service.get_balances()
    return {each.asset: Fraction(each.total) for each in balances if each.total}


def asked(following, path):
    return [each for each in following.fake.asked if each.path.endswith(path)]


def test_after_a_sync_the_book_equals_the_venues_truth(followed):
    for number in range(ACCOUNTS):
        size = Random(SEED + number).randint(40, 140)
        account = invent(SEED + number, size)
        following = followed(account)
        (done,) = following.done.accounts
        assert done.failure is None, (number, size)
        assert done.conflicts == ()
        assert held(following) == truth(account, following.clock.now()), (number, size)
        (found,) = following.service.get_drift()
        assert (found.verdict, found.breaks) == (Verdict.EQUAL, ()), (number, size)
        fills = [each for each in following.service.portfolio.timeline if type(each) is Fill]
        assert len(fills) == sum(row.path == TRADES for row in account.rows)
        assert all(each.order_id and not each.flags for each in fills)
        assert following.service.portfolio.gaps() == ()
        assert following.service.portfolio.verify().is_sound
        assert following.venue.client.notices == following.venue.client.notices.__class__()


def test_at_every_moment_of_its_life_the_account_agrees(followed):
    # Deposits and withdrawals are under way for hours: each sync sees another part of it.
    account = invent(SEED, 70)
    moments = sorted({row.at for row in account.rows} | {row.settled for row in account.rows})
    following = followed(account, start=moments[len(moments) // 4] + instant.SECOND)
    for at in [*moments[len(moments) // 4 :: 11], account.end]:
        following.at(at + instant.SECOND)
        (done,) = following.sync().accounts
        assert (done.failure, done.conflicts, done.drift_detected) == (None, (), False)
        assert held(following) == truth(account, following.clock.now())
    again = followed(account)
    assert again.service.portfolio.digest() == following.service.portfolio.digest()


def test_the_first_sync_is_certified_and_kept(followed):
    following = followed(invent(SEED, 120))
    (said,) = following.done.certificates
    assert "books equal venue as of" in said
    assert ", 0 unexplained" in said
    kept = last_certificate(following.service.portfolio, "binance:main")
    assert kept is not None
    assert sentence(kept) == said


def test_a_sync_without_news_takes_eight_requests_and_writes_nothing(followed):
    following = followed(invent(SEED, 120))
    head, before = following.store.head(), len(following.fake.asked)
    memos = following.store.memos()
    done = following.sync()
    paths = [each.path.rpartition("v1/")[2].rpartition("v3/")[2] for each in following.fake.asked]
    assert paths[before:] == [
        "time",
        "account",
        "account",
        "account",
        "asset/get-funding-asset",
        "simple-earn/flexible/position",
        "simple-earn/locked/position",
        "account",
    ]
    assert (following.store.head(), done.accounts[0].new_entries) == (head, 0)
    assert following.store.memos() == memos
    following.service = following.made()  # a new process looks at every list, and finds no news
    done = following.sync()
    assert done.accounts[0].new_entries == 0
    assert following.store.memos() == memos


def test_only_markets_that_may_explain_a_change_are_asked_for_trades(followed):
    account = invent(SEED, 90)
    rows = sorted(account.rows, key=lambda row: row.at)
    place = max(number for number, row in enumerate(rows) if row.path == TRADES)
    following = followed(account, start=rows[place].at - 2 * instant.SECOND)  # a sync takes one
    first = {each.fields["symbol"] for each in asked(following, "myTrades")}
    assert first <= set(MARKETS) - {"BTCEUR"}
    before = len(asked(following, "myTrades"))
    following.at(account.end)
    following.sync()
    traded = {row.symbol for row in rows[place:] if row.path == TRADES}
    late = {each.fields["symbol"] for each in asked(following, "myTrades")[before:]}
    assert traded <= late
    assert held(following) == truth(account, following.clock.now())


def test_a_round_trip_in_a_market_that_was_never_traded_in_is_found(followed):
    # Bought and sold between two syncs: of the coin nothing is left that would tell of it.
    account = invent(SEED, 80)
    following = followed(account)
    at, rows = account.end + instant.DAY, []
    for number, (is_buy, cost) in enumerate(((True, 90 * UNIT), (False, 95 * UNIT))):
        told = {"symbol": "LTCUSDT", "id": 5 + number, "orderId": number, "price": "90"}
        told |= {"qty": "1", "quoteQty": text(cost), "commission": "0", "commissionAsset": "BNB"}
        told |= {"time": (at + number * instant.SECOND) // 10**6, "isBuyer": is_buy}
        sign = 1 if is_buy else -1
        moves = (("spot", "LTC", sign * UNIT), ("spot", "USDT", -sign * cost))
        row = account.rows[0].__class__(
            path=TRADES, at=at + number * instant.SECOND, told=told, moves=moves, symbol="LTCUSDT"
        )
        rows.append(row)
    later = msgspec.structs.replace(account, rows=(*account.rows, *rows))
    following.fake.house.account = later
    following.at(later.end)
    (done,) = following.sync().accounts
    assert (done.new_trades, done.drift_detected) == (2, False)
    assert held(following) == truth(later, following.clock.now())


def test_what_a_list_tells_a_little_later_is_no_drift_at_the_next_sync(followed):
    account = invent(SEED, 90)
    at = account.end + instant.DAY
    told = next(row for row in account.rows if row.path == CONVERSIONS and row.moves)
    own = {**told.told, "orderId": 1, "createTime": at // MS}
    late = msgspec.structs.replace(told, at=at, told=own)
    following = followed(account)
    house = following.fake.house
    house.account = msgspec.structs.replace(account, rows=(*account.rows, late))
    every = house.rows
    house.rows = lambda path: [row for row in every(path) if row is not late]
    following.at(at + instant.SECOND)
    assert following.sync().drift_detected
    house.rows = every
    following.at(at + 60 * instant.SECOND)
    (done,) = following.sync().accounts
    assert (done.new_entries > 0, done.drift_detected) == (True, False)
    assert held(following) == truth(house.account, following.clock.now())


def test_a_withdrawal_under_way_is_held_by_the_spot_wallet_and_no_break(follower):
    account = invent(SEED, 120)
    begun = min(row.at for row in account.rows if row.path.endswith("subscriptionRecord"))
    slow = [row for row in account.rows if row.takes and row.settled > row.at > begun]
    assert slow
    for row in slow:
        following = follower(account, start=row.at + instant.HOUR)
        assert not following.initialize().drift_detected
        (seen,) = following.service.get_drift()
        assert (seen.is_clean, seen.breaks, seen.proposals) == (True, (), ())
        ((_, asset, taken),) = row.takes
        (told,) = [each for each in following.service.get_balances() if each.asset == asset]
        assert told.reserved >= Fraction(-taken, UNIT)
        assert held(following) == truth(account, following.clock.now())


# ------------------------------------------------------------------------------ exports and the API


WALLETS = {"spot": "Spot", EARN: "Earn", FUNDING: "Funding", FUTURES: "USD-M Futures"}
OPERATIONS = {
    "hisrec": "Deposit",
    "history": "Withdraw",
    "tradeFlow": "Binance Convert",
    "dribblet": "Small Assets Exchange BNB",
    "assetDividend": "HODLer Airdrops Distribution",
    "transfer": "Transfer Between Main And Funding Wallet",
    "subscriptionRecord": "Simple Earn Flexible Subscription",
    "redemptionRecord": "Simple Earn Flexible Redemption",
    "REALTIME": "Simple Earn Flexible Interest",
    "BONUS": "Simple Earn Flexible Rewards",
    "COMMISSION": "Fee",
    "REALIZED_PNL": "Realized Profit and Loss",
    "FUNDING_FEE": "Funding Fee",
}
TRADE = ("Transaction Buy", "Transaction Spend", "Transaction Fee")


def exported(account, folder):
    """What Binance's exports say of an account: transactions, spot trades, futures."""
    history, trades, futures = [], [], []
    for row in account.rows:
        stamp = instant.show(row.at - row.at % instant.SECOND).replace("T", " ").rstrip("Z")
        told = row.told
        kind = told.get("incomeType") or row.path.rpartition("/")[2]
        kinds = [OPERATIONS.get(told["type"] if kind == "rewardsRecord" else kind, "")] * 9
        if row.path == TRADES:
            named = ("price", "qty", "quoteQty", "commission", "commissionAsset")
            side = "BUY" if told["isBuyer"] else "SELL"
            trades.append([stamp, row.symbol, side, *(told[name] for name in named)])
            kinds = list(TRADE)
        if row.path == INCOME:
            named = ("incomeType", "income", "asset", "symbol", "tranId")
            futures.append([stamp, *(told[name] for name in named)])
        for name, (wallet, asset, units) in zip(kinds, row.moves, strict=False):
            remark = "Withdraw fee is included" if name == "Withdraw" else ""
            if units:
                history.append([stamp, WALLETS[wallet], name, asset, text(units), remark])
    heads = ["UTC_Time", "Account", "Operation", "Coin", "Change", "Remark"]
    olds = ["Date(UTC)", "Market", "Type", "Price", "Amount", "Total", "Fee", "Fee Coin"]
    own = ["Date(UTC)", "type", "Amount", "Asset", "Symbol", "Transaction ID"]
    return [
        written(folder / "history.csv", [heads, *history]),
        written(folder / "trades.csv", [olds, *trades]),
        written(folder / "futures.csv", [own, *futures]),
    ]


def written(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def test_exports_and_the_live_account_make_one_book_in_any_order(followed, follower, tmp_path):
    account = invent(SEED, 120)
    files = exported(account, tmp_path)
    paths = {row.path for row in account.rows if str(row.told.get("commission")).startswith("-")}
    assert {path.rpartition("/")[2] for path in paths} == {"myTrades", "userTrades"}  # rebates
    books = []
    for order in ("afa", "faf"):
        following = follower(account)
        for step in order:
            if step == "a":
                (done,) = following.initialize().accounts
                assert (done.failure, done.conflicts) == (None, ())
            else:
                review = following.service.portfolio.import_files(*files).receipt.review
                assert review.conflicts == ()
        assert held(following) == truth(account, following.clock.now()), order
        assert following.service.portfolio.verify().is_sound
        books.append(following.service.portfolio.digest())
    assert len(set(books)) == 1


# -------------------------------------------------------------------------------------------- drift


@pytest.mark.parametrize("kind", Planting)
def test_a_planted_difference_is_found_to_the_last_digit(followed, kind):
    account = invent(SEED + 1, 90)
    planted = plant(account, kind, seed=SEED)
    following = followed(planted.account)
    assert following.done.accounts[0].failure is None
    (seen,) = following.service.get_drift()
    sums: dict[str, Fraction] = {}
    for line in seen.comparison.differing:
        if line.is_asset:
            sums[line.asset] = sums.get(line.asset, Fraction(0)) + Fraction(line.difference)
    for fact in following.service.portfolio.timeline:
        if is_opening(fact):  # what was sold must have been there
            name = canonical(fact.asset)
            sums[name] = sums.get(name, Fraction(0)) + Fraction(fact.amount)
    assert sums == {canonical(asset): sum_ for asset, sum_ in planted.differences.items()}
    assert seen.breaks
    (said,) = {each.text for each in following.venue.client.notices}
    assert said.startswith("the spot wallet does not close: ")
    for asset, amount in planted.differences.items():
        assert f"{text(int(amount * UNIT)).rstrip('0').rstrip('.')} {asset}" in said


@pytest.mark.parametrize(
    "path,wallet", [("/sapi/v1/fiat/orders", "spot"), ("/sapi/v1/pay/transactions", FUNDING)]
)
def test_money_that_came_by_a_way_that_is_not_asked_for_is_drift(followed, path, wallet):
    account = invent(SEED, 60)
    at = account.rows[len(account.rows) // 2].at
    came = Row(path=path, at=at, told={"id": 1}, moves=((wallet, "USDT", 250 * UNIT),))
    following = followed(msgspec.structs.replace(account, rows=(*account.rows, came)))
    (done,) = following.done.accounts
    assert (done.failure, done.drift_detected) == (None, True)
    assert not asked(following, path)
    assert held(following) == truth(account, following.clock.now())  # nothing is made up for it
    (seen,) = following.service.get_drift()
    (line,) = [each for each in seen.comparison.differing if each.is_asset]
    assert (line.asset, line.difference) == ("USDT", 250)
    assert sum(shift.amount for each in seen.breaks for shift in each.shifts) == 250
    notices = " ".join(each.text for each in following.venue.client.notices)
    assert ("the spot wallet does not close: 250 USDT" in notices) is (wallet == "spot")


# ------------------------------------------------------------------------------------------ trouble


@pytest.mark.parametrize(
    "fault,value",
    [
        *((Fault.STATUS, 503), (Fault.TOO_MANY, 2), (Fault.TIMEOUT, ""), (Fault.TRUNCATED, "")),
        *((Fault.EMPTY_BODY, ""), (Fault.NULLS, ""), (Fault.WRONG_TYPE, "")),
        (Fault.ERROR, "-1021 Timestamp for this request is outside of the recvWindow."),
        (Fault.ERROR, "-1007 Timeout waiting for response from backend server."),
        (Fault.ERROR, "-1003 Too many requests."),
    ],
)
def test_trouble_on_the_way_changes_nothing(follower, fault, value):
    account, right, _ = undisturbed()
    following = follower(account)
    for at in range(2, 60, 11):
        following.fake.script.add(fault, at=at, times=2, value=value)
    done, tries = following.initialize(), 0
    while not done.is_whole and tries < 20:
        following.service = following.made()
        done = following.initialize()
        tries += 1
    following.fake.script.clear()
    done = following.sync()
    assert done.is_whole, done
    assert not done.drift_detected
    assert following.fake.script.struck
    assert following.service.portfolio.digest() == right


def test_killed_at_any_request_it_goes_on_and_ends_in_the_same_book(follower):
    account, right, requests = undisturbed()
    for cut in range(1, requests, 1 if figures.KILLS > 20 else 13):
        following = follower(account)
        following.fake.script.add(Fault.STATUS, at=cut, value=403)
        following.initialize()
        following.service = following.made()
        assert following.initialize().is_whole
        assert following.service.portfolio.digest() == right, cut


def test_a_page_that_is_empty_or_short_is_found_by_what_the_wallet_holds(followed):
    account = invent(SEED, 120)
    following = followed(account)
    again = at_binance(account)
    again.fake.script.add(Fault.EMPTY_PAGE, endpoint="myTrades", times=2)
    again.fake.script.add(Fault.SHORT_PAGE, endpoint="myTrades", at=4, value=1)
    assert again.initialize().is_whole
    assert again.service.portfolio.digest() == following.service.portfolio.digest()
    again.close()


def test_no_minute_sees_more_weight_than_the_venue_allows(followed):
    account = invent(SEED, 30)
    following = followed(account)
    early = followed(account, options=Options(since=LONG_AGO))
    assert held(early) == held(following) == truth(account, following.clock.now())
    assert not [each for each in early.venue.client.notices if "429" in each.text]
    assert early.fake.banned_until == 0


def test_what_is_held_is_worth_what_the_market_says(followed):
    following = followed(invent(SEED, 100))
    following.run(following.service.refresh_marks())
    equity = following.service.get_equity()
    # MATIC's market is closed, so it has no price, and is named.
    assert set(equity.unvalued) <= {"MATIC"}
    assert equity.equity_base > 0


def test_a_history_that_is_read_anew_brings_nothing_twice(followed):
    following = followed(invent(SEED, 32))
    before = following.service.portfolio.digest()
    (done,) = following.run(following.service.sync(rows_anew=True)).accounts
    assert (done.failure, done.new_entries, done.drift_detected) == (None, 0, False)
    assert following.service.portfolio.digest() == before
