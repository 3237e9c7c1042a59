"""A service that follows the fake Kraken: the book equals the venue's truth, and what does not is
found.
"""

from collections import Counter
from fractions import Fraction

import msgspec
import pytest

from bursar.errors import BadChoice
from bursar.ledger import instant
from bursar.ledger.entries import TRANSIT, Fill
from bursar.portfolio.agreement import last_certificate
from bursar.reconcile import Kind, Verdict
from bursar.reconcile.certificate import sentence
from bursar.sim.kraken import Fault, Flow, Planting, invent, plant, truth
from bursar.venue.kraken.assets import coin
from tests import figures
from tests.venue.following import Following, at_kraken

SEED = figures.SEED
AWAY = {Flow.FUTURES, Flow.INTERNAL}


def sizes():
    """How many rows the accounts have: one is as large as may be, the others lie between 100 rows
    and that on a logarithmic scale, at the fourth powers of places spread evenly over it.

    Of 500 up to 200,000 rows 370 have under 1,000, 105 up to 50,000 and 25 more; together they have
    4.0 million rows. Evenly spread themselves they would have 13 million, and be nothing but large.
    """
    others, span = figures.ACCOUNTS - 1, figures.ACCOUNT_ROWS / 100
    places = ((number + 1 / 2) / others for number in range(others))
    return [*(round(100 * span**place**4) for place in places), figures.ACCOUNT_ROWS]


@pytest.fixture
def follower(tmp_path):
    """Make a service that is to follow an account."""
    made: list[Following] = []

    def make(account, **options):
        made[:] = [each for each in made if not each.loop.is_closed()]
        made.append(at_kraken(account, tmp_path, **options))
        return made[-1]

    yield make
    for each in made:
        if not each.loop.is_closed():
            each.close()


@pytest.fixture
def followed(follower):
    """Make a service that follows an account, and let it do its first sync."""

    def make(account, **options):
        following = follower(account, **options)
        following.done = following.run(following.service.initialize())
        return following

    return make


def held(following):
    """What the book holds of each asset, and what of it is between two pockets."""
    book = following.service.portfolio.book()
    sums: dict[object, Fraction] = {
        each.asset: Fraction(each.total) for each in following.service.get_balances()
    }
    for (_, asset, pocket), quantity in book.pockets.items():
        if pocket == TRANSIT:
            sums[asset] = sums.get(asset, 0) - Fraction(quantity)
            sums[asset, TRANSIT] = Fraction(quantity)
    return {name: total for name, total in sums.items() if total}


def stated(account):
    """What the venue truly holds of each asset, and what went to places it does not count."""
    sums: dict[object, Fraction] = {}
    for code, total in truth(account).balances.items():
        sums[coin(code).asset] = sums.get(coin(code).asset, 0) + total
    for (flow, code), total in truth(account).flows.items():
        if flow in AWAY:
            away = (coin(code).asset, TRANSIT)
            sums[away] = sums.get(away, 0) - total
    return {name: total for name, total in sums.items() if total}


@pytest.mark.sweep
@pytest.mark.slow("thirty accounts, each synced row by row in virtual time")
def test_after_a_sync_the_book_equals_the_venues_truth(followed):
    for number, size in enumerate(sizes()):
        account = invent(SEED + number, size)
        following = followed(account)
        (done,) = following.done.accounts
        assert done.failure is None, (SEED + number, size)
        assert done.conflicts == ()
        assert held(following) == stated(account), (SEED + number, size)
        assert not following.done.drift_detected
        (found,) = following.service.get_drift()
        assert (found.verdict, found.breaks) == (Verdict.EQUAL, ()), (SEED + number, size)
        booked = {
            fact.id
            for fact in following.service.portfolio.timeline
            if isinstance(fact, Fill) and fact.order_id is not None
        }
        assert {f"kraken:main:{each}" for each in truth(account).trades} <= booked
        assert following.service.portfolio.verify().is_sound
        following.close()  # hundreds of books at once would only be in each other's way


def test_every_trade_has_the_strategy_that_placed_its_order(followed):
    account = invent(SEED, 400)
    following = followed(account)
    told = {
        record.trade_id.removeprefix("kraken:main:"): record.strategy_tag
        for record in following.service.get_trade_history()
        if record.kind == "trade"
    }
    placed = truth(account).strategies
    assert placed, "some orders are a strategy's"
    for trade in truth(account).trades:
        assert told[trade] == placed.get(trade, "manual"), trade


def test_the_first_sync_is_certified_and_kept(followed):
    following = followed(invent(SEED, 200))
    (said,) = following.done.certificates
    assert "books equal venue as of" in said
    assert ", 0 unexplained" in said
    kept = last_certificate(following.service.portfolio, "kraken:main")
    assert kept is not None
    assert sentence(kept) == said


def test_a_sync_without_news_takes_three_requests_and_writes_no_entry(followed):
    following = followed(invent(SEED, 200))
    head, asked = following.store.head(), len(following.fake.asked)
    done = following.sync()
    assert [each.endpoint for each in following.fake.asked[asked:]] == [
        "Time",
        "Ledgers",
        "BalanceEx",
    ]
    assert (following.store.head(), done.accounts[0].new_entries) == (head, 0)


