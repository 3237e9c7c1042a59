"""Trades over any history: they are the round trips', and do not depend on what was told when."""

from decimal import Decimal
from itertools import groupby
from unittest import mock

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.app import SystemClock, portfolio_of
from bursar.events.outgoing import PositionMoved
from bursar.exact import ZERO, money
from bursar.ledger import describe, instant
from bursar.ledger.entries import MANUAL, Fee, Fill, MarginFill, Rename, Side, Source
from bursar.ledger.planning import planned
from bursar.ledger.state import NO_PAIR
from bursar.ledger.timeline import Timeline
from bursar.measure.coins import Coins
from bursar.measure.positions import Trades
from bursar.measure.trips import TripBook
from bursar.portfolio import kept, reading
from bursar.portfolio.closings import Closings
from bursar.portfolio.events.relay import events_of
from bursar.portfolio.trading import TradeFollower
from bursar.store import MemoryStore
from bursar.store.trades import MemoryTradeStore
from tests import figures
from tests.auditor import histories

CHANCE = st.randoms(use_true_random=False)
FEW = max(10, figures.EXAMPLES // 5)  # each of them opens several portfolios
UNITS = [Decimal(each) for each in ("1", "2", "0.5", "3.33333333", "0.000000000000000001")]


def story(chance, length):
    """Any history, with senders' own trades, deliveries, and parts of a coin renamed among it."""
    terms = histories.terms(chance)
    told: dict = {}  # no id is told in two ways
    for number, entry in enumerate(histories.history(chance, length, terms)):
        told.setdefault(entry.id, entry)
        if chance.random() < 0.5:
            made = besides(chance, f"{number:03}", entry.executed_at)
            told.setdefault(made.id, made)
    return terms, list(told.values())


def besides(chance, name, at):
    common = {"account": chance.choice(histories.ACCOUNTS), "executed_at": at}
    size = chance.choice(UNITS)
    if chance.random() < 0.3:
        coins = chance.sample(histories.COINS, 2)
        names = {"asset": coins[0], "to_asset": coins[1]}
        return Rename(id=f"part{name}", quantity=size, **names, **common)
    pair = {"base": chance.choice(histories.COINS[:2]), "quote": "USD", "quantity": size}
    pair |= {"side": chance.choice(list(Side)), "price": chance.choice(UNITS), **common}
    if chance.random() < 0.3:
        return Fill(id=f"delivery{name}", delivers=True, **pair)
    part = chance.choice(["opened", "closed", f"closed:{name}"])
    own = f"{common['account']}:trade:{chance.randint(1, 3)}:{part}"
    fees = (Fee("USD", Decimal(1)),) if chance.random() < 0.5 else ()
    extra = {"settled": ZERO if part == "opened" else chance.choice([*UNITS, None, -size])}
    extra |= {"sequence": 0 if part == "opened" else 1, "source": Source.EVENT, "fees": fees}
    return MarginFill(id=own, **pair | extra)


def books(terms, entries):
    timeline = Timeline(terms)
    timeline.land(planned(timeline, entries))
    book = timeline.book
    pairs = sorted((key[2], key[1]) for key, cell in book.cells.items() if cell.trades or cell.size)
    assets = {pair: asset for pair, asset in reversed(pairs) if pair != NO_PAIR}
    rules = {"cash": frozenset(book.cash), "shorts": frozenset(book.shorts)}
    return timeline, assets, rules


@settings(max_examples=max(10, figures.EXAMPLES // 2))
@given(CHANCE, st.integers(1, 15))
@money
def test_trades_are_what_round_trips_and_what_is_open_are(chance, length):
    timeline, assets, rules = books(*story(chance, length))
    trips, coins, trades = TripBook(assets, **rules), Coins(assets, **rules), Trades()
    told: dict = {}
    records = describe.retold(timeline.terms, timeline)[0]
    for _, at_once in groupby(records, key=lambda each: (each.time, each.trade_id)):
        own = list(at_once)
        trips.follow(own)
        trades.follow(coins.follow(own), timeline.facts)
        changed = trades.changed()
        assert len({each.trade_id for each in changed}) == len(changed)
        told |= {each.trade_id: each for each in changed}
        check(trips, coins, trades, told)


def check(trips, coins, trades, told):
    """What trades made is what trips made and what is open has; and as many coins are open."""
    open_ = {each.trade_id: each for each in trades._open.values() if each.trade_id}
    assert open_ == {name: each for name, each in told.items() if each.is_open}
    waiting = [each for each in trades._open.values() if not each.trade_id]
    made: dict = {}
    for each in (*told.values(), *waiting):
        add(made, each.account, each.realized_pnl, each.fees)
    for trip in trips.closed:
        add(made, trip.account, -trip.pnl, -trip.fees)
    for (account, *_), stake in coins.open.items():
        add(made, account, -stake.made, -stake.fees)
    assert not any(any(sums) for sums in made.values())
    sizes: dict = {}
    for place, stake in coins.open.items():
        if stake.quantity:
            sizes[place] = stake.quantity
    for place, each in trades._open.items():
        if each.open_quantity:
            long = each.side == "LONG"
            assert sizes.pop(place) == (each.open_quantity if long else -each.open_quantity)
    assert not sizes


@settings(max_examples=FEW)
@given(CHANCE, st.integers(1, 12))
def test_trades_and_trips_are_the_same_however_facts_were_cut_into_commits(chance, length):
    terms, entries = story(chance, length)
    with mock.patch.object(reading, "SPACING", chance.choice([1, 2, 4])):
        assert_followed(chance, terms, entries)


def assert_followed(chance, terms, entries):
    places: dict = {}
    for batches in ([entries], histories.batches(chance, entries), nearly_alone(chance, entries)):
        clock = Standing()
        store = MemoryStore(terms=terms)
        with portfolio_of(store, clock) as portfolio:
            follower = TradeFollower(portfolio, MemoryTradeStore())
            for batch in filter(None, batches):
                clock.at = max([clock.at, *(each.executed_at for each in batch)]) + instant.SECOND
                portfolio.record(*batch)
                follower.follow()
                if chance.random() < 0.3:
                    follower = TradeFollower(portfolio, follower.store)
                    follower.follow()
                afresh = MemoryTradeStore()
                TradeFollower(portfolio, afresh).follow()
                assert answers(follower.store) == answers(afresh)
                assert_trips(portfolio, clock.at)
            places[len(places)] = answers(follower.store)
    assert places[0] == places[1] == places[2]


def assert_trips(portfolio, now):
    """Trips and what was realised lately are those of all records read from nothing."""
    known, afresh = kept.OfHead(portfolio), Closings()
    afresh.reach(portfolio, known.assets)
    assert known.trips == afresh.book.trips
    assert known.statistics == afresh.book.closed.statistics
    assert known.made(now) == afresh.made(portfolio, now)
    for span in (10 * instant.SECOND, 10**18):
        rolling = afresh.book.closed.rolling(MANUAL, span).at(now)
        assert known.rolling(MANUAL, span) == rolling


class Standing(SystemClock):
    at = histories.START

    def now(self):
        return self.at


def nearly_alone(chance, entries):
    """Each in a commit of its own, and now and then one that comes late."""
    told = [[each] for each in entries]
    for _ in range(chance.choice([0, 0, 1, 2])):
        told.insert(chance.randint(0, len(told)), told.pop(chance.randrange(len(told))))
    return told


def answers(store):
    return store.open_trades(), store.closed_trades()


def add(made, place, pnl, fees):
    known = made.get(place, (ZERO, ZERO))
    made[place] = known[0] + pnl, known[1] + fees


@settings(max_examples=FEW)
@given(CHANCE, st.integers(1, 12))
def test_positions_that_are_told_open_and_close_in_turn_and_are_those_of_the_book(chance, length):
    terms, entries = story(chance, length)
    clock = Standing()
    stands: dict = {}
    with portfolio_of(MemoryStore(terms=terms), clock) as portfolio:
        for batch in filter(None, histories.batches(chance, nearly_in_order(chance, entries))):
            clock.at = max([clock.at, *(each.executed_at for each in batch)]) + instant.SECOND
            portfolio.record(*batch)
        for row in portfolio.desk.store.outbox(0):
            for event in events_of(row, "main"):
                if event.type.startswith("position."):
                    turn(stands, event.type, msgspec.json.decode(event.data, type=PositionMoved))
        assert stands == standing(portfolio.book())


def turn(stands, kind, told):
    place, is_long = (told.account, told.symbol, told.is_margin), told.side == "LONG"
    if kind == "position.opened":
        assert place not in stands
        stands[place] = is_long
    else:
        assert stands.pop(place) is is_long


def standing(book):
    """Which positions a book has, and whether they are long."""
    found: dict = {}
    for (account, coin), held in book.holdings.items():
        if held.quantity and coin not in book.cash:
            found[account, f"{coin}/{book.terms.base}", False] = held.quantity > 0
    for (account, pair), lent in book.margins.items():
        if lent.quantity:
            found[account, pair, True] = lent.quantity > 0
    return found


def nearly_in_order(chance, entries):
    return [entry for one in nearly_alone(chance, entries) for entry in one]
