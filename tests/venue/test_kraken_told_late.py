"""What Kraken's ledger tells late: balances are ahead of it, clocks are not the same, and nothing
is counted both as what was there before and as what came.
"""

import msgspec
import pytest

from bursar.ledger import instant
from bursar.ledger.openings import is_opening
from bursar.portfolio.agreement import last_statement
from bursar.reconcile import Verdict
from bursar.sim.kraken import Fault, invent
from bursar.sim.kraken.history import History
from bursar.sim.kraken.listing import coins
from bursar.sim.kraken.rows import Flow, Row
from bursar.venue.kraken.assets import coin
from tests import figures
from tests.venue.test_kraken_sync import follower, held, stated  # noqa: F401 (fixtures)

SEED = figures.SEED
HOURS = pytest.mark.parametrize("hours", [-1, 0, 1])  # the venue's clock is ahead of ours
KINDS = pytest.mark.parametrize("kind", ["deposit", "receive", "trade", "transfer"])


def alone(account):
    """The rows within a second of which nothing else happened but their own event."""
    rows = account.rows
    for row in rows:
        near = [each for each in rows if abs(each.time - row.time) <= instant.SECOND]
        if all(each.refid == row.refid for each in near):
            yield row


def newcomer(account, kind, pocket=""):
    """A row of a kind that brings a coin of which there was nothing, and which has a pocket."""
    first: dict[str, Row] = {}
    for row in account.rows:
        first.setdefault(row.code, row)
    rows = [row for row in alone(account) if row == first[row.code] and row.type == kind]
    rows = [row for row in rows if row.amount > 0 and coin(row.code).asset == row.code]
    return next(row for row in rows if row.code + pocket in coins())


def with_rows(account, *rows):
    """The account with some more rows, and balances that follow."""
    left: dict[str, int] = {}
    found = []
    for row in sorted([*account.rows, *rows], key=lambda row: row.time):
        left[row.code] = left.get(row.code, 0) + row.amount - row.fee
        found.append(row._replace(balance=left[row.code]))
    return msgspec.structs.replace(account, rows=found)


def tell(following, rows):
    """Let the ledger tell these rows and no others, and their trades."""
    house, told = following.fake.house, {row.id for row in rows}
    trades = [each for each in house.account.trades if told.issuperset(each.rows)]
    house.ledger = History(rows, lambda row: row.time)
    house.trades = History(trades, lambda each: each.time)


def before(account, late):
    """The rows of an account that are told while everything from one on is late."""
    return [row for row in account.rows if row.time < late.time]


def openings(following):
    return [fact.asset for fact in following.service.portfolio.timeline if is_opening(fact)]


def settled(following, account):
    """Let everything be told, and say whether the book is the venue's truth."""
    tell(following, account.rows)
    following.at(account.end + instant.DAY)
    (done,) = following.sync().accounts
    assert (done.failure, done.conflicts, done.drift_detected) == (None, (), False)
    assert held(following) == stated(account)
    assert openings(following) == []
    assert following.service.portfolio.verify().is_sound
    (found,) = following.service.get_drift()
    return (found.verdict, found.breaks) == (Verdict.EQUAL, ())


@HOURS
@KINDS
def test_a_coin_that_the_first_sync_finds_without_its_row_is_counted_once(follower, kind, hours):  # noqa: F811
    account = invent(SEED, 150)
    late = newcomer(account, kind)
    following = follower(account, start=late.time + 1, ahead=hours * instant.HOUR)
    tell(following, before(account, late))
    following.initialize()
    assert openings(following) == [late.code]  # for all that can be known
    assert settled(following, account)


@HOURS
@KINDS
def test_a_coin_that_came_since_is_no_opening_however_late_its_row_is(follower, kind, hours):  # noqa: F811
    account = invent(SEED, 150)
    late = newcomer(account, kind)
    following = follower(account, start=late.time - 1, ahead=hours * instant.HOUR)
    tell(following, before(account, late))
    following.initialize()
    for later in (1, instant.MINUTE, 2 * instant.MINUTE):  # nor is one that is named again
        following.at(late.time + later)
        (done,) = following.sync().accounts
        assert (done.failure, done.drift_detected) == (None, True)
        assert openings(following) == []
    assert settled(following, account)


def test_a_coin_of_later_without_any_row_is_a_difference_that_may_be_accepted(follower):  # noqa: F811
    account = invent(SEED, 150)
    had = {row.code for row in account.rows}
    code = next(code for code in ("SNX", "TRX", "ATOM", "ZRX") if code not in had)
    following = follower(account)
    service = following.service
    following.initialize()
    following.fake.house.account = msgspec.structs.replace(account, extra={code: 5 * 10**8})
    assert following.sync().drift_detected
    (found,) = service.get_drift()
    (shift,) = (shift for each in found.breaks for shift in each.shifts)
    assert (shift.asset, shift.amount > 0) == (code, True)
    service.accept_proposal("kraken:main", 1)
    assert not following.sync().drift_detected
    assert openings(following) == []


