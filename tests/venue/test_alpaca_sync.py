"""A service that follows the fake Alpaca: the book equals the venue's truth, and what does not is
found.
"""

import asyncio
import json
from fractions import Fraction
from random import Random
from typing import Any, cast

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.entries import Fill
from bursar.ledger.names import canonical
from bursar.ledger.terms import Account as Kept
from bursar.ledger.terms import Terms
from bursar.portfolio.agreement import last_certificate
from bursar.reconcile import Verdict
from bursar.reconcile.certificate import sentence
from bursar.sim.alpaca import Fault, Planting, invent, plant, truth
from bursar.sim.alpaca.house import activities
from bursar.store import MemoryStore
from bursar.venue.alpaca.history import Options
from tests import figures
from tests.venue.following import at_alpaca

SEED = figures.SEED
ACCOUNTS = 10


@pytest.fixture
def follower():
    """Make a service that is to follow an account."""
    made = []

    def make(account, **options):
        made.append(at_alpaca(account, **options))
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


def held(following):
    balances = following.service.get_balances()
    return {each.asset: Fraction(each.total) for each in balances if each.total}


def not_known(portfolio):
    """What the book cannot say of some fact; the fake has rows of a type that nobody knows."""
    return {gap.flag for gap in portfolio.gaps()}


def exported(following):
    """Everything the account's activities say by now, as a file has it: newest first."""
    rows: list[Any] = []
    token = ""
    while page := cast("list[Any]", activities(following.fake.house, {"page_token": token})):
        rows += page
        token = page[-1]["id"]
    return rows


def test_after_a_sync_the_book_equals_the_venues_truth(followed):
    for number in range(ACCOUNTS):
        size = Random(SEED + number).randint(40, 240)
        account = invent(SEED + number, size)
        following = followed(account)
        (done,) = following.done.accounts
        assert done.failure is None, (number, size)
        assert done.conflicts == ()
        assert held(following) == truth(account, following.clock.now()), (number, size)
        assert not following.done.drift_detected
        (found,) = following.service.get_drift()
        assert (found.verdict, found.breaks) == (Verdict.EQUAL, ()), (number, size)
        booked = {each.id for each in following.service.portfolio.timeline if type(each) is Fill}
        assert booked == {f"alpaca:main:{row.id}" for row in account.rows if row.is_trade}
        assert not_known(following.service.portfolio) <= {"unclassified"}
        assert following.service.portfolio.verify().is_sound


