"""One number, whichever door it is asked at: by heading, by stretch of time, as known then."""

from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bursar.app import SystemClock, portfolio_of
from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.terms import Method
from bursar.portfolio import earnings
from bursar.portfolio.gains import GainsAsked, gains
from bursar.portfolio.periods import Window
from bursar.store import open_store
from tests import figures
from tests.auditor import histories

CHANCE = st.randoms(use_true_random=False)
BASES = ("USD", "USD", "EUR", "XBT", "JPY")
HEADINGS = ("pair", "asset", "strategy")
SUMS = ("realized_pnl_base_total", "fees_base", "income_base", "expenses_base")
FLOWS = ("net_flows_base", "transferred_unrealized_base")
FEW = max(10, figures.EXAMPLES // 2)  # each of them opens a store or two


class Standing(SystemClock):
    at = histories.START

    def now(self):
        return self.at


@contextmanager
def kept(terms, batches):
    clock = Standing()
    with portfolio_of(open_store(":memory:", "main", terms=terms), clock) as portfolio:
        for entries in batches:
            clock.at = max([clock.at, *(each.executed_at for each in entries)]) + instant.SECOND
            portfolio.record(*entries)
        yield portfolio


def story(chance, length):
    """Terms of any base, so that much has no price, and what was told, in batches."""
    terms = msgspec.structs.replace(histories.terms(chance), base=chance.choice(BASES))
    entries = histories.history(chance, length, terms)
    return terms, [each for each in histories.batches(chance, entries) if each]


@settings(max_examples=FEW)
@given(CHANCE, st.integers(3, 20))
def test_what_is_unrealised_is_known_or_unknown_by_every_door(chance, length):
    with kept(*story(chance, length)) as portfolio:
        by_pair = portfolio.pnl("pair")[0].pnl
        positions = {each.pair: each.unrealized_pnl_base for each in portfolio.positions()}
        assert set(by_pair.unknown) <= positions.keys()
        own = {key: by_pair.unrealized(key) for key in by_pair.lines if key in positions}
        assert own == {key: positions[key] for key in own}
        by_asset = portfolio.pnl("asset")[0].pnl
        leveraged = {each.asset for each in portfolio.valuation().margins}
        for worth in portfolio.valuation().assets:
            if worth.asset not in leveraged and not worth.is_cash:
                assert by_asset.unrealized(worth.asset) == worth.unrealized
        for view in (by_pair, by_asset):
            parts = earnings.summary(portfolio, earnings.Asked("all", view.by.value)).parts
            assert all(part.unrealized == view.unrealized(key) for key, part in parts.items())
            assert set(view.unknown) <= parts.keys()


@money
def added(parts, name):
    found = [getattr(each, name) for each in parts]
    return None if None in found else sum(found, Decimal(0))


@settings(max_examples=FEW)
@given(CHANCE, st.integers(3, 20))
def test_stretches_of_time_that_adjoin_add_up(chance, length):
    with kept(*story(chance, length)) as portfolio:
        times = [key[0] for key in portfolio.timeline.order] or [histories.START]
        cuts = {chance.choice(times) // 1000 * 1000 + chance.choice([0, 1000]) for _ in range(3)}
        edges = [None, *map(instant.to_datetime, sorted(cuts)), None]
        rule, by = chance.choice(list(Method)), chance.choice(HEADINGS)

        def told(start, end):
            return earnings.summary(portfolio, earnings.Asked((start, end), by, rule))

        def made(start, end):
            return gains(portfolio, GainsAsked(rule=rule, window=Window(start, end))).realized

        parts = [told(*edge) for edge in pairwise(edges)]
        whole = told(None, None)
        for name in (*SUMS, *FLOWS):
            assert added(parts, name) == getattr(whole, name), name
        assert [made(*edge) for edge in pairwise(edges)] == [
            each.realized_pnl_base_total for each in parts
        ]


@settings(max_examples=FEW)
@given(CHANCE, st.integers(1, 20))
def test_what_was_known_at_a_row_is_what_a_book_of_the_rows_until_then_says(chance, length):
    terms, batches = story(chance, length)
    with kept(terms, batches) as portfolio:
        rows = [row.entry() for row in portfolio.journal()]
        if not rows:
            return
        count = chance.randint(1, len(rows))
        then = portfolio.at(known_at=f"#{count}")
        with kept(terms, [rows[:count]]) as young:
            young.desk.clock.at = then.desk.clock.now()
            for by in HEADINGS:
                assert then.pnl(by) == young.pnl(by)
            assert then.pnl_by_month() == young.pnl_by_month()
            assert (then.fees(), then.gaps()) == (young.fees(), young.gaps())
            assert (then.trades(), then.flows()) == (young.trades(), young.flows())
            assert then.positions() == young.positions()
            assert gains(then, GainsAsked()) == gains(young, GainsAsked())