def test_a_row_that_is_told_between_the_two_looks_is_no_opening(follower):  # noqa: F811
    account = invent(SEED, 150)
    late = newcomer(account, "deposit")
    following = follower(account, start=late.time + 1, ahead=instant.HOUR)
    tell(following, before(account, late))
    answer, asked = following.fake.answer, []

    def spoken(request):
        asked.append(request.endpoint)
        said = answer(request)
        if request.endpoint == "BalanceEx":
            tell(following, account.rows)
        return said

    following.fake.answer = spoken
    following.initialize()
    assert asked.count("BalanceEx") == 2
    assert openings(following) == []
    assert settled(following, account)


@HOURS
@pytest.mark.parametrize("told", [0, 1, 3])
def test_a_coin_that_went_on_into_a_new_pocket_is_counted_once(follower, told, hours):  # noqa: F811
    account = invent(SEED, 150)
    came = newcomer(account, "deposit", ".F")
    gone, there = (
        came._replace(
            id=f"LMOVED-00000-00000{number}",
            refid=f"BMOVED{number}",
            time=came.time + instant.MINUTE,
            type="transfer",
            subtype=word,
            code=code,
            amount=sign * came.amount,
            fee=0,
            flow=Flow.INTERNAL,
        )
        for number, (code, sign, word) in enumerate(
            ((came.code, -1, "spottostaking"), (f"{came.code}.F", 1, "stakingfromspot"))
        )
    )
    account = with_rows(account, gone, there)
    following = follower(account, start=there.time + 1, ahead=hours * instant.HOUR)
    tell(following, before(account, came))
    following.initialize()
    moved = [row for row in account.rows if came.time <= row.time <= there.time]
    tell(following, [*before(account, came), *moved[:told]])
    following.at(there.time + instant.MINUTE)
    following.sync()
    assert settled(following, account)


def test_rows_of_one_instant_that_are_told_apart_open_nothing(follower):  # noqa: F811
    account = invent(SEED, 150)
    first = newcomer(account, "deposit")
    account = with_rows(account, first._replace(id="L00000-00000-000000", refid="TWIN"))
    following = follower(account, start=first.time + instant.SECOND)
    tell(following, [row for row in account.rows if row.refid != "TWIN"])
    following.initialize()
    assert openings(following) == []
    assert settled(following, account)


@pytest.mark.parametrize("after", [0, 1, instant.MINUTE, 50 * instant.MINUTE])
def test_a_row_that_is_told_after_a_later_one_of_its_coin_takes_its_place(follower, after):  # noqa: F811
    account = invent(SEED, 150)
    first = newcomer(account, "deposit")
    later = first._replace(id="LZZZZZ-00000-000000", refid="LATER", time=first.time + after)
    account = with_rows(account, later)
    following = follower(account, start=later.time + 1)
    tell(following, [row for row in account.rows if row.id != first.id])
    following.initialize()
    assert settled(following, account)
    (again,) = [e for e in following.venue.client.notices if "is read again" in e.text]
    assert again.endpoint == "ledger rows"
    asked = len(following.fake.asked)
    following.sync()
    assert len(following.fake.asked) == asked + 3


@HOURS
def test_a_statement_is_of_the_venues_time_whatever_our_clock_says(follower, hours):  # noqa: F811
    account = invent(SEED, 150)
    middle = next(row for row in alone(account) if row.time > account.rows[75].time)
    following = follower(account, start=middle.time + 1, ahead=hours * instant.HOUR)
    following.initialize()
    kept = last_statement(following.service.portfolio, "kraken:main")
    assert kept is not None
    assert abs(kept.as_of - middle.time) < instant.SECOND
    following.at(account.rows[-1].time + 1)
    following.fake.script.add(Fault.STATUS, endpoint="BalanceEx", times=99, value=503)
    (done,) = following.sync().accounts
    assert done.failure is not None
    assert done.new_entries > 0
    assert not following.service.get_equity().drift_flag  # what came since is no difference


def test_a_row_that_is_told_too_late_to_be_looked_for_is_found_when_all_is_read_anew(follower):  # noqa: F811
    account = invent(SEED, 150)
    lasts = {row.code: row for row in account.rows}.values()
    early = [row for row in alone(account) if row in lasts and row.type in {"deposit", "receive"}]
    late = next(row for row in early if row.time < account.rows[-1].time - 3 * instant.HOUR)
    following = follower(account, start=account.end)
    tell(following, [row for row in account.rows if row != late])
    following.initialize()
    following.at(account.end + instant.DAY)
    following.sync()
    tell(following, account.rows)
    (done,) = following.sync().accounts
    assert (done.new_entries, done.drift_detected) == (0, True)
    (done,) = following.run(following.service.sync(rows_anew=True)).accounts
    assert (done.failure, done.new_entries, done.conflicts) == (None, 1, ())
    assert not done.drift_detected
    asked = len(following.fake.asked)
    assert settled(following, account)
    assert len(following.fake.asked) - asked < 5  # it goes on from where that was