def test_what_an_export_tells_before_a_later_sync_is_priced_by_that_sync(follower, tmp_path):
    account = invent(SEED, 80)
    end = follower(account)
    end.initialize()
    middle = account.rows[len(account.rows) // 2].at
    following = follower(account, start=middle)
    following.initialize()
    following.at(account.end)
    export = tmp_path / "activities.json"
    export.write_text(json.dumps(exported(following)))
    following.service.portfolio.import_files(export)
    assert "unpriced" in not_known(following.service.portfolio)
    following.sync()
    assert "unpriced" not in not_known(following.service.portfolio)
    assert following.service.portfolio.digest() == end.service.portfolio.digest()
    asked = len(following.fake.asked)
    following.sync()
    assert len(following.fake.asked) - asked == 5


def test_at_every_moment_of_its_life_the_account_agrees(followed):
    # Fees come a day late, transfers settle and are canceled, interest is put right: each sync sees
    # another part of it.
    account = invent(SEED, 300)
    turns = ((row.posted, row.settled, row.corrected) for row in account.rows)
    moments = sorted({turn for each in turns for turn in each if turn})
    assert any(row.wrong for row in account.rows)
    following = followed(account, start=moments[len(moments) // 4])
    for at in [*moments[len(moments) // 4 :: 9], account.end]:
        following.at(at)
        (done,) = following.sync().accounts
        assert (done.failure, done.conflicts, done.drift_detected) == (None, (), False)
        assert held(following) == truth(account, following.clock.now())
    again = followed(account)
    assert again.service.portfolio.digest() == following.service.portfolio.digest()


def test_the_first_sync_is_certified_and_kept(followed):
    following = followed(invent(SEED, 200))
    (said,) = following.done.certificates
    assert "books equal venue as of" in said
    assert ", 0 unexplained" in said
    kept = last_certificate(following.service.portfolio, "alpaca:main")
    assert kept is not None
    assert sentence(kept) == said


def test_a_sync_without_news_takes_five_requests_and_writes_nothing(followed):
    following = followed(invent(SEED, 200))
    head, asked = following.store.head(), len(following.fake.asked)
    memos = following.store.memos()
    done = following.sync()
    paths = [each.path.removeprefix("/v2/") for each in following.fake.asked[asked:]]
    assert sorted(paths) == [
        "account",
        "account/activities",
        "account/activities",
        "orders",
        "positions",
    ]
    assert (following.store.head(), done.accounts[0].new_entries) == (head, 0)
    assert following.store.memos() == memos


def test_the_export_and_the_live_account_tell_the_same_facts(follower, tmp_path):
    account = invent(SEED, 300)
    following = follower(account)
    path = tmp_path / "activities.json"
    path.write_text(json.dumps(exported(following)))
    portfolio = following.service.portfolio
    recorded = portfolio.import_files(path).receipt.review.recorded
    assert recorded > 290
    (done,) = following.initialize().accounts
    assert (done.new_trades, done.new_flows, done.conflicts) == (0, 0, ())
    assert done.new_entries == done.prices > 0  # an export has nobody to ask for prices
    assert not_known(portfolio) == {"unclassified"}
    review = portfolio.import_files(path).receipt.review
    assert (review.recorded, review.duplicates, review.conflicts) == (0, recorded, ())


def test_what_happens_in_the_hour_that_comes_twice_is_not_missed(followed):
    # Ids tell New York's time. On the night its clock goes back, a later id is the smaller one.
    start = invent(SEED, 40)
    rows = [row for row in start.rows if row.is_trade and row.told["symbol"] == "AAPL"][:1] * 2
    night = instant.parse("2025-11-02T05:50:00Z")
    told = []
    for number, (row, minutes, stamp) in enumerate(
        zip(rows, (0, 20), ("0150", "0110"), strict=True)
    ):
        at = night + minutes * 60 * instant.SECOND
        name = f"20251102{stamp}00000::{number}"
        fields = {**row.told, "id": name, "transaction_time": instant.show(at), "side": "buy"}
        told.append(msgspec.structs.replace(row, id=name, at=at, posted=at, told=fields))
    account = msgspec.structs.replace(start, rows=(*start.rows, *told), orders=())
    following = followed(account, start=night + 60 * instant.SECOND)
    following.at(night + 1800 * instant.SECOND)
    (done,) = following.sync().accounts
    assert (done.new_trades, done.drift_detected) == (1, False)


def test_rows_that_pages_repeat_are_told_once(followed):
    account = invent(SEED, 400)
    whole = followed(account)
    following = at_alpaca(account)
    following.fake.house.overlap = 7
    assert following.initialize().is_whole
    assert following.service.portfolio.digest() == whole.service.portfolio.digest()
    following.close()


# ---------------------------------------------------------------------------------------- drift


@pytest.mark.parametrize("kind", Planting)
def test_a_planted_difference_is_found_to_the_last_digit(followed, kind):
    account = invent(SEED + 1, 200)
    planted = plant(account, kind, seed=SEED)
    following = followed(planted.account)
    assert following.done.accounts[0].failure is None
    (seen,) = following.service.get_drift()
    assert seen.verdict is not Verdict.EQUAL
    sums: dict[str, Fraction] = {}
    for line in seen.comparison.differing:
        sums[line.asset] = sums.get(line.asset, Fraction(0)) + Fraction(line.difference)
    assert sums == {canonical(asset): sum_ for asset, sum_ in planted.differences.items()}
    assert seen.breaks


# ---------------------------------------------------------------------------------------- shorts


def short_rows(account):
    """The account with its first sale turned into a short one."""
    rows = list(account.rows)
    place = next(n for n, row in enumerate(rows) if row.told.get("side") == "sell")
    told = {**rows[place].told, "side": "sell_short"}
    rows[place] = msgspec.structs.replace(rows[place], told=told)
    return msgspec.structs.replace(account, rows=tuple(rows)), rows[place]


def test_a_short_sale_needs_a_book_that_allows_it(followed):
    account, row = short_rows(invent(SEED, 100))
    following = followed(account)
    (done,) = following.done.accounts
    assert row.id in done.failure
    assert "bursar new --short alpaca:main" in done.failure
    store = MemoryStore(terms=Terms(base="USD", accounts=(Kept("alpaca:main", may_short=True),)))
    allowed = followed(account, store=store, options=Options(may_short=True))
    assert allowed.done.is_whole


# --------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    "fault,value",
    [
        *((Fault.STATUS, status) for status in (500, 502, 504)),
        *((Fault.TOO_MANY, 2), (Fault.TIMEOUT, ""), (Fault.RESET, ""), (Fault.TRUNCATED, "")),
        *((Fault.EMPTY_BODY, ""), (Fault.NULLS, ""), (Fault.WRONG_TYPE, ""), (Fault.HUGE, 9 << 20)),
        *((Fault.EMPTY_PAGE, ""), (Fault.REPEATED_PAGE, ""), (Fault.SHORT_PAGE, 3)),
        (Fault.ERROR, "internal server error occurred"),
    ],
)
def test_trouble_on_the_way_changes_nothing(followed, follower, fault, value):
    account = invent(SEED, 220)
    undisturbed = followed(account)
    following = follower(account)
    endpoint = "activities" if "PAGE" in fault.name else None
    for at in (2, 4, 6):
        following.fake.script.add(fault, endpoint=endpoint, at=at, value=value)
    done = following.initialize()
    tries = 1
    while not done.is_whole and tries < 4:  # a sync may give up; the next one goes on
        following.service = following.made()
        done = following.initialize()
        tries += 1
    following.fake.script.clear()
    done = following.sync()
    assert done.is_whole, done
    assert not done.drift_detected
    assert following.fake.script.struck
    assert following.service.portfolio.digest() == undisturbed.service.portfolio.digest()


def pages(following):
    return sum(each.path.endswith("/activities") for each in following.fake.asked)


def test_what_a_sync_has_kept_is_not_asked_for_again(follower):
    # Cut off at a request, the next sync ends in the same book, and asks for the pages it lacks.
    account = invent(SEED, 500)
    whole = follower(account)
    whole.initialize()
    requests = len(whole.fake.asked)
    for cut in range(2, requests, requests // 4):
        following = follower(account)
        following.fake.script.add(Fault.STATUS, at=cut, times=8, value=502)
        assert not following.initialize().is_whole
        following.fake.script.clear()
        following.service = following.made()
        assert following.initialize().is_whole
        assert following.service.portfolio.digest() == whole.service.portfolio.digest()
        assert pages(following) <= pages(whole) + 8 + 2, cut


# ---------------------------------------------------------------------------------------- prices


def test_what_is_held_is_worth_what_the_market_says(followed):
    following = followed(invent(SEED, 200))
    following.run(following.service.refresh_marks())
    equity = following.service.get_equity()
    assert equity.unvalued == ()
    said = following.run(following.venue.client.account())
    # Coins at the middle, stocks at the last trade: the fake values them at the same price, and
    # rounds to cents.
    assert abs(equity.equity_base - said.equity) < Fraction(1, 50)


def health(polls):
    return polls.state.health


def test_live_prices_are_asked_for_every_ten_seconds(followed):
    from bursar.venue.polling import PricePolls
    from bursar.venue.stream import StreamHealth

    following = followed(invent(SEED, 100))
    polls = PricePolls(following.venue.market.marks, following.venue.client.outside)
    assert health(polls) is StreamHealth.STARTING

    async def watched():
        task = asyncio.create_task(polls.run(["AAPL/USD", "BTC/USD", "USD/USD"]))
        first = await polls.changed()
        following.fake.script.add(Fault.STATUS, value=401)
        await following.pause(11_000)
        assert health(polls) is StreamHealth.STALE
        assert "unauthorized" not in (polls.state.reason or "")  # nothing but a status came
        second = await polls.changed()
        task.cancel()
        return first, second

    first, second = following.run(watched())
    assert [mark.asset for mark in first] == ["AAPL", "BTC"]
    assert second[1].at - first[1].at > 10 * instant.SECOND
    assert health(polls) is StreamHealth.POLLING


def test_a_history_that_is_read_anew_brings_nothing_twice(followed):
    following = followed(invent(SEED, 60))
    before = following.service.portfolio.digest()
    (done,) = following.run(following.service.sync(rows_anew=True)).accounts
    assert (done.failure, done.new_entries, done.drift_detected) == (None, 0, False)
    assert following.service.portfolio.digest() == before