def test_what_comes_later_comes_once(followed, follower):
    account = invent(SEED, 300)
    half = account.rows[len(account.rows) // 2].time
    following = follower(account, start=half)
    following.run(following.service.initialize())
    middle = following.store.head().seq
    assert 0 < middle < len(account.rows) * 2
    following.clock._start = account.rows[-1].time + instant.DAY
    done = following.sync()
    assert done.accounts[0].failure is None
    assert held(following) == stated(account)
    again = followed(account)
    assert again.service.portfolio.digest() == following.service.portfolio.digest()


def test_two_syncs_from_nothing_have_the_same_ids(followed):
    account = invent(SEED, 300)
    one, other = followed(account), followed(account)
    ids = [{row.key for row in each.store.records()} for each in (one, other)]
    assert ids[0] == ids[1]
    assert one.service.portfolio.digest() == other.service.portfolio.digest()


def test_what_lies_there_without_any_row_is_an_opening_and_no_break(followed):
    account = invent(SEED, 200)
    had = {row.code for row in account.rows}
    code = next(code for code in ("SNX", "TRX", "ATOM", "ZRX") if code not in had)
    following = followed(msgspec.structs.replace(account, extra={code: 5 * 10**8}))
    assert following.done.accounts[0].failure is None
    (found,) = following.service.get_drift()
    assert (found.verdict, found.breaks) == (Verdict.EQUAL, ())
    (assumed,) = [each for each in found.assumed if each.asset == code]
    (told,) = [each for each in following.service.get_balances() if each.asset == code]
    assert told.total == assumed.quantity > 0
    head = following.store.head()
    assert following.sync().accounts[0].failure is None
    assert following.store.head() == head


def test_a_balance_that_is_told_ahead_of_its_row_is_no_opening(follower):
    account = invent(SEED, 200)
    first = {row.code: row for row in reversed(account.rows)}
    late = max(first.values(), key=lambda row: row.time)
    following = follower(account, start=late.time - instant.SECOND)
    following.initialize()
    answer, house = following.fake.answer, following.fake.house

    def behind(request):
        house.until = late.time - 1 if request.endpoint == "Ledgers" else None
        return answer(request)

    following.at(late.time + instant.SECOND)
    following.fake.answer = behind
    assert following.sync().drift_detected
    following.fake.answer, house.until = answer, None
    assert not following.sync().drift_detected
    (found,) = following.service.get_drift()
    assert (found.verdict, found.breaks) == (Verdict.EQUAL, ())
    assert not [row.key for row in following.store.records() if ":stated:" in row.key]


def test_rows_that_arrive_while_pages_are_read_are_all_there(follower):
    account = invent(SEED, 500)
    following = follower(account, start=account.rows[-60].time)
    following.fake.script.add(Fault.ARRIVALS, endpoint="Ledgers", at=2, times=5, value=2)
    following.run(following.service.initialize())
    following.clock._start = account.rows[-1].time + instant.DAY
    following.fake.house.until = None
    following.sync()
    assert held(following) == stated(account)


# ---------------------------------------------------------------------------------------- drift

# What each may be called, where no evidence decides between several words. A fee paid in credits is
# a break of its own beside the trade that is lost with it, and credits of which too many were told
# look like a fee. What is worth a cent is dust. A flow of another amount looks like another flow,
# a small withdrawal ahead of a large row like a fee of it, and of what only the statement tells,
# nothing says why it is so. A small reward ahead of a charged row may be a part of its commission.
FITTING = {
    Planting.MISSING_FILL: {Kind.MISSING_FILL, Kind.FEE, Kind.DUST},
    Planting.DOUBLED_FILL: {Kind.EXTRA},
    Planting.MISSING_DEPOSIT: {Kind.MISSING_FLOW},
    Planting.MISSING_WITHDRAWAL: {Kind.MISSING_FLOW, Kind.UNKNOWN},
    Planting.MISSING_FEE: {Kind.FEE, Kind.DUST},
    Planting.OTHER_FEE: {Kind.FEE, Kind.DUST, Kind.MISSING_FLOW, Kind.WRONG_AMOUNT},
    Planting.MISSING_REWARD: {Kind.REWARD, Kind.MISSING_FLOW, Kind.DUST},
    Planting.IN_FLIGHT: {Kind.IN_FLIGHT, Kind.UNKNOWN},
    Planting.ROUNDING: {Kind.ROUNDING, Kind.DUST},
    Planting.WRONG_AMOUNT: {Kind.WRONG_AMOUNT, Kind.MISSING_FLOW, Kind.FEE, Kind.DUST},
    Planting.WRONG_ASSET: {Kind.WRONG_ASSET},
    Planting.EXTRA_BALANCE: {Kind.UNKNOWN, Kind.DUST, Kind.ROUNDING},
    Planting.POCKET_MOVED: {Kind.POCKET_MOVE},
    Planting.SIDE_FLIPPED: {Kind.WRONG_AMOUNT, Kind.WRONG_ASSET},
}


UNDECIDED = {
    Planting.MISSING_FEE,
    Planting.OTHER_FEE,
    Planting.WRONG_AMOUNT,
    Planting.MISSING_REWARD,
}


def may_be_a_fee(planted):
    """Tell whether the row behind may be charged so: too few others that are told say how."""
    rows = planted.account.ledger
    (row,) = [each for each in rows if each.id == planted.first]
    if planted.planting is Planting.MISSING_REWARD and not row.fee:
        return False
    kind = row.type, row.subtype, row.code
    charged = [each for each in rows if each.fee and each.id != row.id]
    return len([each for each in charged if (each.type, each.subtype, each.code) == kind]) < 3


@pytest.mark.sweep
@pytest.mark.slow("fourteen kinds of difference, each in an account of its own")
@pytest.mark.parametrize("kind", Planting)
def test_a_planted_difference_is_found_classified_and_located(followed, kind):
    found: Counter[Planting] = Counter()
    for seed in range(SEED, SEED + max(figures.ACCOUNTS // 30, 1) * 2):
        account = invent(seed, 300)
        try:
            planted = plant(account, kind, seed=seed)
        except BadChoice:  # this account has nothing of the kind
            continue
        end = account.rows[-1].time + instant.DAY
        following = followed(planted.account, start=end, allow_breaks=True)
        assert following.done.accounts[0].failure is None
        (seen,) = following.service.get_drift()
        assert seen.breaks, (kind, seed)
        fitting = set(FITTING[kind])
        if kind in UNDECIDED and may_be_a_fee(planted):
            fitting.add(Kind.UNKNOWN)  # a fee, or a row ahead of it: no other of its kind tells
        assert {each.kind for each in seen.breaks} <= fitting, (kind, seed)
        if planted.first is not None:
            places = {each.place for each in seen.breaks}
            said = {end for place in places for end in (place.before, place.after)}
            said |= {row for each in seen.breaks for row in each.evidence}
            assert f"kraken:main:{planted.first}" in said, (kind, seed)
        following.close()
        found[kind] += 1
    assert found[kind]


@pytest.mark.parametrize("kind", [Planting.MISSING_FILL, Planting.MISSING_DEPOSIT])
def test_what_is_accepted_closes_a_break_and_what_is_reversed_opens_it(followed, kind):
    account = invent(SEED, 300)
    planted = plant(account, kind, seed=SEED)
    end = account.rows[-1].time + instant.DAY
    following = followed(planted.account, start=end, allow_breaks=True)
    service = following.service
    (before,) = service.get_drift()
    entries = [
        entry.id
        for _ in before.breaks
        for entry in service.accept_proposal("kraken:main", 1).entries
    ]
    (closed,) = service.get_drift()
    assert closed.is_clean
    assert not service.get_equity().drift_flag
    for entry in entries:
        service.portfolio.reverse(entry)
    (opened,) = service.get_drift()
    assert len(opened.breaks) == len(before.breaks)


def test_a_broken_chain_stops_the_sync_and_names_the_row(followed):
    account = invent(SEED, 300)
    planted = plant(account, Planting.MISSING_DEPOSIT, seed=SEED)
    following = followed(planted.account, start=account.rows[-1].time + instant.DAY)
    (done,) = following.done.accounts
    assert planted.first in done.failure
    assert following.store.head().seq < len(account.rows)


# --------------------------------------------------------------------------------------- trouble


@pytest.mark.parametrize(
    "fault,value",
    [
        *((Fault.STATUS, status) for status in (500, 502, 503, 504, 520, 525)),
        *((Fault.TOO_MANY, 2), (Fault.TIMEOUT, ""), (Fault.RESET, ""), (Fault.TRUNCATED, "")),
        *((Fault.EMPTY_BODY, ""), (Fault.NO_RESULT, ""), (Fault.WARNING, ""), (Fault.NULLS, "")),
        *((Fault.THROTTLED, 3), (Fault.WRONG_TYPE, ""), (Fault.LONG_NUMBERS, "")),
        *((Fault.EMPTY_PAGE, ""), (Fault.REPEATED_PAGE, ""), (Fault.SHORT_PAGE, 3)),
        *((Fault.COUNT_MOVES, 2), (Fault.HUGE, 9 << 20)),
        (Fault.ERROR, "EService:Unavailable"),
        (Fault.ERROR, "EService:Busy"),
        (Fault.ERROR, "EGeneral:Internal error"),
        (Fault.ERROR, "EAPI:Rate limit exceeded"),
        (Fault.ERROR, "EAPI:Invalid nonce"),
    ],
)
def test_trouble_on_the_way_changes_nothing(followed, follower, fault, value):
    account = invent(SEED, 200)
    undisturbed = followed(account)
    following = follower(account)
    for at in (3, 9, 15):
        following.fake.script.add(fault, at=at, value=value)
    done = following.run(following.service.initialize())
    tries = 1
    while not done.is_whole and tries < 4:  # a sync may give up; the next one goes on
        following.service = following.made()
        done = following.run(following.service.initialize())
        tries += 1
    assert done.is_whole, done
    assert following.fake.script.struck
    assert following.service.portfolio.digest() == undisturbed.service.portfolio.digest()
