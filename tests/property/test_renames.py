"""Renames make no coins: openings are what whoever follows a marked coin of each name finds.

He keeps what lies under each name, and where a coin would lie by now that each account might have
had at first. Where more is sold than is there, he goes back to the beginning with as many more of
a coin that would lie there, and starts again; where none would, the rest is owed.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from bursar.exact import money
from bursar.ledger import openings
from bursar.ledger.book import Book
from bursar.ledger.entries import Movement, Rename, Source
from bursar.ledger.fold import apply
from bursar.ledger.terms import Method, Scope, Terms
from tests.unit.ledger.samples import HOUR, MAIN, OTHER, START, Pen, landed

NAMES = ("A", "B", "C")
NEAR = Fraction(1, 10**14)
PLACE = st.tuples(st.sampled_from([MAIN, MAIN, OTHER]), st.sampled_from(NAMES))
MOVE = st.one_of(
    st.tuples(st.just("buy"), PLACE, st.integers(1, 9)),
    st.tuples(st.just("sell"), PLACE, st.integers(1, 9)),
    st.tuples(st.just("split"), PLACE, st.just(2)),
    st.tuples(st.just("rename"), PLACE, st.sampled_from(NAMES)),
    st.tuples(st.just("rename everywhere"), PLACE, st.sampled_from(NAMES)),
    st.tuples(st.just("rename some"), PLACE, st.integers(1, 9)),
)
THIRDS = st.tuples(st.just("split"), PLACE, st.just(3))
MOVES = st.lists(st.one_of(MOVE, THIRDS), max_size=14)
GONE = [
    ("buy", (MAIN, "A"), 4),
    ("split", (MAIN, "A"), 2),
    ("rename", (MAIN, "A"), "B"),
    ("sell", (MAIN, "A"), 6),
]


def facts_of(moves):
    pen, found = Pen(), []
    for deed, (account, asset), word in moves:
        if deed in {"buy", "sell"}:
            found.append(getattr(pen, deed)(word, asset, word, account=account))
        elif deed == "claim":
            claim = {"balance": Decimal(word), "source": Source.CLAIM, "account": account}
            found.append(pen.row("adjustment", 0, asset, **claim))
        elif deed == "split":
            found.append(pen.split(asset, word, 1, account=account))
        elif deed == "rename some":
            common = pen.common({"account": account})
            to_asset = NAMES[NAMES.index(asset) - 1]
            renamed = Rename(**common, asset=asset, to_asset=to_asset, quantity=Decimal(word))
            found.append(renamed)
        elif asset != word:
            where = "*" if deed == "rename everywhere" else account
            found.append(pen.rename(asset, word, account=where))
        else:
            pen.count += 1
    return found


class Follower:
    """What is there by now, with so much of each name at first."""

    def __init__(self, first):
        self.first, self.there, self.owed = first, {}, {}
        self.marks = {}

    def begin(self, account):
        if account in self.marks:
            return
        self.marks[account] = {name: (name, Fraction(1)) for name in NAMES}
        for name in NAMES:
            self.there[account, name] = self.first.get((account, name), Fraction(0))
            self.owed[account, name] = Fraction(0)

    def split(self, account, asset, by):
        self.there[account, asset] *= by
        self.owed[account, asset] *= by
        for name, (now, units) in self.marks[account].items():
            if now == asset:
                self.marks[account][name] = (now, units * by)

    def rename(self, account, asset, to_asset):
        for kept in (self.there, self.owed):
            kept[account, to_asset] += kept[account, asset]
            kept[account, asset] = Fraction(0)
        for name, (now, units) in self.marks[account].items():
            if now == asset:
                self.marks[account][name] = (to_asset, units)

    def sell(self, account, asset, quantity):
        """Take out what is there. Returns what is missing at first, if that would help."""
        missing = quantity - self.there[account, asset]
        if missing > NEAR:
            marks = self.marks[account]
            able = [name for name, (now, _) in marks.items() if now == asset]
            if able:
                name = asset if asset in able else min(able)
                return (account, name), missing / marks[name][1]
            self.owed[account, asset] += missing
        self.there[account, asset] = max(-missing, Fraction(0))
        return None

    def buy(self, account, asset, quantity):
        self.there[account, asset] += quantity

    def rename_everywhere(self, _, asset, to_asset):
        for account in self.marks:
            self.rename(account, asset, to_asset)

    def rename_some(self, account, asset, quantity):
        wanting = self.sell(account, asset, quantity)
        self.there[account, NAMES[NAMES.index(asset) - 1]] += quantity
        return wanting

    def follow(self, moves):
        for deed, (account, asset), word in moves:
            if asset == word:
                continue
            if deed != "rename everywhere":
                self.begin(account)
            wanting = getattr(self, deed.replace(" ", "_"))(account, asset, word)
            if wanting is not None:
                return wanting
        return None


def followed(moves):
    first: dict = {}
    while True:
        follower = Follower(first)
        wanting = follower.follow(moves)
        if wanting is None:
            return follower
        place, units = wanting
        first[place] = first.get(place, Fraction(0)) + units


@money
def opened(line):
    return {
        (fact.account, fact.asset): Fraction(fact.amount)
        for fact in line
        if openings.is_opening(fact)
    }


def is_near(found, wanted):
    keys = {*found, *wanted}
    return all(abs(found.get(key, 0) - wanted.get(key, 0)) <= NEAR for key in keys)


@example(GONE, None, Method.FIFO)
@given(MOVES, st.randoms(use_true_random=False), st.sampled_from(Method))
def test_openings_are_those_of_whoever_follows_a_coin_of_each_name(moves, chance, method):
    facts, wanted = facts_of(moves), followed(moves)
    told = facts if chance is None else chance.sample(facts, len(facts))
    line = landed(*([fact] for fact in told), under=Terms(method=method))
    assert is_near(opened(line), wanted.first)
    held = {place: Fraction(each.quantity) for place, each in line.book.holdings.items()}
    there = {place: wanted.there[place] - wanted.owed[place] for place in wanted.there}
    assert is_near({place: held.get(place, 0) for place in there}, there)
    assert landed(facts, under=Terms(method=method)).book.holdings == line.book.holdings


@given(
    MOVES.map(lambda moves: [move for move in moves if move[0] != "split"]),
    st.sampled_from(Scope),
)
def test_whatever_is_renamed_what_is_there_came_or_is_an_opening(moves, scope):
    line = landed(facts_of(moves), under=Terms(scope=scope))
    came = sum(_signed(deed, word) for deed, _, word in moves if deed in {"buy", "sell"})
    there = sum(each.quantity for (_, asset), each in line.book.holdings.items() if asset in NAMES)
    assert there == came + sum(opened(line).values())


@money
@given(
    st.lists(st.one_of(st.tuples(st.just("claim"), PLACE, st.integers(1, 20)), MOVE), max_size=10),
    st.randoms(use_true_random=False),
)
def test_what_a_balance_says_of_a_name_is_there_then(moves, chance):
    some = [move for move in moves if move[0] != "rename some"]
    firsts = {move[1]: n for n, move in reversed(list(enumerate(some))) if move[0] == "claim"}
    told = [move for n, move in enumerate(some) if move[0] != "claim" or firsts[move[1]] == n]
    facts = facts_of(told)
    line = landed(facts)
    other = landed(*([fact] for fact in chance.sample(facts, len(facts))))
    assert list(other) == list(line)
    assert other.prefixes.walked() == line.prefixes.walked()
    stated, book = {fact.id: fact for fact in facts if isinstance(fact, Movement)}, Book(line.terms)
    for fact in line:
        apply(book, fact)
        row: Any = stated.get(fact.id)
        assert row is None or book.owned(row.account, row.asset) >= row.balance


def _signed(deed, quantity):
    return quantity if deed == "buy" else -quantity


def test_the_hours_of_moves_are_those_of_their_facts():
    assert [fact.executed_at for fact in facts_of(GONE)] == [
        START + hour * HOUR for hour in range(1, 5)
    ]
