"""What is kept between questions equals what is made from nothing, whatever happens in between."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bursar.desk import Desk
from bursar.ledger import golden, instant
from bursar.ledger.terms import Terms
from bursar.measure.curve import Curve
from bursar.measure.curve import curve as curve_of
from bursar.measure.drawdown import drawdown
from bursar.measure.returns import Calendar, daily
from bursar.measure.trades import statistics
from bursar.portfolio import Portfolio, allocating, snapshots, walk
from bursar.portfolio.followed import Followed
from bursar.portfolio.kept import closing_prices, kept, of_head, trips
from bursar.portfolio.views import drawdown_view
from bursar.serve.shelf import published
from bursar.serve.views import Speller, look
from bursar.store import MemoryStore
from bursar.value.marks import Mark
from tests.unit.portfolio.places import NOON, Clock

DAYS = (1, 2, 30, 31)
TAGS = ("", " strategy=trend", " strategy=hedge")
KINDS = (
    *("buy", "sell", "late", "margin", "flow", "flow"),
    *("mark", "mark", "keep", "keep", "prune", "other", "split"),
)
COINS = ("XBT", "ETH", "BTC")
BEGUN = instant.parse("2026-01-01T00:00:00Z")
TINY = Fraction(1, 10**12)
WAITS = (0, 1, 3_600, 40_000, 86_400, 40 * 86_400, -1, -3_600, -40_000)  # clocks are set back, too


@st.composite
def happenings(draw):
    """Something that happens to a portfolio, and how many seconds pass before it."""
    kind = draw(st.sampled_from(KINDS))
    detail = draw(st.integers(1, 6)), draw(st.sampled_from(TAGS)), draw(st.sampled_from(DAYS))
    return kind, draw(st.sampled_from(WAITS)), *detail


def happen(portfolio, other, turn, kind, detail):
    """Do it; `other` is a second process on the same store."""
    number, tag, days = detail
    clock, store = portfolio.desk.clock, portfolio.desk.store
    now = instant.show(clock.at)
    if kind in {"buy", "sell"}:
        coin = COINS[number % 3]
        words = f"{now} {kind} {number} {coin} @ {100 + number * 7} EUR fee 1 EUR #k:{turn}{tag}"
        portfolio.record(*golden.read([words]))
    elif kind == "late":
        then = instant.show(NOON - number * 86_400 * instant.SECOND)
        portfolio.record(*golden.read([f"{then} buy {number} ETH @ 10 EUR #k:{turn}{tag}"]))
    elif kind == "flow":
        told = f"{'withdrawal' if tag else 'deposit'} {number * days} EUR"
        then = instant.show(clock.at - days // 30 * 3_600 * instant.SECOND)
        portfolio.record(*golden.read([f"{then} {told} #k:{turn}"]))
    elif kind == "split":
        then = instant.show(clock.at - number * number * 3_600 * instant.SECOND)
        words = f"{then} split {COINS[number % 3]} {days + 1} for 1 #k:{turn}"
        portfolio.record(*golden.read([words]))
        if tag:
            portfolio.record(*golden.read([f"{now} void k:{number} #u:{turn}"]))
    elif kind == "margin":
        deed = (
            f"sell {number} XBT @ 80 USD settled 1" if number % 2 else f"buy {number} XBT @ 90 USD"
        )
        words = f"{now} margin {deed} #m:{turn}"
        portfolio.record(*golden.read([words]))
    elif kind == "mark":
        asset, quote = (("XBT", "EUR"), ("ETH", "XBT"), ("USD", "EUR"))[number % 3]
        portfolio.live().see(Mark(asset, quote, Decimal(number * 40), "venue", clock.at))
    elif kind == "prune":
        snapshots.prune(store, clock.at, days)
    else:
        one = portfolio if kind == "keep" else other
        one.writer.catch_up()
        prices = {"XBT": str(number * 31)} if number > 1 else {}
        snapshots.take(one, prices)


def unread(_path, _account, _progress):
    """Read no file."""
    raise AssertionError("no file is imported here")


def made_anew(portfolio):
    """The same portfolio as another process would open it, with the marks that this one saw."""
    desk = Desk(portfolio.desk.store, portfolio.desk.clock)
    anew = Portfolio(desk, unread)
    anew.see(portfolio.marks())
    return anew


@given(st.lists(happenings(), max_size=8))
def test_what_is_kept_is_what_is_made_anew(steps):
    clock = Clock()
    store = MemoryStore(terms=Terms(base="EUR"))
    portfolio, other = (Portfolio(Desk(store, clock), unread) for _ in range(2))
    portfolio.followed = Followed(block=2)
    portfolio.record(*golden.read(["2026-01-01T00:00:00Z deposit 10000 EUR #k:0"]))
    speller = Speller()
    for turn, (kind, wait, *detail) in enumerate(steps, start=1):
        clock.at += wait * instant.SECOND
        happen(portfolio, other, turn, kind, detail)
        speller.spelled(look(portfolio).found)
        portfolio.followed.write(portfolio)
        allocating.strategies(portfolio)
    anew = made_anew(portfolio)
    assert repr(portfolio.views()) == repr(anew.views())
    seen = look(portfolio)
    assert repr(seen.found) == repr(anew.views())
    bodies = [published(1, 1, e.spelled(seen.found), None).whole for e in (speller, Speller())]
    assert bodies[0] == bodies[1]
    assert repr(trips(portfolio)) == repr(trips(anew))
    assert repr(of_head(portfolio).statistics) == repr(statistics(trips(anew).trips))
    valuation = portfolio.valuation()
    splits = portfolio.desk.timeline.splits.values()
    doubted = snapshots.doubts(store, splits)
    moments = snapshots.moments(store, doubted=doubted)
    past = [each for each in moments if each.at < valuation.at]
    curve = curve_of((*past, kept(portfolio, valuation).last))
    whole = joined_by_hand(portfolio, curve)
    assert repr(kept(portfolio, valuation).course()) == repr(whole.points)
    assert repr(kept(anew, valuation).course()) == repr(whole.points)
    walked = drawdown_view(drawdown(curve, now=valuation.at), at=valuation.at)
    assert repr(portfolio.views().drawdown) == repr(walked)
    now = kept(portfolio, valuation).last
    assert portfolio.followed.today(portfolio, now) == anew.followed.today(anew, now)
    assert list(walk.check(store, doubted)) == []
    for calendar in Calendar:
        followed = portfolio.followed.closes(portfolio, now).returns(calendar)
        assert followed == anew.followed.closes(anew, now).returns(calendar)
        assert followed == daily(whole, calendar=calendar)
    if not splits and not doubted:
        assert closing_prices(portfolio) == _closing(store, portfolio.book().cash)
    told = [[_told(each) for each in allocating.strategies(one)] for one in (portfolio, anew)]
    assert repr(told[0]) == repr(told[1])


def joined_by_hand(portfolio, curve):
    """The kept curve behind that of the same book without a snapshot, made from nothing; and the
    flows of the whole are what capital grew by.
    """
    past = kept(portfolio, portfolio.valuation())
    before = past.before()
    if before is None:
        return curve
    late = [each for each in curve.points if each.at >= before.prelude.since]
    place = next((n for n, each in enumerate(late) if each.nav is not None), None)
    joint, points = before.prelude.joint, before.prelude.points
    if joint is not None and place is not None:
        assert (joint.at, joint.equity) == (late[place].at, late[place].equity)
        # now, which is no moment that stands, goes on with the unit price of before
        assert joint.nav == late[place].nav or place == len(late) - 1
        late[place] = joint
    end = instant.day_start(past.now.at) if before.first_kept_at is None else before.first_kept_at
    same_navs(points, [each for each in rebuilt_alone(portfolio) if each.at < end])
    whole = (*points, *late)
    priced = [each for each in whole if each.nav is not None]
    if priced and whole[-1].nav is not None and not priced[0].equity:
        assert sum(each.flow for each in priced) == past.last.capital
    return Curve(whole)


def same_navs(points, others):
    """Hold points against others: the same but for what the unit price is a multiple of."""
    one, other = ([p for p in each if p.at >= BEGUN] for each in (points, others))
    assert [msgspec.structs.replace(p, nav=None) for p in one[1:]] == [
        msgspec.structs.replace(p, nav=None) for p in other[1:]
    ]
    navs = [(Fraction(a.nav), Fraction(b.nav)) for a, b in zip(one, other, strict=True) if a.nav]
    assert [a.equity for a in one] == [b.equity for b in other]
    assert all(abs(a / navs[0][0] - b / navs[0][1]) < TINY for a, b in navs)


def rebuilt_alone(portfolio):
    """The curve of the same book without a snapshot, made from nothing, days later."""
    clock = Clock(portfolio.desk.clock.at + 50 * instant.DAY)
    bare = Portfolio(Desk(MemoryStore(terms=portfolio.terms), clock), unread)
    bare.record(*(row.entry() for row in portfolio.desk.store.records()))
    return bare.history().points


def _closing(store, cash):
    """What every asset was worth at the last snapshot of each day that tells, looked up one by
    one.
    """
    closing: dict[str, dict[date, Decimal]] = {}
    for each in reversed(store.get_snapshots()):
        for asset, price in snapshots.unit_prices(each).items():
            if asset not in cash:
                closing.setdefault(asset, {})[each.timestamp.date()] = price
    return closing


def _told(standing):
    return (
        standing.strategy,
        standing.contributed,
        standing.made,
        standing.equity,
        standing.returns,
        standing.trips,
        standing.valuation.assets,
    )
