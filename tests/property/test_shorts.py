"""What is short, covered and moved comes to what fractions say; trips and trades of it add up."""

from fractions import Fraction
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.exact import money
from bursar.ledger import audit, describe
from bursar.ledger.past import until
from bursar.ledger.planning import planned
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms
from bursar.ledger.timeline import Timeline
from bursar.measure.coins import Coins
from bursar.measure.positions import Trades
from bursar.measure.trips import TripBook
from tests.property.shorts_reckoning import LONG, SHORT, Reckoning
from tests.property.test_positions import check
from tests.property.test_trips import accounted

CHANCE = st.randoms(use_true_random=False)
CLOSE = Fraction(1, 10**12)
ACCOUNTS = (Account(SHORT, may_short=True), Account(LONG, FactSource.EVENTS))


def told(chance, story, terms):
    """What was told in any order, in parts, some of it again."""
    line, said = Timeline(terms), [*story.told, *chance.sample(story.told, len(story.told) // 2)]
    chance.shuffle(said)
    while said:
        count = chance.randint(1, len(said))
        line.land(planned(line, said[:count]))
        said = said[count:]
    return line


@pytest.mark.parametrize("scope", list(Scope))
@given(CHANCE, st.sampled_from((Method.WAC, Method.FIFO, Method.LIFO)), st.integers(1, 12))
@money
def test_shorts_are_what_fractions_say(scope, chance, method, deeds):
    terms = Terms(base="USD", method=method, scope=scope, accounts=ACCOUNTS)
    story = Reckoning(chance, method.value, is_pooled=scope is Scope.POOLED)
    story.live(deeds)
    line = told(chance, story, terms)
    last = max((fact.executed_at for fact in story.told), default=0)
    for book in (line.book, until(line, last).book):
        sums = audit.totals(book)
        assert abs(Fraction(sums.realized) - story.realized) < CLOSE
        assert abs(Fraction(sums.contributed) - story.contributed) < CLOSE
        for account, held in story.held.items():
            assert Fraction(book.owned(account, "ABC")) == held
            assert abs(Fraction(book.held(account, "ABC").cost) - story.cost(account)) < CLOSE
    followed(line)


def followed(line):
    """Follow trips and trades of a book: they come to what was realised, of any time."""
    rules = {"cash": line.terms.cash, "shorts": frozenset({SHORT})}
    assets: dict = {"ABC/USD": "ABC"}
    found: dict = {}
    trips, coins, trades = TripBook(assets, **rules), Coins(assets, **rules), Trades()
    records = describe.retold(line.terms, line)[0]
    for _, at_once in groupby(records, key=lambda each: (each.time, each.trade_id)):
        own = list(at_once)
        trips.follow(own)
        trades.follow(coins.follow(own), line.facts)
        found |= {each.trade_id: each for each in trades.changed()}
        check(trips, coins, trades, found)
    assert accounted(trips) == audit.totals(line.book).realized
